/** The sentences that every form of the report shares, so that all of them say the same. */
import { isGood } from '../verify/doubt.ts';
import type { Control, Convergence, Outcome, Report, StepReport } from '../verify/report.ts';

export const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

const millis = (ms: number): string => `${String(Math.round(ms))} ms`;

/** A time as a person says it: `84 ms`, `1.2 s`, `2 min 05 s`. */
export function time(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return millis(ms);
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** How an outcome is called, and a sign for it that does not need colour. */
export const outcomes: Readonly<Record<Outcome, { readonly sign: string; readonly word: string }>> = {
  pass: { sign: '✓', word: 'as expected' },
  'policy-wrong': { sign: '✗', word: 'policy wrong' },
  slow: { sign: '~', word: 'too slow' },
  'infrastructure-broken': { sign: '?', word: 'infrastructure broken' },
};

/** A bad control: what it was, what it had to be, and what the prober said. */
export const controlText = (one: Control): string =>
  `${one.kind} ${one.from} → ${one.to} ${one.traffic}, ${one.when} the table: ` +
  `must be ${one.expected}, was ${one.observed}${one.note === undefined ? '' : ` (${one.note})`}`;

export function controlsLine(controls: readonly Control[]): string {
  if (controls.length === 0) return 'none ran';
  const good = controls.filter(isGood).length;
  return `${number(good)} of ${number(controls.length)} good`;
}

export function convergenceLine(convergence: Convergence | undefined): string {
  if (!convergence) return 'not timed: nothing changed';
  const { opened, closed, programmedMs, budgetMs, note } = convergence;
  const parts = [
    opened.cells === 0 ? 'opened none' : `opened ${plural(opened.cells, 'cell')}${after('slowest', opened)}`,
    closed.cells === 0 ? 'closed none' : `closed ${number(closed.cells)}${after('last packet through', closed)}`,
    programmedMs === undefined
      ? 'not programmed on every host'
      : `programmed on every host after ${millis(programmedMs)}`,
    `budget ${millis(budgetMs)}`,
  ];
  return parts.join('; ') + (note ? ` (${note})` : '');
}

function after(what: string, part: Convergence['opened']): string {
  const sampled = part.sampled < part.cells ? ` (${number(part.sampled)} sampled)` : '';
  if (part.slowestMs === undefined) return `${sampled}, ${part.sampled === 0 ? 'none watched' : `${what}: never seen`}`;
  return `${sampled}, ${what} after ${millis(part.slowestMs)}`;
}

/** `660 cells: 132 allowed, 528 denied, 660 as expected`. */
export function cellsLine(step: StepReport): string {
  const allowed = step.cells.filter((cell) => cell.expected === 'allow').length;
  const right = step.cells.filter((cell) => cell.outcome === 'pass').length;
  return (
    `${number(right)} of ${number(step.cells.length)} as expected ` +
    `(${number(allowed)} to be allowed, ${number(step.cells.length - allowed)} to be denied)`
  );
}

export function expectationsLine(step: StepReport): string {
  const total = step.expectations.length;
  if (total === 0) return 'none written by hand';
  const packets = step.expectations.filter((one) => one.packetsAgree).length;
  const evaluator = step.expectations.filter((one) => one.evaluatorAgrees).length;
  return `written by hand: packets agree with ${number(packets)} of ${number(total)}, the evaluator with ${number(evaluator)}`;
}

export const nodesOf = (report: Report): string[] => [...new Set(report.tasks.map((task) => task.node))];
export const networksOf = (report: Report): string[] => [...new Set(report.tasks.map((task) => task.network))];
