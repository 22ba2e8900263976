/** A whole verification: launches the probe tasks, walks the steps of the policy, and gathers the report. */
import type { Cluster } from '../cluster/cluster.ts';
import type { PolicyDocument } from '../policy/document.ts';
import type { PolicyState, Traffic } from '../policy/model.ts';
import type { PolicyHost } from '../policy/network.ts';
import type { Problem } from '../problem/problem.ts';
import { tried } from './converge.ts';
import { worst } from './judge.ts';
import { controlNetwork, controlTier, controls, services } from './plan.ts';
import { randomFrom } from './random.ts';
import type { ProbeTask, Report, StepReport } from './report.ts';
import { anyAddress, anyHost, course, specs, type Step } from './states.ts';
import { take, type Place } from './step.ts';
import type { Scene } from './table.ts';
import { TargetFailed, type Change, type LaunchedTask, type Services, type Target, type TaskSpec } from './target.ts';

export interface Run {
  readonly cluster: Cluster;
  readonly documents: readonly PolicyDocument[];
  /** Step by step, file by file; else all files at once. */
  readonly walk: boolean;
  /** Orders probes and picks samples; printed, so that a run can be repeated. */
  readonly seed: number;
  /** Addresses of nodes, for profiles that name them. */
  readonly host: (node: string) => PolicyHost;
  /** Ids of Docker networks, by name, where a real Docker has given them. */
  readonly id?: (network: string) => string;
  readonly startedAt: Date;
  /** The target is thrown away at the end, or kept to look around in: its tasks need no end of their own. */
  readonly leaveTasks: boolean;
  /** Stages that came before, with their times. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
}

/** Told as the run goes on; a step is complete when it is told. */
export interface Listener {
  stage(name: string): void;
  step(report: Report, index: number): void;
}

/** Never throws for what a target failed to do: the report says so, and no report that could not look is a pass. */
export async function verify(target: Target, run: Run, listener: Listener): Promise<Report> {
  const begin = performance.now();
  const stages = [...run.stages];
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    listener.stage(name);
    const start = performance.now();
    const result = await work();
    stages.push({ name, ms: Math.round(performance.now() - start) });
    return result;
  };
  const before = run.stages.reduce((sum, { ms }) => sum + ms, 0);

  const plan = specs(run.cluster);
  const draft = course(run.cluster, run.documents, run.walk, anyAddress(plan), run.host, run.id);
  const open = services(draft.traffic);
  const wanted = withProfiles([...plan.tasks, ...plan.guards], draft.steps[0]!.state);
  const reports: StepReport[] = [];
  const report = (tasks: readonly LaunchedTask[]): Report => ({
    schema: 'mesos-calico/report/1',
    cluster: run.cluster.name,
    target: run.cluster.target.kind,
    seed: run.seed,
    startedAt: run.startedAt.toISOString(),
    ms: Math.round(before + performance.now() - begin),
    stages,
    standIns: target.standIns,
    real: target.real,
    tasks: tasks.map(({ name, network, node, address: at }): ProbeTask => ({ name, network, node, address: at })),
    timeoutMs: target.timeoutMs,
    steps: reports,
    outcome: worst(reports.map((one) => one.outcome)),
    verdict: verdict(run.cluster.name, tasks, reports),
  });

  const launched = await stage('launch', () => tried(() => start(target, draft.steps[0]!, wanted, open)));
  if (!launched.ok) {
    reports.push(notBegun(draft.steps[0]!, draft.traffic, launched.why));
    listener.step(report([]), 0);
    if (!run.leaveTasks) await cleaned(target, reports);
    return report([]);
  }
  const tasks = launched.value.tasks.slice(0, plan.tasks.length);
  const guards = launched.value.tasks.slice(plan.tasks.length);
  const address = new Map([...tasks, ...guards].map((task) => [task.name, task.address]));
  const { steps, traffic, names } = course(
    run.cluster,
    run.documents,
    run.walk,
    (task) => address.get(task)!,
    run.host,
    run.id,
  );
  const scene: Scene = {
    target,
    tasks,
    guards,
    traffic,
    controls: controls(tasks, guards, open),
    names,
    random: randomFrom(run.seed),
  };

  let at: Place = { expected: undefined, stored: undefined };
  for (const [index, step] of steps.entries()) {
    const previous = at;
    await stage(step.title, async () => {
      const taken = await take(scene, step, previous, launched.value.change);
      at = { expected: step.state, stored: taken.written ? step.state : undefined };
      reports.push(taken.report);
    });
    listener.step(report(tasks), index);
  }
  if (!run.leaveTasks) await stage('clean up', () => cleaned(target, reports));
  return report(tasks);
}

/** What stays behind is a finding of the last step: the next run would meet it. */
async function cleaned(target: Target, reports: StepReport[]): Promise<void> {
  const done = await tried(() => target.cleanUp());
  const last = reports.pop();
  if (last === undefined) return;
  const finding = (why: string): string => `infrastructure-broken: the probe tasks could not be ended: ${why}`;
  reports.push(
    done.ok
      ? last
      : {
          ...last,
          outcome: worst([last.outcome, 'infrastructure-broken']),
          findings: [...last.findings, finding(done.why)],
        },
  );
}

/** Writes the first state of the policy and starts the tasks in it. */
export async function start(
  target: Target,
  { state }: Step,
  wanted: readonly TaskSpec[],
  open: Services,
): Promise<{ tasks: readonly LaunchedTask[]; change: Change }> {
  const change = await target.write([...state.profiles.values()], state.tiers);
  const tasks = await target.launch(wanted, open);
  const missing = wanted.filter(({ name }, index) => tasks[index]?.name !== name).map(({ name }) => name);
  if (missing.length > 0) throw new TargetFailed(`${missing.join(', ')} did not start`);
  return { tasks, change };
}

/** The step of a run whose tasks did not start. */
const notBegun = ({ title, file, commands }: Step, traffic: readonly Traffic[], why: string): StepReport => ({
  title,
  file,
  commands,
  traffic,
  cells: [],
  controls: [],
  expectations: [],
  convergence: undefined,
  outcome: 'infrastructure-broken',
  findings: [`infrastructure-broken: ${why}`],
  ms: 0,
});

export function withProfiles(plan: readonly Omit<TaskSpec, 'profiles'>[], { endpoints }: PolicyState): TaskSpec[] {
  const profiles = new Map(endpoints.map(({ id, profiles: list }) => [id, list]));
  return plan.map((spec) => ({ ...spec, profiles: profiles.get(spec.name)! }));
}

/** Starts the probe tasks and applies the whole policy, without asking anything: a cluster to look around in. */
export async function populate(
  target: Target,
  cluster: Cluster,
  documents: readonly PolicyDocument[],
  host: (node: string) => PolicyHost,
): Promise<void> {
  const plan = specs(cluster);
  const { steps, traffic, names } = course(cluster, documents, false, anyAddress(plan), host);
  const { state } = steps.at(-1)!;
  const own = [...state.profiles.values()].filter(({ name }) => names.get(name)?.name !== controlNetwork);
  const tiers = state.tiers?.filter(({ name }) => name !== controlTier);
  const change = await target.write(own, tiers);
  await target.launch(withProfiles(plan.tasks, state), services(traffic));
  await target.programmed(change, target.neverMs);
}

/** Checks a description's policy without any machine; throws a Refusal with every problem, and gives what is odd. */
export function checkPolicy(cluster: Cluster, documents: readonly PolicyDocument[]): readonly Problem[] {
  return course(cluster, documents, true, anyAddress(specs(cluster)), anyHost(cluster)).warnings;
}

function verdict(name: string, tasks: readonly LaunchedTask[], steps: readonly StepReport[]): string {
  const cells = steps.flatMap((step) => step.cells);
  const right = cells.filter((cell) => cell.outcome === 'pass').length;
  const of = `${right} of ${cells.length} probes between ${tasks.length} tasks in ${steps.length} ${steps.length === 1 ? 'state' : 'states'} of the policy`;
  switch (worst(steps.map((step) => step.outcome))) {
    case 'pass':
      return `${name}: the network does what the policy says: ${of} as expected.`;
    case 'slow':
      return `${name}: right, but too late: ${of} as expected in time.`;
    case 'policy-wrong':
      return `${name}: the network does NOT do what the policy says: only ${of} as expected.`;
    case 'infrastructure-broken':
      return `${name}: could not find out, something under the policy is broken: ${of} as expected.`;
  }
}
