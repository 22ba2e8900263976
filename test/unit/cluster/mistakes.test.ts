import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checks } from '../../../modules/cluster/preflight/preflight.ts';
import { readDescription } from '../../../modules/cluster/read.ts';
import type { Problem } from '../../../modules/problem/problem.ts';
import { format } from '../../../modules/problem/problem.ts';
import { mistakes, right } from './cases.ts';

const file = 'clusters/test.yaml';
const cases = mistakes();

describe('a description is refused for', () => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', (_, { text, expected }) => {
    const { problems, warnings, cluster } = readDescription(file, text);
    const found = (severity: string, list: readonly Problem[]) =>
      list.map(({ code, at }) => `${severity} ${code} @ ${at?.path ?? ''}`);
    expect([...found('error', problems), ...found('warning', warnings)].sort()).toEqual(
      expected.map(({ severity, code, path }) => `${severity} ${code} @ ${path}`).sort(),
    );
    const lines = text.split('\n');
    for (const problem of [...problems, ...warnings]) {
      const { code, at, what, rule, example, remedy } = problem;
      expect(at?.file).toBe(file);
      expect(at?.line).toBeGreaterThanOrEqual(1);
      expect(at?.line).toBeLessThanOrEqual(lines.length);
      expect(at?.column).toBeGreaterThanOrEqual(1);
      expect(at?.column).toBeLessThanOrEqual((lines[at!.line! - 1] ?? '').length + 1);
      // What was seen, the rule and a way out: each problem is of use to who has it.
      const seen = expected.filter((each) => each.code === code && each.path === at?.path).map((each) => each.seen);
      expect(
        seen.some((each) => what.includes(each)),
        `${what} should hold one of ${seen.join(', ')}`,
      ).toBe(true);
      expect(`${rule ?? ''}${example ?? ''}${remedy ?? ''}`).not.toBe('');
      expect(format(problem)).not.toMatch(
        /must (have required|be (string|integer|object|array|boolean|equal)|NOT|match)|undefined|[^.]\.\.[^./]|NaN|\[object/,
      );
    }
    expect(cluster === undefined).toBe(problems.length > 0);
  });
});

test('what the mistakes are made in is right', () => {
  for (const text of Object.values(right)) {
    const { problems, warnings } = readDescription(file, text);
    expect([...problems, ...warnings].map(format)).toEqual([]);
  }
});

test('a Mesos that nobody publishes: what the remedy says to write is taken as it stands', () => {
  const hosts = `name: test
target: { hosts: { os: OS, machines: { m1: { address: 192.0.2.10, role: master }, a1: { address: 192.0.2.11, role: agent } } } }
agents: { general: {} }
networks: { client: {} }
release: RELEASE
`;
  const codes = (text: string) => {
    const { problems, warnings } = readDescription(file, text);
    return [...problems, ...warnings];
  };
  for (const [os, release] of [
    ['centos-7', 'classic'],
    ['debian-12', '{ channel: current, override: { mesos: { version: 1.11.0-0.9.0 } } }'],
  ] as const) {
    const text = hosts.replace('OS', os);
    const [told] = codes(text.replace('RELEASE', release)).filter(({ code }) => code === 'mesos-package-elsewhere');
    const words = /^release: (\{.*?\}), with/
      .exec(told!.remedy!)![1]!
      .replace('{', `{ channel: ${os === 'centos-7' ? 'classic' : 'current'}, `);
    const left = codes(text.replace('RELEASE', words)).map(({ code }) => code);
    expect(left.filter((code) => /package|yaml|form|key/.test(code) && code !== 'unprotected-package')).toEqual([]);
  }
});

test('every code has a case', () => {
  const tested = new Set(cases.flatMap(({ expected }) => expected.map(({ code }) => code)));
  // Files and names that are none are tried where files are at hand.
  const elsewhere = ['read', 'verbs', 'material']
    .map((name) => readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8'))
    .join('');
  const folder = new URL('../../../modules/cluster/', import.meta.url);
  const codes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...readFileSync(new URL(name, folder), 'utf8').matchAll(/code: '([a-z0-9-]+)'|problem\(\s*'([a-z0-9-]+)'/g),
    ])
    .map(([, plain, inCall]) => plain ?? inCall!);
  expect(codes.length).toBeGreaterThan(60);
  expect(
    [...new Set(codes)].filter((code) => !tested.has(code) && !new RegExp(`'${code}( @ .*)?'`).test(elsewhere)),
  ).toEqual([]);
});

test('there are at least 60 cases, each with a name of its own', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test('every check of the preflight has a code of its own, a reason and a remedy', () => {
  expect(new Set(checks.map(({ code }) => code)).size).toBe(checks.length);
  for (const { code, rule, remedy } of checks) {
    expect(code).toMatch(/^[a-z0-9-]+$/);
    expect(rule, code).toMatch(/\.$/);
    expect(remedy, code).not.toBe('');
  }
});
