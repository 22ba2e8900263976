/** A diagnosis as text: a line for what is well everywhere, a line for each thing that is not, and what to do. Pure. */
import { format } from '../problem/problem.ts';
import type { Diagnosis } from './doctor.ts';
import type { Finding, Verdict } from './ward.ts';

const words: Readonly<Record<Verdict, string>> = {
  well: 'well',
  caution: 'look',
  ill: 'ILL',
  unknown: 'UNKNOWN',
  'stands-in': 'stands in',
};

export function diagnosisText({ cluster, findings }: Diagnosis): string {
  const head = ['check', 'verdict', 'where', 'seen'];
  const names = [...new Set(findings.map(({ check }) => check))];
  const rows = names.flatMap((check) => rowsOf(findings.filter((one) => one.check === check)));
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const table = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const told = findings.flatMap(({ problem, verdict }) =>
    problem && verdict !== 'well' ? [`  ${format(problem)}`] : [],
  );
  return `${[...table, '', ...(told.length > 0 ? ['What to do:', ...told, ''] : []), `${cluster}: ${sum(findings)}`].join('\n')}\n`;
}

/** What is well with the same words on several hosts is one line. */
function rowsOf(findings: readonly Finding[]): readonly string[][] {
  const by = new Map<string, Finding[]>();
  for (const one of findings) {
    const key =
      one.verdict === 'well' || one.verdict === 'stands-in' ? `${one.verdict} ${one.seen}` : `${one.on} ${one.seen}`;
    by.set(key, [...(by.get(key) ?? []), one]);
  }
  return [...by.values()].map((all) => {
    const { check, verdict, seen } = all[0]!;
    const on = all.map((one) => one.on);
    return [check, words[verdict], on.length > 4 ? `${on.length} hosts` : on.join(', '), seen];
  });
}

function sum(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  const parts = [
    `${count('well')} well`,
    `${count('caution')} to be looked at`,
    `${count('ill')} ill`,
    `${count('unknown')} could not be found out`,
    ...(count('stands-in') > 0 ? [`${count('stands-in')} stand in and are not counted`] : []),
  ];
  return `${parts.join(', ')}.`;
}
