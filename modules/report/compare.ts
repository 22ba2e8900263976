/** Two reports of one cluster, the earlier and the later: what became worse, what better, what is no longer looked at. */
import { worst } from '../verify/judge.ts';
import type { Cell, Outcome, Report, StepReport } from '../verify/report.ts';

/**
 * - `worse`: was as it must be, and is not now.
 * - `better`: the other way round.
 * - `otherwise`: wrong before and now, in another way.
 * - `meant otherwise`: policy itself expects something else now; packets follow it, or did before.
 * - `no longer asked`, `asked for the first time`: coverage, which a green run can lose silently.
 */
export type Kind =
  'worse' | 'better' | 'otherwise' | 'meant otherwise' | 'no longer asked' | 'asked for the first time';

export interface Difference {
  readonly kind: Kind;
  readonly step: string;
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly before: Seen | undefined;
  readonly after: Seen | undefined;
}

export type Seen = Pick<Cell, 'expected' | 'observed' | 'outcome' | 'note'>;

/** How long the same change of policy took, in both runs; milliseconds. */
export interface Pace {
  readonly step: string;
  readonly what: 'opened' | 'closed' | 'programmed';
  readonly before: number | undefined;
  readonly after: number | undefined;
}

export interface Comparison {
  readonly schema: 'mesos-calico/comparison/1';
  readonly cluster: string;
  readonly before: Whole;
  readonly after: Whole;
  readonly differences: readonly Difference[];
  readonly paces: readonly Pace[];
  /** Whether the later run is worse: a worse outcome, a cell that was right, or one that nobody asks any more. */
  readonly worse: boolean;
}

export type Whole = Pick<Report, 'startedAt' | 'seed' | 'outcome' | 'verdict' | 'target'>;

/** The reports have to be of one cluster. */
export function compare(before: Report, after: Report): Comparison {
  const differences = [...differ(cellsOf(before), cellsOf(after))];
  return {
    schema: 'mesos-calico/comparison/1',
    cluster: after.cluster,
    before: whole(before),
    after: whole(after),
    differences,
    paces: pacesOf(before, after),
    worse:
      (before.outcome !== after.outcome && worst([before.outcome, after.outcome]) === after.outcome) ||
      differences.some(({ kind }) => kind === 'worse' || kind === 'no longer asked'),
  };
}

const whole = ({ startedAt, seed, outcome, verdict, target }: Report): Whole => ({
  startedAt,
  seed,
  outcome,
  verdict,
  target,
});

interface Asked {
  readonly step: string;
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly cell: Cell;
}

/** By what they ask: indexes mean something else in each report. */
function cellsOf({ tasks, steps }: Report): ReadonlyMap<string, Asked> {
  const all = new Map<string, Asked>();
  for (const step of steps) {
    for (const cell of step.cells) {
      const words = [
        step.title,
        tasks[cell.from]!.name,
        tasks[cell.to]!.name,
        step.traffic[cell.traffic]!.name,
      ] as const;
      const [title, from, to, traffic] = words;
      all.set(JSON.stringify(words), { step: title, from, to, traffic, cell });
    }
  }
  return all;
}

function* differ(before: ReadonlyMap<string, Asked>, after: ReadonlyMap<string, Asked>): Generator<Difference> {
  for (const [key, now] of after) {
    const then = before.get(key);
    const kind = kindOf(then?.cell, now.cell);
    if (kind !== undefined) yield difference(kind, now, then?.cell, now.cell);
  }
  for (const [key, then] of before) {
    if (!after.has(key)) yield difference('no longer asked', then, then.cell, undefined);
  }
}

function difference(kind: Kind, asked: Asked, before: Cell | undefined, after: Cell | undefined): Difference {
  const { step, from, to, traffic } = asked;
  return { kind, step, from, to, traffic, before: before && seen(before), after: after && seen(after) };
}

const seen = ({ expected, observed, outcome, note }: Cell): Seen => ({
  expected,
  observed,
  outcome,
  ...(note === undefined ? {} : { note }),
});

function kindOf(then: Cell | undefined, now: Cell): Kind | undefined {
  if (then === undefined) return now.outcome === 'pass' ? 'asked for the first time' : 'worse';
  if (then.outcome === 'pass' && now.outcome !== 'pass') return 'worse';
  if (then.outcome !== 'pass' && now.outcome === 'pass') return 'better';
  if (then.expected !== now.expected) return 'meant otherwise';
  if (then.observed !== now.observed || then.outcome !== now.outcome) return 'otherwise';
  return undefined;
}

function pacesOf(before: Report, after: Report): readonly Pace[] {
  const earlier = new Map(before.steps.map((step) => [step.title, step]));
  return after.steps.flatMap((step) => {
    const [then, now] = [paceOf(earlier.get(step.title)), paceOf(step)];
    return (['opened', 'closed', 'programmed'] as const).flatMap((what): Pace[] =>
      then[what] === undefined && now[what] === undefined
        ? []
        : [{ step: step.title, what, before: then[what], after: now[what] }],
    );
  });
}

function paceOf(step: StepReport | undefined): Readonly<Record<Pace['what'], number | undefined>> {
  const { opened, closed, programmedMs } = step?.convergence ?? {};
  return { opened: opened?.slowestMs, closed: closed?.slowestMs, programmed: programmedMs };
}

/** What a program that watches is told: 1 for worse, 3 where the later run could not find out. */
export function ending({ worse, after }: Comparison): Outcome | 'worse' {
  if (after.outcome === 'infrastructure-broken') return after.outcome;
  return worse ? 'worse' : 'pass';
}
