/** One step of a walk: the change of policy, timed; the table in the new state; and what people wrote about it. */
import { isDeepStrictEqual } from 'node:util';
import { compileState, type Evaluator } from '../policy/evaluate.ts';
import { resolveExpect } from '../policy/syntax/expect.ts';
import { diff, matrixOf, type MatrixDiff } from '../policy/matrix/matrix.ts';
import type { PolicyState } from '../policy/model.ts';
import { packetOf, probeable } from '../policy/traffic.ts';
import { converge, everywhere, judgeChange, lagging, tried, type Watched } from './converge.ts';
import { isGood } from './doubt.ts';
import { findings } from './findings.ts';
import { worst } from './judge.ts';
import type { Cell, ExpectationReport, Outcome, StepReport } from './report.ts';
import type { Step } from './states.ts';
import { table, type Scene } from './table.ts';
import type { Change } from './target.ts';

/** Rounds in which a change is watched: short, since they bound the resolution of its times. Milliseconds. */
const roundMs = 60;

/** Where a walk is: the policy that is expected, and the one that the datastore surely holds. */
export interface Place {
  readonly expected: PolicyState | undefined;
  readonly stored: PolicyState | undefined;
}

/** One step: from where the walk is (nowhere, for the first) to the step's own state, then its table. */
export async function take(
  scene: Scene,
  step: Step,
  place: Place,
  first: Change,
): Promise<{ report: StepReport; written: boolean }> {
  const start = performance.now();
  const { target, tasks, traffic } = scene;
  const watched =
    place.expected === undefined ? undefined : await move(scene, place.expected, place.stored, step.state);
  const behind = watched?.behind ?? (await settled(scene, first));
  const evaluator = compileState(step.state);
  const { cells, controls: asked } = await table(scene, evaluator, behind);
  const convergence = watched && judgeChange(watched, cells, scene);
  const expectations = step.expectations.map((one) => hold(one, scene, evaluator, cells));
  const other: string[] = [
    ...(convergence?.note === undefined ? [] : [`${convergence.outcome}: ${convergence.note}`]),
    // A change says it in its own note.
    ...(watched ? [] : [...new Set(behind.values())].map((why) => `infrastructure-broken: ${why}`)),
    ...(cells.length === 0 ? ['infrastructure-broken: there was nothing to probe'] : []),
    ...(asked.length === 0 ? ['infrastructure-broken: no control was run'] : []),
  ];
  return {
    written: watched?.written ?? true,
    report: {
      title: step.title,
      file: step.file,
      commands: step.commands,
      traffic,
      cells,
      controls: asked,
      expectations,
      convergence,
      outcome: worst([
        // Nothing probed and nothing asked is nothing known.
        worst(cells.map((cell) => cell.outcome)),
        worst(asked.map((control) => (isGood(control) ? 'pass' : 'infrastructure-broken'))),
        ...(behind.size > 0 ? ['infrastructure-broken' as const] : []),
        ...(convergence ? [convergence.outcome] : []),
        // Whether packets agree is the cells' business; a person and the policy that disagree are neither's.
        ...expectations.flatMap((one): Outcome[] => (one.evaluatorAgrees ? [] : ['policy-wrong'])),
      ]),
      findings: [
        ...other,
        ...expectations.flatMap(unmet),
        ...findings(cells, asked, {
          task: (task) => tasks[task]!.name,
          network: (task) => tasks[task]!.network,
          node: (task) => tasks[task]!.node,
          traffic: (kind) => traffic[kind]!.name,
        }),
      ],
      ms: Math.round(performance.now() - start),
    },
  };

  /** Nodes that have not programmed what the run began with. */
  async function settled(at: Scene, change: Change): Promise<ReadonlyMap<string, string>> {
    const programmed = await tried(() => target.programmed(change, target.neverMs));
    if (programmed.ok) return lagging(programmed.value);
    return everywhere(at, `it is not known whether the policy is programmed: ${programmed.why}`);
  }
}

/** From one policy to the next, watched; `stored` is what the datastore surely holds. */
export async function move(
  scene: Scene,
  previous: PolicyState,
  stored: PolicyState | undefined,
  next: PolicyState,
): Promise<Watched> {
  const { target, traffic } = scene;
  const changed = [...next.profiles.values()].filter(
    (profile) => JSON.stringify(stored?.profiles.get(profile.name)) !== JSON.stringify(profile),
  );
  const tiers = (next.tiers ?? []).filter((tier) => !(stored?.tiers ?? []).some((one) => isDeepStrictEqual(one, tier)));
  const cells = probed(scene, diff(matrixOf(previous, traffic), matrixOf(next, traffic)));
  return converge(scene, cells, () => target.write(changed, tiers), roundMs);
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
  evaluator: Evaluator,
  cells: readonly Cell[],
): ExpectationReport {
  const allow = parsed.action === 'allow';
  const index = new Map(cells.map((cell, at) => [`${cell.from} ${cell.to} ${cell.traffic}`, at]));
  const meant = resolveExpect(parsed, tasks, traffic);
  const own = meant
    .map((cell) => index.get(`${cell.from} ${cell.to} ${cell.traffic}`))
    .filter((at) => at !== undefined);
  return {
    text,
    where,
    cells: own,
    // An expectation that speaks of nothing has not been met. The evaluator answers for what no prober can send, too.
    evaluatorAgrees:
      own.length > 0 &&
      meant.every(
        ({ from, to, traffic: kind }) =>
          evaluator.allows(tasks[from]!.name, tasks[to]!.name, packetOf(traffic[kind]!)) === allow,
      ),
    packetsAgree: own.length > 0 && own.every((at) => cells[at]!.observed === (allow ? 'open' : 'dropped')),
  };
}

function unmet({ text, where, cells, evaluatorAgrees }: ExpectationReport): string[] {
  if (evaluatorAgrees) return [];
  const why = cells.length === 0 ? 'speaks of nothing that could be probed' : 'is not what the policy says';
  return [`policy-wrong: ${where}: "${text}" ${why}`];
}
