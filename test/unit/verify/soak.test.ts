/** A soak, and all suites in a row, on a cluster in memory. */
import { expect, test } from 'vitest';
import type { Report } from '../../../modules/verify/report.ts';
import { everythingOf } from '../../../modules/verify/suite/everything.ts';
import { leastRounds } from '../../../modules/verify/suite/growth.ts';
import { soak } from '../../../modules/verify/suite/soak.ts';
import { policy } from '../../../modules/verify/suite/policy.ts';
import { smoke } from '../../../modules/verify/suite/smoke.ts';
import { runSuite } from '../../../modules/verify/suite/run.ts';
import { stop } from '../../../modules/verify/suite/stop.ts';
import type { Suite, Wish } from '../../../modules/verify/suite/suite.ts';
import { TargetFailed, type Target } from '../../../modules/verify/target.ts';
import { AbleTarget } from './able.ts';
import { document, fails, FakeTarget, oneWay, smallCluster } from './fake.ts';

const run = (suite: Suite, target: Target, wish: Wish = {}): Promise<Report> =>
  runSuite(
    target,
    suite,
    {
      cluster: smallCluster(),
      documents: [document(oneWay)],
      wish,
      seed: 1,
      host: (name) => ({ name, address: '192.0.2.1' }),
      startedAt: new Date(0),
      leaveTasks: false,
      stages: [],
    },
    { stage: () => undefined, step: () => undefined, note: () => undefined },
  );

/** Ends after so many rounds. */
function rounds(count: number): Wish {
  let begun = 0;
  return { forMs: 60_000, stop: { ask: () => true, hear: (work) => work(() => ++begun > count) } };
}

const outcomes = ({ checks = [] }: Report): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));

test('rounds that are right, and nothing that grows, pass', async () => {
  const report = await run(soak, new AbleTarget(), rounds(leastRounds));
  expect(report.outcome).toBe('pass');
  expect(report.checks!.find(({ name }) => name === 'rounds')!.seen).toMatch(/^8 in \d+ s, ended: Ctrl-C$/);
  expect(outcomes(report)).toMatchObject({ tables: 'pass', edits: 'pass', tasks: 'pass', 'no growth: memory': 'pass' });
});

test('memory that is lost in every round is found by the name of the process, with its size', async () => {
  const target = new AbleTarget(
    {},
    {
      held: (look) => [
        { name: 'felix on general-1', memoryKiB: 50_000 + 5_000 * look, files: 9 },
        { name: 'felix on general-2', memoryKiB: 50_000, files: 9 },
      ],
    },
  );
  const report = await run(soak, target, rounds(leastRounds));
  const memory = report.checks!.find(({ name }) => name === 'no growth: memory')!;
  expect(memory.outcome).toBe('infrastructure-broken');
  expect(memory.seen).toBe('felix on general-1: more in every round');
  expect(memory.details.join()).toContain('5000 KiB more in each');
  expect(outcomes(report)['no growth: open files']).toBe('pass');
});

test('what is told to be no leak may grow that far', async () => {
  const held = (look: number) => [{ name: 'etcd on m', memoryKiB: 50_000 + 5_000 * look, files: 9, spareKiB: 65_536 }];
  expect((await run(soak, new AbleTarget({}, { held }), rounds(leastRounds))).outcome).toBe('pass');
});

test('too few rounds are no pass, and say how many it takes', async () => {
  const report = await run(soak, new AbleTarget(), rounds(leastRounds - 1));
  expect(report.outcome).toBe('infrastructure-broken');
  expect(report.checks!.find(({ name }) => name === 'enough rounds')!.seen).toContain(`growth needs ${leastRounds}`);
});

test('its time ends it', async () => {
  const begin = performance.now();
  const report = await run(soak, new AbleTarget(), { forMs: 300 });
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(report.checks!.find(({ name }) => name === 'rounds')!.seen).toContain('time over');
});

test('a packet through a denial in a single round of many is told, with the round', async () => {
  let writes = 0;
  const leak = new AbleTarget({
    // One before the rounds, and two in each: after the fifth, the table of the second round is asked.
    write: (number) => void (writes = number),
    answer: (_, right) => (writes === 5 && right.verdict === 'dropped' ? { verdict: 'open' } : undefined),
  });
  const report = await run(soak, leak, rounds(leastRounds));
  expect(report.outcome).toBe('policy-wrong');
  expect(report.checks!.find(({ name }) => name === 'tables')!.details.join('\n')).toMatch(
    /^round 2: .*policy says deny/,
  );
});

test('what cannot be done three times in a row ends it, and one failure does not', async () => {
  const report = await run(
    soak,
    new AbleTarget({ write: (number) => number > 1 && fails('etcd is away') }),
    rounds(20),
  );
  const found = report.checks!.find(({ name }) => name === 'rounds')!;
  expect(found.seen).toContain('3 in ');
  expect(found.details).toHaveLength(3);
  const once = await run(
    soak,
    new AbleTarget({ write: (number) => number === 4 && fails('etcd is away') }),
    rounds(10),
  );
  expect(once.checks!.find(({ name }) => name === 'rounds')).toMatchObject({ outcome: 'infrastructure-broken' });
  expect(outcomes(once)['no growth: memory']).toBe('pass');
});

test('a target that can measure nothing is told what was not tried', async () => {
  const report = await run(soak, new FakeTarget(), rounds(leastRounds));
  expect(report.untried!.join('\n')).toMatch(/start and end[^]*endpoints[^]*memory/);
});

test('the wish to end is taken once, and only while somebody listens', async () => {
  const wish = stop();
  expect(wish.ask()).toBe(false);
  const seen = await wish.hear((asked) => Promise.resolve([asked(), wish.ask(), wish.ask(), asked()]));
  expect(seen).toEqual([false, true, false, true]);
  expect(wish.ask()).toBe(false);
});

test('everything: each suite by its name in one report, and --only takes suites', async () => {
  const both = everythingOf([policy, smoke, soak]);
  const report = await run(both, new AbleTarget(), rounds(leastRounds + 3));
  expect(report.steps.map(({ title }) => title.split(':')[0])).toEqual(['policy', 'smoke']);
  expect(Object.keys(outcomes(report))).toContain('soak: no growth: endpoints');
  const some = await run(both, new AbleTarget(), { only: 'smoke' });
  expect(some.steps).toHaveLength(1);
});

test('everything: a suite that throws does not keep the others, and what Ctrl-C left out is no pass', async () => {
  const broken: Suite = { ...policy, name: 'broken', run: () => Promise.reject(new TargetFailed('no way')) };
  const failed = await run(everythingOf([broken, smoke]), new AbleTarget());
  expect(failed.steps).toHaveLength(1);
  expect(outcomes(failed)['broken: suite']).toBe('infrastructure-broken');
  const wish = stop();
  const asks: Suite = {
    ...policy,
    name: 'asks',
    run: () => Promise.resolve({ checks: [] }).finally(() => void wish.ask()),
  };
  const ended = await run(everythingOf([asks, smoke]), new AbleTarget(), { stop: wish });
  expect(outcomes(ended)['smoke']).toBe('infrastructure-broken');
});
