/** Where the reports of nights lie, and which of them is the one to compare with. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readReport } from '../report/read.ts';
import type { Report } from '../verify/report.ts';

/** The name of a night's folder: sorts by time, and is a file name everywhere. */
export const folderName = (start: Date): string => `${start.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;

const isNight = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;

export interface Earlier {
  /** Its folder. */
  readonly folder: string;
  readonly report: Report;
}

/**
 * The latest night before this one that ran the same suite and could find out. Compared with one that could not, everything
 * would look better, and a change that came with the trouble would never be told.
 */
export function lastNight(reports: string, suite: string, before: string): Earlier | undefined {
  if (!existsSync(reports)) return undefined;
  const names = readdirSync(reports).filter((name) => isNight.test(name) && name < before);
  for (const name of names.sort().reverse()) {
    const folder = join(reports, name);
    if (suiteIn(join(folder, 'nightly.json')) !== suite || !existsSync(join(folder, 'report.json'))) continue;
    const report = readReport(join(folder, 'report.json'));
    if (report.outcome !== 'infrastructure-broken') return { folder, report };
  }
  return undefined;
}

/** Undefined for a night that was killed before it wrote its end. */
function suiteIn(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { suite?: string }).suite;
  } catch {
    return undefined;
  }
}
