/** Descriptions with random damage: the reader answers with a Cluster or with problems that have a place, never else. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { print } from '../../../modules/cluster/print.ts';
import { readCluster, readDescription, type Reading } from '../../../modules/cluster/read.ts';
import { format } from '../../../modules/problem/problem.ts';
import { right } from './cases.ts';

const golden = ['aws', 'gce', 'vagrant', 'hosts', 'lab'].map((target) => {
  const { description } = readCluster(`test/golden/cluster/${target}/${target}.yaml`);
  return JSON.parse(JSON.stringify(description)) as Json;
});
const texts = [...Object.values(right), readFileSync('test/golden/cluster/aws/completed.yaml', 'utf8')];

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function sound(reading: Reading, text: string): void {
  const lines = text.split('\n').length;
  expect(reading.cluster === undefined).toBe(reading.problems.length > 0);
  for (const problem of [...reading.problems, ...reading.warnings]) {
    expect(problem.at?.line).toBeGreaterThanOrEqual(1);
    expect(problem.at?.line).toBeLessThanOrEqual(lines);
    expect(problem.at?.column).toBeGreaterThanOrEqual(1);
    expect(format(problem)).not.toMatch(/undefined|NaN|\[object/);
  }
  // What is right once is right completed, and is the same cluster.
  const { cluster, description, defaults } = reading;
  if (cluster === undefined || description === undefined) return;
  const again = readDescription(reading.file, print(cluster, description, defaults));
  expect(again.problems.map(format)).toEqual([]);
  expect(again.defaults).toEqual([]);
  expect(again.cluster).toEqual(cluster);
}

test('any cut, copy or change of characters', () => {
  const change = fc.record({
    text: fc.constantFrom(...texts),
    at: fc.nat(10_000),
    length: fc.nat(12),
    put: fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '\n',
        '\t',
        ':',
        ': ',
        '- ',
        '{',
        ']',
        '"',
        '&a ',
        '*a',
        '!!x ',
        '---\n',
        '#',
        '|',
        '\r',
        '\0',
      ),
      fc.string({ maxLength: 6, unit: 'binary' }),
    ),
  });
  fc.assert(
    fc.property(change, ({ text, at, length, put }) => {
      const start = at % (text.length + 1);
      const damaged = text.slice(0, start) + put + text.slice(start + length);
      sound(readDescription('clusters/test.yaml', damaged), damaged);
    }),
    { numRuns: 400 },
  );
});

test('any value in the place of any other', () => {
  const values: fc.Arbitrary<Json> = fc.oneof(
    fc.constantFrom<Json>(
      null,
      true,
      0,
      -1,
      2.5,
      2,
      1e21,
      '',
      'docker',
      'mesos',
      'v1',
      'ipip',
      '10.65.0.0/16',
      '::/0',
      [],
      {},
      'classic',
      '1.0',
    ),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  );
  const change = fc.record({
    which: fc.nat(golden.length - 1),
    turns: fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }),
    value: values,
    act: fc.constantFrom('replace', 'remove', 'add'),
  });
  fc.assert(
    fc.property(change, ({ which, turns, value, act }) => {
      const root = structuredClone(golden[which]!);
      mutate(root, turns, value, act);
      const text = stringify(root);
      sound(readDescription('clusters/test.yaml', text), text);
    }),
    { numRuns: 400 },
  );
});

/** Walks down as the turns say, and changes what it comes to. */
function mutate(root: Json, turns: readonly number[], value: Json, act: string): void {
  let inner = root;
  for (const [index, turn] of turns.entries()) {
    if (typeof inner !== 'object' || inner === null) return;
    const map = inner as Record<string, Json>;
    const keys = Object.keys(map);
    const key = keys[turn % Math.max(1, keys.length)];
    if (key === undefined) return;
    const next = map[key];
    if (index === turns.length - 1 || typeof next !== 'object' || next === null) {
      if (act === 'replace') map[key] = value;
      else if (act === 'add') map[`x${turn}`] = value;
      else if (Array.isArray(inner)) inner.splice(Number(key), 1);
      else Reflect.deleteProperty(map, key);
      return;
    }
    inner = next;
  }
}
