/** One table: controls, every cell, controls again, and the judgement of each cell. */
import { packetOf } from '../policy/traffic.ts';
import type { Evaluator } from '../policy/evaluate.ts';
import type { Because, Decision, SideDecision, Traffic } from '../policy/model.ts';
import { displayName, displayRule, type Names } from '../policy/names.ts';
import { doubts, judge, type Question } from './judge.ts';
import { cellsOf, probeOf, type ControlPlan } from './plan.ts';
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
}

export interface Table {
  readonly cells: readonly Cell[];
  readonly controls: readonly Control[];
  readonly timeoutMs: number;
}

/** Expected from the evaluator, observed from packets. `behind`: nodes whose agent is known not to be up to date. */
export async function table(scene: Scene, evaluator: Evaluator, behind: readonly string[]): Promise<Table> {
  const { tasks, traffic } = scene;
  const packets = traffic.map(packetOf);
  const questions = cellsOf(tasks.length, traffic).map((cell) => ({
    ...cell,
    decision: evaluator.decide(tasks[cell.from]!.name, tasks[cell.to]!.name, packets[cell.traffic]!),
  }));
  const first = await look(scene, questions, behind);
  const wrong = questions.filter((_, index) => first.cells[index]!.outcome !== 'pass');
  if (wrong.length === 0) return first;
  // A second look tells late from wrong. It never turns a cell green: what was wrong once is at least slow.
  const second = await look(scene, wrong, behind);
  const again = new Map(wrong.map((question, index) => [question, second.cells[index]!]));
  const cells = questions.map((question, index) => {
    const before = first.cells[index]!;
    const after = again.get(question);
    if (after?.outcome !== 'pass') return before;
    const { note, ...rest } = before;
    const was = `first ${before.observed}${note === undefined ? '' : ` (${note})`}`;
    return {
      ...rest,
      observed: after.observed,
      ms: after.ms,
      outcome: 'slow' as const,
      note: `${was}, right at the second look`,
    };
  });
  return { ...first, cells, controls: [...first.controls, ...second.controls] };
}

async function look(scene: Scene, questions: readonly Question[], behind: readonly string[]): Promise<Table> {
  const { tasks, traffic, target, random } = scene;
  const before = await ask(scene, 'before', target.timeoutMs);
  const timeoutMs = timeout(target.timeoutMs, before);
  const order = shuffled([...questions.keys()], random);
  const probes = order.map((index) => {
    const { from, to, traffic: one, decision } = questions[index]!;
    return probeOf(tasks[from]!.name, tasks[to]!, traffic[one]!, decision.allow);
  });
  const seen: Observation[] = [];
  const answers = await send(target, probes, timeoutMs);
  for (const [at, index] of order.entries()) seen[index] = answers[at]!;
  const after = await ask(scene, 'after', timeoutMs);

  const all = [...before, ...after];
  const node = new Map([...tasks, ...scene.guards].map((task) => [task.name, task.node]));
  const doubt = doubts(all, (name) => node.get(name) ?? name, behind);
  const shown = new Map<Decision, Decision>();
  const cells = questions.map(({ from, to, traffic: one, decision }, index): Cell => {
    const [source, sink, kind] = [tasks[from]!, tasks[to]!, traffic[one]!];
    const port = kind.protocol === 'icmp' ? 0 : kind.port;
    const why = doubt.of(source.name, source.node, sink.name, sink.node, kind.protocol, port);
    const expected = decision.allow ? 'allow' : 'deny';
    let because = shown.get(decision);
    if (!because) shown.set(decision, (because = forPeople(decision, scene.names)));
    return {
      from,
      to,
      traffic: one,
      expected,
      because,
      ms: seen[index]!.ms,
      ...judge(decision.allow, seen[index]!, why),
    };
  });
  return { cells, controls: all, timeoutMs };
}

/** Ten times what the slowest percent of the controls took, and never less than the target's own time-out. */
function timeout(least: number, controls: readonly Control[]): number {
  const times = controls.filter((control) => control.observed === 'open').map((control) => control.ms);
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  return Math.max(least, Math.ceil(10 * p99));
}

async function ask({ target, controls }: Scene, when: Control['when'], timeoutMs: number): Promise<Control[]> {
  const answers = await send(
    target,
    controls.map((control) => control.probe),
    timeoutMs,
  );
  return controls.map(({ kind, from, to, traffic, expected }, index) => {
    const { verdict, ms } = answers[index]!;
    return { kind, from, to, traffic, expected, observed: verdict, ms, when };
  });
}

/** A prober that fails breaks every probe that it was asked; it does not end the run, and nothing of it passes. */
async function send(target: Target, probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
  const broken = (note: string): Observation => ({ verdict: 'broken', ms: 0, startMs: 0, arrived: false, note });
  try {
    const answers = await target.probe(probes, timeoutMs);
    return probes.map((_, index) => answers[index] ?? broken('the probe was not answered for'));
  } catch (error) {
    if (!(error instanceof TargetFailed)) throw error;
    return probes.map(() => broken(error.message));
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
    case 'no rule matched':
      return { ...reason, profiles: reason.profiles.map((name) => displayName(names, name)) };
    case 'missing profile':
      return { ...reason, profile: displayName(names, reason.profile) };
    case 'no profile':
    case 'not an endpoint':
    case 'own address':
      return reason;
  }
}
