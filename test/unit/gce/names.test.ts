import { expect, test } from 'vitest';
import { description, synthesize, type Block } from './synth.ts';

/** https://cloud.google.com/compute/docs/naming-resources */
const name = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

// 58 characters between them: what preflight lets through.
const cluster = 'c23456789-123456789-123456789-12';
const pool = 'p23456789-123456789-12345';

const stack = synthesize(description({ name: cluster, agents: { [pool]: { count: 1 }, b: { count: 1 } } }));
const all = Object.entries(stack.config['resource'] as Record<string, Record<string, Block>>).flatMap(
  ([type, resources]) => Object.values(resources).map((one) => ({ type, one })),
);

test('names are within the limits of Google with the longest names of cluster and pool', () => {
  const names = all.flatMap(({ one }) => ('name' in one ? [one['name'] as string] : []));
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((each) => !name.test(each))).toEqual([]);
});

test('no two resources of a type have one name', () => {
  const names = all.flatMap(({ type, one }) => ('name' in one ? [`${type} ${one['name'] as string}`] : []));
  expect(new Set(names).size).toBe(names.length);
});

test('machines of a group have room for the dash and four characters that Google adds', () => {
  const manager = stack.of('google_compute_region_instance_group_manager')[pool]!;
  expect(manager['base_instance_name']).toHaveLength(58);
});

test('templates have prefixes that leave room for a name that is surely unique', () => {
  const prefixes = Object.values(stack.of('google_compute_instance_template')).map(
    (one) => one['name_prefix'] as string,
  );
  for (const prefix of prefixes) {
    expect(prefix.length).toBeLessThanOrEqual(37);
    expect(prefix).toMatch(/^[a-z][-a-z0-9]*-$/);
  }
});

test('no tag of one cluster is a tag of another, whatever they are called', () => {
  const tagsOf = (called: string) => {
    const other = synthesize(description({ name: called }));
    const machines = ['google_compute_instance', 'google_compute_instance_template'].flatMap((type) =>
      Object.values(other.of(type)).flatMap((one) => one['tags'] as string[]),
    );
    return new Set(machines);
  };
  const names = ['a', 'a-node', 'a-master', 'a-agent'];
  const tags = names.flatMap((called) => [...tagsOf(called)]);
  expect(tags.filter((tag) => !name.test(tag))).toEqual([]);
  expect(new Set(tags).size).toBe(3 * names.length);
});

test('a pool may be called like anything else in the stack', () => {
  const names = [
    'network',
    'subnetwork',
    'ssh',
    'tasks',
    'flatcar',
    'nat',
    'general-data',
    'inventory',
    'mesos',
    'google',
  ];
  const odd = synthesize(description({ agents: Object.fromEntries(names.map((each) => [each, { count: 1 }])) }));
  expect(Object.keys(odd.of('google_compute_region_instance_group_manager'))).toEqual(names);
});
