/** Cells that are not as they should be, those that tell the same story together. */
import type { Cell, Outcome, Report, StepReport } from '../verify/report.ts';
import { clean } from './clean.ts';
import { classesText } from './flow.ts';
import { decider, sideText } from './why.ts';

export interface Difference {
  readonly outcome: Exclude<Outcome, 'pass'>;
  /** `client → frontend`, or the two tasks when there is only one cell. */
  readonly title: string;
  /** The classes that it is about: `tcp 9000`, or `all`. */
  readonly traffic: string;
  readonly expected: string;
  readonly observed: string;
  /** The rule on the side that decides what is expected. */
  readonly why: string;
  readonly note: string;
  readonly cells: readonly Cell[];
  /** One of the cells, `client@general-1 → frontend@general-2`. */
  readonly example: string;
}

type Tasks = Pick<Report, 'tasks'>;

/** Up to this many cells are told one by one. */
const few = 6;
const rank: Readonly<Record<Difference['outcome'], number>> = {
  'policy-wrong': 0,
  'infrastructure-broken': 1,
  slow: 2,
};

/** Policy wrong first, then broken, then slow; the larger story first. */
export function differences(report: Tasks, step: StepReport): Difference[] {
  const cells = step.cells.filter((cell) => cell.outcome !== 'pass');
  const groups = new Map<string, Cell[]>();
  cells.forEach((cell, index) => {
    const key = cells.length <= few ? String(index) : story(report, cell);
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  });
  return [...groups.values()]
    .map((group) => describe(report, step, group))
    .sort((a, b) => rank[a.outcome] - rank[b.outcome] || b.cells.length - a.cells.length);
}

const story = (report: Tasks, cell: Cell): string =>
  JSON.stringify([
    report.tasks[cell.from]!.network,
    report.tasks[cell.to]!.network,
    cell.outcome,
    cell.expected,
    cell.observed,
    sideText(decider(cell.because)),
  ]);

function describe(report: Tasks, step: StepReport, cells: readonly Cell[]): Difference {
  const first = cells[0]!;
  const from = report.tasks[first.from]!;
  const to = report.tasks[first.to]!;
  const example = clean(`${from.name} → ${to.name}`);
  const notes = [...new Set(cells.flatMap((cell) => (cell.note === undefined ? [] : [clean(cell.note)])))];
  return {
    outcome: first.outcome as Difference['outcome'],
    title: cells.length === 1 ? example : clean(`${from.network} → ${to.network}`),
    traffic: trafficText(step, cells),
    expected: first.expected,
    observed: first.observed,
    why: clean(sideText(decider(first.because))),
    note: notes.length > 1 ? `${notes[0]!} (and ${notes.length - 1} more)` : (notes[0] ?? ''),
    cells,
    example,
  };
}

function trafficText(step: StepReport, cells: readonly Cell[]): string {
  const some = [...new Set(cells.map((cell) => cell.traffic))]
    .sort((a, b) => a - b)
    .map((index) => step.traffic[index]!);
  return some.length === step.traffic.length && some.length > 1 ? 'all traffic' : classesText(some, step.traffic);
}

/** What was observed, so that nobody takes a broken cell for an answer: `open, but late`. */
export function happened(cell: Cell): string {
  const { outcome, observed } = cell;
  if (outcome === 'slow') return `${observed}, but late`;
  if (observed === 'broken') return 'broken: could not be found out';
  return outcome === 'infrastructure-broken' ? `${observed}, which here says nothing of the policy` : observed;
}
