import { describe, expect, test } from 'vitest';
import type { PolicyDocument } from '../../../modules/policy/document.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { course, specs } from '../../../modules/verify/states.ts';
import { document, isolated, oneWay, smallCluster } from './fake.ts';

const cluster = smallCluster();
const host = (name: string) => ({ name, address: '192.0.2.1' });
const address = (() => {
  const known = new Map<string, string>();
  return (task: string): string => {
    if (!known.has(task)) known.set(task, `10.0.0.${known.size + 1}`);
    return known.get(task)!;
  };
})();
const documents = [document(isolated, '1.yaml'), document(oneWay, '2.yaml')];
const walk = (list: readonly PolicyDocument[] = documents, on = cluster) => course(on, list, true, address, host);

describe('tasks', () => {
  test('one of each network on each agent, and two control tasks: a way has two ends', () => {
    const { tasks, guards } = specs(cluster);
    expect(tasks.map(({ name }) => name)).toEqual([
      'client@general-1',
      'client@general-2',
      'client@general-3',
      'backend@general-1',
      'backend@general-2',
      'backend@general-3',
    ]);
    expect(guards.map(({ node }) => node)).toEqual([
      'general-1',
      'general-1',
      'general-2',
      'general-2',
      'general-3',
      'general-3',
    ]);
    expect(new Set([...tasks, ...guards].map(({ name }) => name)).size).toBe(12);
  });

  test('no task of a network on an agent that cannot run it', () => {
    const nodes = cluster.nodes.map((node) =>
      node.name === 'general-2' ? { ...node, containerizers: ['mesos' as const] } : node,
    );
    const { tasks, guards } = specs({ ...cluster, nodes });
    expect(tasks.filter(({ node }) => node === 'general-2')).toEqual([]);
    // Its paths still count.
    expect(guards.filter(({ node }) => node === 'general-2')).toHaveLength(2);
  });
});

describe('steps', () => {
  test('one for each file, each on top of those before; at once, one with all', () => {
    const { steps } = walk();
    expect(steps.map(({ title, file }) => `${title} ${file ?? ''}`)).toEqual(['Isolated 1.yaml', 'One way 2.yaml']);
    expect(steps[0]!.commands).toEqual([]);
    expect(steps[1]!.commands.length).toBeGreaterThan(0);
    const all = course(cluster, documents, false, address, host);
    expect(all.steps).toHaveLength(1);
    expect(all.steps[0]!.state).toEqual(steps[1]!.state);
  });

  test('classes of traffic are those of all steps together, so that tables can be compared', () => {
    expect(walk().traffic.map(({ name }) => name)).toEqual(['tcp 9000', 'tcp other', 'udp', 'icmp']);
  });

  test('control tasks admit each other whatever the policy says', () => {
    const { steps } = walk();
    for (const { state } of steps) {
      const guards = state.endpoints.filter(({ id }) => id.startsWith('verify-control'));
      const profile = state.profiles.get(guards[0]!.profiles[0]!)!;
      expect(guards.every(({ profiles }) => profiles.length === 1 && profiles[0] === profile.name)).toBe(true);
      expect(profile.inbound).toEqual([{ action: 'allow', from: { tag: profile.tags[0] }, to: {} }]);
    }
  });

  test('without any file there is one step, the policy as the networks come', () => {
    const { steps } = walk([]);
    expect(steps.map(({ title }) => title)).toEqual(['As declared']);
  });
});

describe('expectations', () => {
  test("a file's stand with its step, the description's own with the last", () => {
    const own = { ...cluster, expect: ['deny client -> backend udp'] };
    const first = document('title: T\nexpect:\n  - allow client -> client\n', '1.yaml');
    const { steps } = walk([first, document(oneWay, '2.yaml')], own);
    expect(steps.map(({ expectations }) => expectations.map(({ text, where }) => `${where} ${text}`))).toEqual([
      ['1.yaml:3 allow client -> client'],
      [`${cluster.file}:expect[0] deny client -> backend udp`],
    ]);
  });

  test('all that is wrong with them is said at once', () => {
    const bad = document('title: T\nexpect:\n  - allow client -> nowhere\n  - deny elsewhere -> client\n', '1.yaml');
    expect.assertions(2);
    try {
      walk([bad], { ...cluster, expect: ['perhaps client -> client'] });
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).problems.map(({ code, at }) => `${at?.line ?? at?.path ?? ''} ${code}`)).toEqual([
        '3 unknown-network',
        '4 unknown-network',
        'expect[0] unknown-action',
      ]);
    }
  });
});
