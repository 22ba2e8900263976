/** One suite from its beginning to its end: what was there, the tasks, the suite, the end of the tasks, what is left. */
import { tried } from '../converge.ts';
import { worst } from '../judge.ts';
import type { Check, Report, StepReport } from '../report.ts';
import type { Listener, Run } from '../run.ts';
import type { LaunchedTask, Target } from '../target.ts';
import { open } from './deck.ts';
import { hold } from './lease.ts';
import { leftBehind } from './leaks.ts';
import { gaveUp, type Found, type Suite, type Wish } from './suite.ts';

export interface SuiteRun extends Omit<Run, 'walk'> {
  readonly wish: Wish;
  /** Who runs it, for the others: unique, and told to whoever has to wait. */
  readonly holder?: string;
  /** How long another verification is waited for, milliseconds. */
  readonly waitMs?: number;
}

/** After it the lease of a run that was killed ends, seconds. */
export const ttlSeconds = 15;

/** As of a run, and how far the stage is. */
export interface SuiteListener extends Listener {
  note(text: string): void;
}

/**
 * Never throws for what a target failed to do: the report says so, and no report that could not look is a pass. Throws a
 * Refusal when another verification has the cluster.
 */
export async function runSuite(target: Target, suite: Suite, run: SuiteRun, listener: SuiteListener): Promise<Report> {
  const { lease } = target;
  if (lease === undefined || run.holder === undefined) return guarded(target, suite, run, listener);
  const waiting = (who: string): void => {
    listener.stage(`wait for ${who}`);
  };
  const held = await hold(lease, run.holder, { waitMs: run.waitMs ?? 0, ttlSeconds, waiting });
  try {
    const report = await guarded(target, suite, run, listener);
    const other = held.lostTo();
    if (other === undefined) return report;
    const checks = [...(report.checks ?? []), gaveUp('alone', `${other} took the lease of this cluster meanwhile`)];
    return { ...report, ...body(run.cluster.name, suite, { ...report, checks }) };
  } finally {
    await held.end();
  }
}

async function guarded(target: Target, suite: Suite, run: SuiteRun, listener: SuiteListener): Promise<Report> {
  const begin = performance.now();
  const earlier = run.stages.reduce((sum, { ms }) => sum + ms, 0);
  const stages = [...run.stages];
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    listener.stage(name);
    const start = performance.now();
    const result = await work();
    stages.push({ name, ms: Math.round(performance.now() - start) });
    return result;
  };
  const report = (tasks: readonly LaunchedTask[], found: Found): Report => ({
    ...head(target, suite, run),
    ms: Math.round(earlier + performance.now() - begin),
    stages,
    tasks: tasks.map(({ name, network, node, address }) => ({ name, network, node, address })),
    ...body(run.cluster.name, suite, found),
  });

  const seen = target.views && (await stage('look around', () => tried(target.views!)));
  const before = seen?.ok === true ? seen.value : undefined;
  const note = (text: string): void => listener.note(text);
  const opened = await stage('launch', () =>
    tried(() => open(target, { ...run, walk: false }, run.wish, before, note)),
  );
  let tasks: readonly LaunchedTask[] = [];
  let found: Found = { checks: [] };
  if (opened.ok) {
    tasks = opened.value.tasks;
    const done = await stage(suite.name, () => tried(() => suite.run(opened.value)));
    found = done.ok ? done.value : { checks: [gaveUp(suite.name, done.why)] };
    for (const index of (found.steps ?? []).keys()) listener.step(report(tasks, found), index);
  } else found = { checks: [gaveUp('launch', `the probe tasks did not start: ${opened.why}`)] };
  if (run.leaveTasks) return report(tasks, found);

  const end = await stage('clean up', async () => {
    const ended = await tried(() => target.cleanUp());
    if (!ended.ok) return [gaveUp('clean up', `the probe tasks could not be ended: ${ended.why}`)];
    return target.views === undefined ? [] : leftBehind(target, before, target.neverMs);
  });
  const blind = target.views === undefined ? ['what is left behind: the target cannot list what tasks leave'] : [];
  return report(tasks, {
    ...found,
    checks: [...found.checks, ...end],
    untried: [...(found.untried ?? []), ...blind],
  });
}

const head = ({ standIns, real, timeoutMs }: Target, { name }: Suite, { cluster, seed, startedAt }: SuiteRun) => ({
  schema: 'mesos-calico/report/1' as const,
  cluster: cluster.name,
  target: cluster.target.kind,
  suite: name,
  seed,
  startedAt: startedAt.toISOString(),
  standIns,
  real,
  timeoutMs,
});

function body(cluster: string, { name }: Suite, { checks, steps = [], untried = [] }: Found) {
  const outcome = worst([...steps, ...checks].map((one) => one.outcome));
  const how = {
    pass: 'all is as it must be',
    slow: 'right, but too late',
    'policy-wrong': 'the network does NOT do what the policy says',
    'infrastructure-broken': 'something under the policy is broken, or could not be found out',
  }[outcome];
  const verdict = `${cluster}: ${name}: ${how}: ${[...counted(steps), ...passed(checks)].join(', ') || 'nothing was looked at'}.`;
  return { steps, checks, untried, outcome, verdict };
}

function counted(steps: readonly StepReport[]): string[] {
  const cells = steps.flatMap((step) => step.cells);
  return steps.length === 0 ? [] : [`${cells.filter(isFine).length} of ${cells.length} probes as expected`];
}

const passed = (checks: readonly Check[]): string[] =>
  checks.length === 0 ? [] : [`${checks.filter(isFine).length} of ${checks.length} checks good`];

const isFine = ({ outcome }: Pick<Check, 'outcome'>): boolean => outcome === 'pass';
