/** A whole verification: launches the probe tasks, walks the steps of the policy, and gathers the report. */
import type { Cluster } from '../cluster/cluster.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { compileState } from '../policy/evaluate.ts';
import { resolveExpect } from '../policy/expect.ts';
import { diff, matrixOf, type MatrixDiff } from '../policy/matrix.ts';
import type { PolicyState } from '../policy/model.ts';
import type { PolicyHost } from '../policy/network.ts';
import { probeable } from '../policy/traffic.ts';
import { converge, type Converged } from './converge.ts';
import { findings, worst } from './judge.ts';
import { controls, services } from './plan.ts';
import { randomFrom } from './random.ts';
import type { Cell, ExpectationReport, Outcome, ProbeTask, Report, StepReport } from './report.ts';
import { course, specs, type Step } from './states.ts';
import { table, type Scene } from './table.ts';
import { TargetFailed, type LaunchedTask, type Target, type TaskSpec } from './target.ts';

export interface Run {
  readonly cluster: Cluster;
  readonly documents: readonly PolicyDocument[];
  /** Step by step, file by file; else all files at once. */
  readonly walk: boolean;
  /** Orders probes and picks samples; printed, so that a run can be repeated. */
  readonly seed: number;
  /** Addresses of nodes, for profiles that name them. */
  readonly host: (node: string) => PolicyHost;
  readonly startedAt: Date;
  /** Stages that came before, with their times. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
}

/** Told as the run goes on; a step is complete when it is told. */
export interface Listener {
  stage(name: string): void;
  step(report: Report, index: number): void;
}

/** Rounds in which a change is watched: short, since they bound the resolution of its times. Milliseconds. */
const roundMs = 60;

/** Tasks that this run started are removed again, however it ends. */
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
  const draft = course(run.cluster, run.documents, run.walk, placeholder(plan), run.host);
  const open = services(draft.traffic);
  const profiles = new Map(draft.steps[0]!.state.endpoints.map(({ id, profiles: list }) => [id, list]));
  const withProfiles = (spec: Omit<TaskSpec, 'profiles'>): TaskSpec => ({
    ...spec,
    profiles: profiles.get(spec.name)!,
  });

  const { tasks, guards, first } = await stage('launch', async () => {
    const change = await target.write([...draft.steps[0]!.state.profiles.values()]);
    const launched = await target.launch([...plan.tasks, ...plan.guards].map(withProfiles), open);
    return {
      tasks: launched.slice(0, plan.tasks.length),
      guards: launched.slice(plan.tasks.length),
      first: change,
    };
  });
  const address = new Map([...tasks, ...guards].map((task) => [task.name, task.address]));
  const { steps, traffic, names } = course(
    run.cluster,
    run.documents,
    run.walk,
    (task) => address.get(task)!,
    run.host,
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

  const reports: StepReport[] = [];
  const report = (): Report => ({
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

  let state: PolicyState | undefined;
  for (const [index, step] of steps.entries()) {
    await stage(step.title, async () => reports.push(await take(scene, step, state, first)));
    state = step.state;
    listener.step(report(), index);
  }
  return report();

  /** One step: from `previous` (none for the first) to the step's own state, then its table. */
  async function take(
    at: Scene,
    step: Step,
    previous: PolicyState | undefined,
    change: { index: number },
  ): Promise<StepReport> {
    const start = performance.now();
    const converged = previous === undefined ? undefined : await move(at, previous, step.state);
    const behind = converged ? converged.behind : (await target.programmed(change, 10_000)).behind;
    const seen = await table(at, compileState(step.state), behind);
    const expectations = step.expectations.map((one) => hold(one, at, seen.cells));
    const outcome = worst([
      ...seen.cells.map((cell) => cell.outcome),
      ...(seen.controls.every((control) => control.observed === control.expected)
        ? []
        : ['infrastructure-broken' as const]),
      ...(converged ? [converged.convergence.outcome] : []),
      // Whether packets agree is the cells' business; a person and the policy that disagree are neither's.
      ...expectations.flatMap((one): Outcome[] => (one.evaluatorAgrees ? [] : ['policy-wrong'])),
      ...(seen.cells.length === 0 ? ['infrastructure-broken' as const] : []),
    ]);
    return {
      title: step.title,
      file: step.file,
      commands: step.commands,
      traffic,
      cells: seen.cells,
      controls: seen.controls,
      expectations,
      convergence: converged?.convergence,
      outcome,
      findings: [
        ...(converged?.convergence.note === undefined
          ? []
          : [`${converged.convergence.outcome}: ${converged.convergence.note}`]),
        ...expectations
          .filter((one) => !one.evaluatorAgrees)
          .map((one) => `policy-wrong: ${one.where}: "${one.text}" is not what the policy says`),
        ...findings(seen.cells, seen.controls, {
          task: (task) => tasks[task]!.name,
          network: (task) => tasks[task]!.network,
          node: (task) => tasks[task]!.node,
          traffic: (kind) => traffic[kind]!.name,
        }),
        ...(seen.cells.length === 0 ? ['infrastructure-broken: there was nothing to probe'] : []),
      ],
      ms: Math.round(performance.now() - start),
    };
  }

  async function move(at: Scene, previous: PolicyState, next: PolicyState): Promise<Converged> {
    const changed = [...next.profiles.values()].filter(
      (profile) => JSON.stringify(previous.profiles.get(profile.name)) !== JSON.stringify(profile),
    );
    const cells = probed(at, diff(matrixOf(previous, traffic), matrixOf(next, traffic)));
    try {
      return await converge(at, cells, () => target.write(changed), roundMs);
    } catch (error) {
      if (!(error instanceof TargetFailed)) throw error;
      const none = { cells: 0, sampled: 0, slowestMs: undefined };
      const convergence = { opened: none, closed: none, programmedMs: undefined, budgetMs: target.budgetMs };
      return { behind: [], convergence: { ...convergence, outcome: 'infrastructure-broken', note: error.message } };
    }
  }
}

/** Starts the probe tasks and applies the whole policy, without asking anything: a cluster to look around in. */
export async function populate(
  target: Target,
  cluster: Cluster,
  documents: readonly PolicyDocument[],
  host: (node: string) => PolicyHost,
): Promise<void> {
  const plan = specs(cluster);
  const { steps, traffic } = course(cluster, documents, false, placeholder(plan), host);
  const { state } = steps.at(-1)!;
  const profiles = new Map(state.endpoints.map(({ id, profiles: list }) => [id, list]));
  const change = await target.write([...state.profiles.values()]);
  const tasks = plan.tasks.map((spec) => ({ ...spec, profiles: profiles.get(spec.name)! }));
  await target.launch(tasks, services(traffic));
  await target.programmed(change, 10_000);
}

/** Checks a description's policy without any machine; throws a Refusal with every problem. */
export function checkPolicy(cluster: Cluster, documents: readonly PolicyDocument[]): void {
  const host = (node: string): PolicyHost => ({ name: node, address: '192.0.2.1' });
  course(cluster, documents, true, placeholder(specs(cluster)), host);
}

/** Addresses from the documentation range and beyond, one for each task: only to have a complete state. */
function placeholder({ tasks, guards }: ReturnType<typeof specs>): (task: string) => string {
  const index = new Map([...tasks, ...guards].map((task, at) => [task.name, at]));
  return (task) => {
    const at = index.get(task) ?? 0;
    return `198.18.${(at >> 8) & 255}.${at & 255}`;
  };
}

/** Cells between probe tasks, in classes that can be probed: those of the control tasks are not policy's business. */
function probed({ tasks, traffic }: Scene, { opened, closed }: MatrixDiff): MatrixDiff {
  const mine = ({ from, to, traffic: kind }: MatrixDiff['opened'][number]): boolean =>
    from < tasks.length && to < tasks.length && probeable(traffic[kind]!);
  return { opened: opened.filter(mine), closed: closed.filter(mine) };
}

function hold(
  { text, where, parsed }: Step['expectations'][number],
  { tasks, traffic }: Scene,
  cells: readonly Cell[],
): ExpectationReport {
  const index = new Map(cells.map((cell, at) => [`${cell.from} ${cell.to} ${cell.traffic}`, at]));
  const own = resolveExpect(parsed, tasks, traffic)
    .map((cell) => index.get(`${cell.from} ${cell.to} ${cell.traffic}`))
    .filter((at) => at !== undefined);
  return {
    text,
    where,
    cells: own,
    // An expectation that speaks of nothing has not been met.
    evaluatorAgrees: own.length > 0 && own.every((at) => cells[at]!.expected === parsed.action),
    packetsAgree:
      own.length > 0 && own.every((at) => cells[at]!.observed === (parsed.action === 'allow' ? 'open' : 'dropped')),
  };
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
