/**
 * The report made small enough to stand in a page: 50,000 cells share a few hundred decisions, so each is written once,
 * and a cell is a row of numbers. Nothing is lost: `unpack` gives back the very report.
 */
import type { Decision } from '../policy/model.ts';
import type { Cell, Outcome, Report, StepReport, Verdict } from '../verify/report.ts';
import { decider, sideText } from './why.ts';

const verdicts: readonly Verdict[] = ['open', 'refused', 'dropped', 'rejected', 'broken'];
const outcomeOrder: readonly Outcome[] = ['pass', 'policy-wrong', 'slow', 'infrastructure-broken'];

/** from, to, traffic, 1 = allow, verdict, outcome, ms, decision, and the note or nothing. */
type Row = readonly [number, number, number, 0 | 1, number, number, number, number, string?];

interface PackedStep extends Omit<StepReport, 'cells'> {
  readonly cells: readonly Row[];
}

export interface Packed extends Omit<Report, 'steps'> {
  readonly steps: readonly PackedStep[];
  readonly decisions: readonly Decision[];
  /** Text of each decision: source side, target side, and which of them decides. */
  readonly why: readonly (readonly [string, string, 0 | 1])[];
}

export function pack(report: Report): Packed {
  const numbers = new Map<string, number>();
  const known = new Map<Decision, number>();
  const decisions: Decision[] = [];
  const numberOf = (decision: Decision): number => {
    // The same object mostly; a report that was read from a file has a copy per cell.
    let number = known.get(decision);
    if (number !== undefined) return number;
    const key = JSON.stringify(decision);
    number = numbers.get(key);
    if (number === undefined) {
      number = decisions.push(decision) - 1;
      numbers.set(key, number);
    }
    known.set(decision, number);
    return number;
  };
  const row = (cell: Cell): Row => [
    cell.from,
    cell.to,
    cell.traffic,
    cell.expected === 'allow' ? 1 : 0,
    verdicts.indexOf(cell.observed),
    outcomeOrder.indexOf(cell.outcome),
    cell.ms,
    numberOf(cell.because),
    ...(cell.note === undefined ? ([] as const) : ([cell.note] as const)),
  ];
  const steps = report.steps.map((step): PackedStep => ({ ...step, cells: step.cells.map(row) }));
  const why = decisions.map((decision): Packed['why'][number] => {
    const { outbound, inbound } = decision;
    return [sideText(outbound), sideText(inbound), decider(decision) === outbound ? 0 : 1];
  });
  return { ...report, steps, decisions, why };
}

export function unpack(packed: Packed): Report {
  const cell = ([from, to, traffic, allow, observed, outcome, ms, decision, note]: Row): Cell => ({
    from,
    to,
    traffic,
    expected: allow === 1 ? 'allow' : 'deny',
    because: decisions[decision]!,
    observed: verdicts[observed]!,
    ms,
    outcome: outcomeOrder[outcome]!,
    ...(note === undefined ? {} : { note }),
  });
  const { decisions, why, ...rest } = packed;
  if (why.length !== decisions.length) throw new RangeError('a decision has no text');
  return { ...rest, steps: packed.steps.map((step) => ({ ...step, cells: step.cells.map(cell) })) };
}
