/** One figure of the bench: what was measured, the goal, and whether it was met in this run. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
}

export function table(rows: readonly Row[]): string {
  const width = (pick: (row: Row) => string): number => Math.max(...rows.map((row) => pick(row).length));
  const [what, measured] = [width((row) => row.what), width((row) => row.measured)];
  return rows
    .map((row) => `${row.met ? '✓' : '✗'} ${row.what.padEnd(what)}  ${row.measured.padStart(measured)}   ${row.goal}\n`)
    .join('');
}

/** Of sorted or unsorted numbers; `share` from 0 to 1. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);

/** Runs it a few times and gives the milliseconds of each. */
export async function times(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const found: number[] = [];
  for (let run = 0; run < count; run++) {
    const begin = performance.now();
    await work();
    found.push(performance.now() - begin);
  }
  return found;
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
