/** One kind of fault or of harmless change at a time: made, looked at, undone, and the lab proved to be well again. */
import type { Report } from '../../modules/verify/report.ts';
import type { Bench } from './bench.ts';
import type { Fault } from './faults.ts';

export interface Seen {
  readonly report: Report;
  readonly findings: readonly string[];
  readonly ms: number;
  /** What is still wrong once it is undone: then the kind proves nothing, and neither do those after it. */
  readonly unhealed: readonly string[];
}

/** Verifies with the fault in place, then heals, and looks again. */
export async function under(
  bench: Bench,
  { breakIt, when, fatal }: Omit<Fault, 'name' | 'outcome' | 'names'>,
): Promise<Seen> {
  let heal: Awaited<ReturnType<Fault['breakIt']>>;
  const inject = async (): Promise<void> => {
    heal = await breakIt(bench);
  };
  const begin = performance.now();
  let report: Report;
  let ms: number;
  let unhealed: string[] = [];
  try {
    report = await lookUnder(bench, when, inject);
    ms = performance.now() - begin;
  } finally {
    if (!fatal) {
      await heal?.();
      await bench.heal();
      unhealed = ailing(await bench.look());
    }
  }
  return { report, findings: said(report), ms, unhealed };
}

async function lookUnder(bench: Bench, when: Fault['when'], inject: () => Promise<void>): Promise<Report> {
  switch (when) {
    case undefined:
      return bench.look({ hooks: { launched: inject } });
    case 'before the change':
      return bench.look({ walk: true, hooks: { beforeChange: inject } });
    case 'after the change':
      return bench.look({ walk: true, hooks: { afterChange: inject } });
    case 'large':
      await inject();
      return bench.large();
  }
}

/** Of the last step, and of the checks that are not good. */
const said = ({ steps, checks = [] }: Report): string[] => [
  ...(steps.at(-1)?.findings ?? []),
  ...checks
    .filter(({ outcome }) => outcome !== 'pass')
    .map(({ name, outcome, seen, details }) => [`${outcome}: ${name}: ${seen}`, ...details].join('; ')),
];

const ailing = (report: Report): string[] => {
  const left = report.steps.flatMap((step) => step.findings);
  return report.outcome === 'pass' || left.length > 0 ? left : [report.verdict];
};

/** However much hangs, a verification ends by its limits, not by luck. */
const limitMs = 20_000;

/** Why a fault was not found as it has to be; empty when it was. */
export function survival(
  { outcome, names }: Pick<Fault, 'outcome' | 'names'>,
  { report, findings, ms }: Seen,
): string[] {
  const told = findings.length === 0 ? 'no finding' : findings.join('\n');
  return [
    ...(report.outcome === outcome ? [] : [`${report.outcome}, not ${outcome}: ${told}`]),
    ...(names.test(findings.join('\n')) ? [] : [`no finding says ${String(names)}: ${told}`]),
    ...(findings.some((finding) => finding.startsWith(outcome)) ? [] : [`no finding begins with ${outcome}: ${told}`]),
    ...(ms < limitMs ? [] : [`it took ${Math.round(ms)} ms`]),
  ];
}

/** What was said of a harmless change; empty when nothing was. */
export const alarms = ({ report, findings }: Seen): string[] =>
  report.outcome === 'pass' ? [...findings] : [`${report.outcome}: ${findings.join('\n') || report.verdict}`];
