/** Suites on a cluster in memory: names, plans, and what a target that lacks something is told. */
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../../modules/problem/problem.ts';
import { asked } from '../../../modules/verify/suite/deck.ts';
import { leaks } from '../../../modules/verify/suite/leaks.ts';
import { suiteOf, suites } from '../../../modules/verify/suite/list.ts';
import { planText } from '../../../modules/verify/suite/plan.ts';
import { policy } from '../../../modules/verify/suite/policy.ts';
import { runSuite } from '../../../modules/verify/suite/run.ts';
import { wanted, type Suite, type Wish } from '../../../modules/verify/suite/suite.ts';
import { document, FakeTarget, fails, oneWay, smallCluster, type Script } from './fake.ts';

const run = (suite: Suite, script: Script = {}, wish: Wish = {}, target = new FakeTarget(script)) =>
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

test('a suite that nobody knows is refused, with the one that was meant', () => {
  expect(() => suiteOf('leak')).toThrow(Refusal);
  expect(() => suiteOf('leak')).toThrow('Did you mean leaks?');
});

test('names are unique, and each suite finds itself by its name', () => {
  for (const suite of suites) expect(suiteOf(suite.name)).toBe(suite);
  expect(new Set(suites.map(({ name }) => name)).size).toBe(suites.length);
});

describe('--only', () => {
  test('takes what has the pattern in it, stars stand for anything, and points are points', () => {
    expect(wanted({ only: 'client*backend' })('client@general-1 -> backend@general-2 tcp 9000')).toBe(true);
    expect(wanted({ only: 'BACKEND' })('backend@general-2')).toBe(true);
    expect(wanted({ only: 'a.c' })('abc')).toBe(false);
    expect(wanted({})('anything')).toBe(true);
  });

  test('policy: only these cells are asked, by name', async () => {
    const report = await run(policy, {}, { only: 'client@general-1 -> backend*tcp 9000' });
    expect(report.steps[0]!.cells).toHaveLength(3);
    expect(report.outcome).toBe('pass');
  });

  test('a pattern that no cell has is no pass', async () => {
    expect((await run(policy, {}, { only: 'nobody' })).outcome).toBe('infrastructure-broken');
  });
});

describe('what a target cannot do', () => {
  test('leaks on a target without views cannot be tried, and does not pass', async () => {
    const report = await run(leaks);
    expect(report.outcome).toBe('infrastructure-broken');
    expect(report.checks![0]!.seen).toContain('cannot be tried here');
  });

  test('policy on a target without views is judged all the same, and says what was not tried', async () => {
    const report = await run(policy);
    expect(report.outcome).toBe('pass');
    expect(report.untried!.join()).toContain('cannot list what tasks leave');
  });

  test('tasks that do not start, and tasks that do not end, are no pass', async () => {
    const lost = await run(policy, { launch: () => fails('no offers') });
    expect(lost.outcome).toBe('infrastructure-broken');
    expect(lost.checks![0]!.seen).toContain('no offers');
    const stuck = await run(policy, { cleanUp: () => fails('they stay') });
    expect(stuck.outcome).toBe('infrastructure-broken');
    expect(stuck.checks!.at(-1)!.seen).toContain('they stay');
  });
});

describe('--dry-run', () => {
  test('says what would be done, for every suite', () => {
    for (const suite of suites) {
      const text = planText(suite, asked({ cluster: smallCluster(), documents: [document(oneWay)] }, {}));
      expect(text).toContain(`${suite.name}: `);
      expect(text).toContain('6 in 2 networks on 3 hosts, and 6 control tasks');
    }
  });

  test('counts the probes of the matrix, and of a part of it', () => {
    const plan = (wish: Wish) => policy.plan(asked({ cluster: smallCluster(), documents: [document(oneWay)] }, wish));
    expect(plan({}).probes).toBe(120);
    expect(plan({ only: 'client@general-1 -> backend*tcp 9000' }).probes).toBe(3);
  });
});
