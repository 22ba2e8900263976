/** Versions as the components of a release write them: `v2.6.12`, `20.10.24`, `1.11.0-0.9.0`. */

/** Less than 0, 0, or more: by the numbers before any suffix; what one does not have counts as 0. */
export function compare(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a version is at least `from` and below `to`. */
export function between(version: string, from: string, to: string): boolean {
  return compare(version, from) >= 0 && compare(version, to) < 0;
}

function numbers(version: string): number[] {
  return (/^v?([0-9]+(?:\.[0-9]+)*)/.exec(version)?.[1] ?? '0').split('.').map(Number);
}
