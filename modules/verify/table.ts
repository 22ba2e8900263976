/** One table: controls, every cell, controls again, and the judgement of each cell. */
import { packetOf } from '../policy/traffic.ts';
import type { Evaluator } from '../policy/evaluate.ts';
import type { Because, Decision, SideDecision, Traffic } from '../policy/model.ts';
import { displayName, displayRule, type Names } from '../policy/names.ts';
import { doubts } from './doubt.ts';
import { judge, type Question } from './judge.ts';
import { cellsOf, probeOf, trafficOf, type ControlPlan } from './plan.ts';
import { shuffled, type Random } from './random.ts';
import type { Cell, Control } from './report.ts';
import { TargetFailed, type LaunchedTask, type Observation, type Probe, type Target } from './target.ts';

/** What stays the same from table to table. */
export interface Scene {
  readonly target: Target;
  readonly tasks: readonly LaunchedTask[];
  readonly guards: readonly LaunchedTask[];
  readonly traffic: readonly Traffic[];
  readonly controls: readonly ControlPlan[];
  readonly names: Names;
  readonly random: Random;
  /** Only these; every cell where it is left out. */
  readonly cells?: ReturnType<typeof cellsOf>;
}

export interface Table {
  readonly cells: readonly Cell[];
  readonly controls: readonly Control[];
}

/** Expected from the evaluator, observed from packets. `behind`: by node, why its policy may not be the expected one. */
export async function table(scene: Scene, evaluator: Evaluator, behind: ReadonlyMap<string, string>): Promise<Table> {
  const { tasks, traffic } = scene;
  const packets = traffic.map(packetOf);
  const questions = (scene.cells ?? cellsOf(tasks.length, traffic)).map((cell) => ({
    ...cell,
    decision: evaluator.decide(tasks[cell.from]!.name, tasks[cell.to]!.name, packets[cell.traffic]!),
  }));
  const first = await look(scene, questions, behind);
  const wrong = questions.filter((_, index) => first.cells[index]!.outcome !== 'pass');
  // A prober that does not answer would not answer twice.
  if (wrong.length === 0 || first.failed) return first;
  const second = await look(scene, wrong, behind);
  const again = new Map(wrong.map((question, index) => [question, second.cells[index]!]));
  const cells = questions.map((question, index) => both(first.cells[index]!, again.get(question)));
  return { ...first, cells, controls: [...first.controls, ...second.controls] };
}

/**
 * A second look tells late from wrong, and wrong from unknown. It never turns a cell green: what was wrong once is at
 * least slow, and what could not be told at first was not told in time.
 */
function both(first: Cell, second: Cell | undefined): Cell {
  if (second === undefined) return first;
  if (second.outcome === 'pass') {
    const { note, ...rest } = first;
    const was = `first ${first.observed}${note === undefined ? '' : ` (${note})`}, right at the second look`;
    const outcome = first.outcome === 'policy-wrong' ? 'slow' : first.outcome;
    return { ...rest, observed: second.observed, ms: second.ms, outcome, note: was };
  }
  return first.outcome === 'infrastructure-broken' && second.outcome === 'policy-wrong' ? second : first;
}

interface Look extends Table {
  /** The target itself gave up on some of the probes. */
  readonly failed: boolean;
}

async function look(scene: Scene, questions: readonly Question[], behind: ReadonlyMap<string, string>): Promise<Look> {
  const { tasks, traffic, target, random } = scene;
  const before = await ask(scene, 'before', target.timeoutMs, undefined);
  const timeoutMs = timeout(target.timeoutMs, before.controls);
  const order = shuffled([...questions.keys()], random);
  const probes = order.map((index) => {
    const { from, to, traffic: one, decision } = questions[index]!;
    return probeOf(tasks[from]!.name, tasks[to]!, traffic[one]!, decision.allow);
  });
  const seen: Observation[] = [];
  const main = await send(target, probes, timeoutMs, before.failed);
  for (const [at, index] of order.entries()) seen[index] = main.answers[at]!;
  const after = await ask(scene, 'after', timeoutMs, main.failed);

  const all = [...before.controls, ...after.controls];
  const node = new Map([...tasks, ...scene.guards].map((task) => [task.name, task.node]));
  const doubt = doubts(all, (name) => node.get(name) ?? name, behind);
  const shown = new Map<Decision, Decision>();
  const cells = questions.map(({ from, to, traffic: one, decision }, index): Cell => {
    const [source, sink, kind] = [tasks[from]!, tasks[to]!, traffic[one]!];
    const { ms, ...observed } = seen[index]!;
    const way = {
      from: source.name,
      fromNode: source.node,
      to: sink.name,
      toNode: sink.node,
      traffic: trafficOf(kind.protocol, kind.protocol === 'icmp' ? 0 : kind.port),
    };
    let because = shown.get(decision);
    if (!because) shown.set(decision, (because = forPeople(decision, scene.names)));
    return {
      from,
      to,
      traffic: one,
      expected: decision.allow ? 'allow' : 'deny',
      because,
      ms,
      ...judge(decision.allow, observed, doubt(way)),
    };
  });
  return { cells, controls: all, failed: after.failed !== undefined };
}

/**
 * Ten times what the slowest percent of the controls took, and never less than the target's own time-out. Nor more than
 * ten of it: a control that answered later was held up by a machine that did not let it run, which the prober sees.
 */
function timeout(least: number, controls: readonly Control[]): number {
  const times = controls.filter((control) => control.observed === 'open').map((control) => control.ms);
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  return Math.max(least, Math.ceil(10 * Math.min(p99, least)));
}

interface Asked {
  readonly controls: readonly Control[];
  /** Why the target gave up, if it did. */
  readonly failed: string | undefined;
}

async function ask(
  { target, controls }: Scene,
  when: Control['when'],
  timeoutMs: number,
  failedBefore: string | undefined,
): Promise<Asked> {
  const probes = controls.map((control) => control.probe);
  const { answers, failed } = await send(target, probes, timeoutMs, failedBefore);
  return {
    failed,
    controls: controls.map(({ kind, from, to, traffic, expected }, index) => {
      const { verdict, ms, note } = answers[index]!;
      const said = note === undefined ? {} : { note };
      return { kind, from, to, traffic, expected, observed: verdict, ms, when, ...said };
    }),
  };
}

/**
 * A prober that fails breaks every probe that it was asked; it does not end the run, and nothing of it passes. Once it
 * has failed it is not asked again in this look: each time would cost the whole limit.
 */
async function send(
  target: Target,
  probes: readonly Probe[],
  timeoutMs: number,
  failedBefore: string | undefined,
): Promise<{ answers: readonly Observation[]; failed: string | undefined }> {
  const broken = (note: string): Observation => ({ verdict: 'broken', ms: 0, startMs: 0, arrived: false, note });
  const all = (failed: string) => ({ answers: probes.map(() => broken(failed)), failed });
  if (failedBefore !== undefined) return all(failedBefore);
  try {
    const answers = await target.probe(probes, timeoutMs);
    return {
      answers: probes.map((_, index) => answers[index] ?? broken('the probe was not answered for')),
      failed: undefined,
    };
  } catch (error) {
    if (!(error instanceof TargetFailed)) throw error;
    return all(error.message);
  }
}

/** The same decision with the names that people gave to networks. */
function forPeople(decision: Decision, names: Names): Decision {
  return { allow: decision.allow, outbound: side(decision.outbound, names), inbound: side(decision.inbound, names) };
}

const side = (decision: SideDecision, names: Names): SideDecision => ({
  ...decision,
  because: because(decision.because, names),
});

function because(reason: Because, names: Names): Because {
  switch (reason.kind) {
    case 'rule':
      return { ...reason, profile: displayName(names, reason.profile), rule: displayRule(names, reason.rule) };
    case 'policy rule':
      return { ...reason, rule: displayRule(names, reason.rule) };
    case 'no rule matched':
      return { ...reason, profiles: reason.profiles.map((name) => displayName(names, name)) };
    case 'missing profile':
      return { ...reason, profile: displayName(names, reason.profile) };
    case 'no policy passed':
    case 'no profile':
    case 'inactive':
    case 'not an endpoint':
    case 'own address':
    case 'own host':
    case 'to own host':
      return reason;
  }
}
