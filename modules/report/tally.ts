/** How many cells each rule decides. */
import type { StepReport } from '../verify/report.ts';
import { clean } from './clean.ts';
import { decider, sideText } from './why.ts';

export interface Tally {
  readonly rule: string;
  readonly allow: boolean;
  readonly cells: number;
  /** How many of them are not as expected. */
  readonly differing: number;
}

/** The rule that decides most comes first; the counts add up to all cells. */
export function tallyOf(step: StepReport): Tally[] {
  const tallies = new Map<string, { rule: string; allow: boolean; cells: number; differing: number }>();
  // Decisions are often the same object for thousands of cells; their text is made once.
  const texts = new Map<object, string>();
  for (const cell of step.cells) {
    const side = decider(cell.because);
    let rule = texts.get(cell.because);
    if (rule === undefined) texts.set(cell.because, (rule = clean(sideText(side))));
    const key = `${cell.because.allow} ${rule}`;
    const tally = tallies.get(key) ?? { rule, allow: cell.because.allow, cells: 0, differing: 0 };
    tally.cells++;
    if (cell.outcome !== 'pass') tally.differing++;
    tallies.set(key, tally);
  }
  return [...tallies.values()].sort((a, b) => b.cells - a.cells || (a.rule < b.rule ? -1 : 1));
}
