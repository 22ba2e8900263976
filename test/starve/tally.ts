/** What a report says, held against what is known to be true. Pure. */
import type { Cell, Outcome, Report, StepReport } from '../../modules/verify/report.ts';
import type { Ask, Case, Truth } from './cases.ts';

/**
 * How a verification ended. `slow`: right, but a change came later than its budget. `unknown`: it says itself that it
 * could not find out something that it should have, and nothing that it says is wrong.
 */
export type Word = 'right' | 'slow' | 'unknown' | 'wrong';

export interface Tally {
  readonly word: Word;
  readonly cells: number;
  /** Cells that are as policy admits, and were called dropped, refused or rejected. */
  readonly falseDenials: number;
  /** Cells that are as policy forbids, and were called open. */
  readonly falseAlarms: number;
  /** Cells that are wrong, or of which nobody can know, and were called right. */
  readonly missed: number;
  readonly unknown: number;
  /** What is wrong or unknown, in words. */
  readonly why: readonly string[];
}

/** A verdict that the second look takes back was a false one all the same. */
const accuses = (outcome: Outcome): boolean => outcome === 'policy-wrong' || outcome === 'slow';

type Fate = 'fine' | 'falseDenials' | 'falseAlarms' | 'missed' | 'unknown';

function fate({ outcome, expected }: Cell, truth: Truth): Fate {
  if (truth !== 'right' && (outcome === 'pass' || outcome === 'slow')) return 'missed';
  if (truth === 'wrong') return outcome === 'infrastructure-broken' ? 'unknown' : 'fine';
  if (accuses(outcome)) return expected === 'allow' ? 'falseDenials' : 'falseAlarms';
  return outcome === 'infrastructure-broken' && truth === 'right' ? 'unknown' : 'fine';
}

export function tally(asked: Case, report: Report): Tally {
  const count = { falseDenials: 0, falseAlarms: 0, missed: 0, unknown: 0 };
  const why: string[] = [];
  for (const [index, step] of report.steps.entries()) {
    const last = index === report.steps.length - 1;
    for (const cell of step.cells) {
      const ask = named(report, step, cell);
      const what = fate(cell, last ? asked.truth(ask) : 'right');
      if (what === 'fine') continue;
      count[what]++;
      why.push(`${titles[what]}: ${inWords(ask, cell)}`);
    }
  }
  const wrong = count.falseDenials + count.falseAlarms + count.missed > 0;
  const rest = wrong ? undefined : whole(asked, report, count.unknown > 0);
  return {
    ...count,
    word: rest?.word ?? 'wrong',
    cells: report.steps.reduce((sum, { cells }) => sum + cells.length, 0),
    why: [...why, ...(rest?.why ?? [])],
  };
}

/** The report as a whole, where no cell says what is not so. */
function whole(asked: Case, report: Report, unknown: boolean): { word: Word; why: readonly string[] } {
  const wanted = asked.fault?.outcome ?? 'pass';
  const findings = report.steps.flatMap((step) => step.findings);
  const told = findings.length === 0 ? [report.verdict] : findings;
  if (unknown) return { word: 'unknown', why: told };
  const steps = asked.walk ? 2 : 1;
  if (report.outcome === wanted && report.steps.length === steps) {
    const named = asked.fault?.names.test(findings.join('\n')) ?? true;
    return named ? { word: 'right', why: [] } : { word: 'wrong', why: [`it is not named: ${told.join('; ')}`] };
  }
  switch (report.outcome) {
    case 'infrastructure-broken':
      return { word: 'unknown', why: told };
    case 'slow':
      return wanted === 'pass' ? { word: 'slow', why: told } : { word: 'wrong', why: [`missed: ${told.join('; ')}`] };
    case 'pass':
    case 'policy-wrong':
      return { word: 'wrong', why: [`${report.outcome}, not ${wanted}: ${told.join('; ')}`] };
  }
}

function named({ tasks }: Report, { traffic }: StepReport, { from, to, traffic: kind, expected }: Cell): Ask {
  const one = traffic[kind]!;
  return {
    from: tasks[from]!.name,
    to: tasks[to]!.name,
    protocol: one.protocol,
    port: one.protocol === 'icmp' ? 0 : one.port,
    allow: expected === 'allow',
  };
}

const titles: Readonly<Record<Exclude<Fate, 'fine'>, string>> = {
  falseDenials: 'false denial',
  falseAlarms: 'false alarm',
  missed: 'missed',
  unknown: 'unknown',
};

function inWords({ from, to, protocol, port }: Ask, { expected, observed, outcome, note }: Cell): string {
  const what = `${from} to ${to} on ${protocol}${protocol === 'icmp' ? '' : ` ${port}`}`;
  return `${what}: ${outcome}, expected ${expected}, observed ${observed}${note === undefined ? '' : ` (${note})`}`;
}
