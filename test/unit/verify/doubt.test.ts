import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { doubts, isGood, type Way } from '../../../modules/verify/doubt.ts';
import { controls as planned, trafficOf } from '../../../modules/verify/plan.ts';
import type { Control, Verdict } from '../../../modules/verify/report.ts';
import type { LaunchedTask } from '../../../modules/verify/target.ts';

const nodes = ['n1', 'n2', 'n3'];
const task = (name: string, node: string): LaunchedTask => ({
  name: `${name}@${node}`,
  node,
  network: name,
  profiles: [],
  address: '10.0.0.1',
});
const tasks = nodes.flatMap((node) => [task('a', node), task('b', node)]);
const guards = nodes.flatMap((node) => [task('guard', node), task('guard-2', node)]);
const open = { tcp: [80, 81], udp: [53] };
const nodeOf = (name: string): string => name.split('@')[1] ?? name;
const kinds = [trafficOf('tcp', 80), trafficOf('tcp', 81), trafficOf('udp', 53), trafficOf('icmp', 0)];

/** All controls good, before and after. */
const good: readonly Control[] = (['before', 'after'] as const).flatMap((when) =>
  planned(tasks, guards, open).map(({ kind, from, to, traffic, expected }) => ({
    kind,
    from,
    to,
    traffic,
    expected,
    observed: expected,
    ms: 1,
    when,
  })),
);
const way = (from: LaunchedTask, to: LaunchedTask, traffic: string): Way => ({
  from: from.name,
  fromNode: from.node,
  to: to.name,
  toNode: to.node,
  traffic,
});
const ways = tasks.flatMap((from) =>
  tasks.filter((to) => to !== from).flatMap((to) => kinds.map((traffic) => way(from, to, traffic))),
);
const inDoubt = (controls: readonly Control[], behind: ReadonlyMap<string, string> = new Map()): Way[] => {
  const doubt = doubts(controls, nodeOf, behind);
  return ways.filter((one) => {
    const { silence, anything } = doubt(one);
    return silence !== undefined || anything !== undefined;
  });
};
const spoilt = (which: (control: Control) => boolean, observed: Verdict): Control[] =>
  good.map((control) => (which(control) ? { ...control, observed } : control));

test('good controls leave nothing in doubt', () => {
  expect(inDoubt(good)).toEqual([]);
});

test('without any control all is in doubt', () => {
  expect(inDoubt([])).toEqual(ways);
});

/** What a control of each kind speaks for, at the least. */
const touches = ({ kind, from, to, traffic }: Control, one: Way): boolean => {
  switch (kind) {
    case 'listener':
      return one.to === to && one.traffic === traffic;
    case 'closed-port':
      return one.to === to || one.from === to;
    case 'path':
      return one.fromNode === nodeOf(from) && one.toNode === nodeOf(to) && one.traffic === traffic;
  }
};

test('a control that is bad, or that was never run, leaves nothing that it speaks for out of doubt', () => {
  const index = fc.integer({ min: 0, max: good.length - 1 });
  const observed = fc.constantFrom<Verdict>('open', 'refused', 'dropped', 'rejected', 'broken');
  fc.assert(
    fc.property(index, fc.option(observed), (at, seen) => {
      const control = good[at]!;
      fc.pre(seen === null || !isGood({ ...control, observed: seen }));
      const left = good.flatMap((one, place) =>
        place !== at ? [one] : seen === null ? [] : [{ ...one, observed: seen }],
      );
      const doubtful = inDoubt(left);
      expect(ways.filter((one) => touches(control, one) && !doubtful.includes(one))).toEqual([]);
      // Nor does one bad control bury everything: what has nothing to do with its hosts can still be judged.
      const own = [nodeOf(control.from), nodeOf(control.to)];
      expect(doubtful.filter((one) => !own.includes(one.fromNode) && !own.includes(one.toNode))).toEqual([]);
    }),
  );
});

describe('how far a bad control reaches', () => {
  const listener = (to: string, traffic: string) => (control: Control) =>
    control.kind === 'listener' && control.to === to && control.traffic === traffic;

  test('a dead listener is about its port alone', () => {
    const doubtful = inDoubt(spoilt(listener('a@n1', 'tcp 80'), 'refused'));
    expect(new Set(doubtful.map((one) => `${one.to} ${one.traffic}`))).toEqual(new Set(['a@n1 tcp 80']));
  });

  test('a silent listener is about the task at either end', () => {
    const doubtful = inDoubt(spoilt(listener('a@n1', 'tcp 80'), 'dropped'));
    expect(doubtful).toEqual(ways.filter((one) => one.from === 'a@n1' || one.to === 'a@n1'));
  });

  test("another's answer makes answers worthless too, not only silence", () => {
    const doubt = doubts(spoilt(listener('a@n1', 'tcp 80'), 'broken'), nodeOf, new Map());
    expect(doubt(way(tasks[2]!, tasks[0]!, 'icmp')).anything).toMatch(/a@n1 does not answer its own host n1 on tcp 80/);
    expect(doubt(way(tasks[0]!, tasks[2]!, 'icmp')).anything).toBeUndefined();
  });

  test('a bad path is about its two hosts in its direction', () => {
    const path = (control: Control): boolean =>
      control.kind === 'path' &&
      control.from === 'guard@n1' &&
      control.to === 'guard@n2' &&
      control.traffic === 'tcp 81';
    const doubtful = inDoubt(spoilt(path, 'dropped'));
    expect(doubtful).toEqual(ways.filter((one) => one.fromNode === 'n1' && one.toNode === 'n2'));
  });

  test('a host that does not forward is found though it answers itself', () => {
    const home = (control: Control): boolean =>
      control.kind === 'path' && nodeOf(control.from) === 'n3' && nodeOf(control.to) === 'n3';
    const doubtful = inDoubt(spoilt(home, 'dropped'));
    expect(doubtful).toEqual(ways.filter((one) => one.fromNode === 'n3' && one.toNode === 'n3'));
  });

  test('an agent that is behind is about its host at either end, and says so', () => {
    const behind = new Map([['n2', 'the agent of n2 sleeps']]);
    expect(inDoubt(good, behind)).toEqual(ways.filter((one) => one.fromNode === 'n2' || one.toNode === 'n2'));
    expect(doubts(good, nodeOf, behind)(ways.find((one) => one.toNode === 'n2')!).anything).toBe(
      'the agent of n2 sleeps',
    );
  });

  test('a control that was only run before the table does not speak for it', () => {
    const half = good.filter((control) => control.when === 'before' || !listener('b@n2', 'udp 53')(control));
    expect(inDoubt(half)).toEqual(ways.filter((one) => one.to === 'b@n2' && one.traffic === 'udp 53'));
  });
});
