/**
 * Whether something that was measured round by round grows. Pure, and slow to alarm: noise must never do it, and whatever
 * is lost in every round always does, once there were rounds enough.
 *
 *     growth(values, tolerance) -> Growth; undefined where there were too few rounds to tell
 *
 * The first rounds are left out: caches fill, heaps find their size. Of the rest, the slope is that of Theil and Sen (the
 * median of the slopes between all pairs), which one odd round does not move. It grows where three things hold: nearly all
 * pairs of rounds agree that it does (Kendall), the last third lies above the first by more than the tolerance, and by
 * more than what the rounds differ among themselves.
 */

export interface Growth {
  readonly grows: boolean;
  /** By how much, in the unit of the values. */
  readonly perRound: number;
  /** Medians of the first and of the last third of the rounds that count. */
  readonly from: number;
  readonly to: number;
}

/** Rounds that are left out, of so many. */
export const warmUp = (rounds: number): number => Math.max(2, Math.floor(rounds / 4));

/** With fewer that count, even a line that only goes up could be chance. */
const least = 6;

/** Rounds without which nothing can be said of growth. */
export const leastRounds = least + 2;

/** More points than these tell no more, and all pairs of them take long. */
const most = 240;

/** Kendall's score, in standard deviations, that chance reaches about once in 150 times; six rounds can reach 2.6. */
const sure = 2.5;

export function growth(values: readonly number[], tolerance: number): Growth | undefined {
  const counted = values.slice(warmUp(values.length));
  if (counted.length < least) return undefined;
  const { points, width } = thin(counted, most);
  const third = Math.floor(points.length / 3);
  const [from, to] = [median(points.slice(0, third)), median(points.slice(-third))];
  const slope = slopeOf(points);
  const middle = median(points.map((value, at) => value - slope * at));
  const scatter = median(points.map((value, at) => Math.abs(value - slope * at - middle)));
  const grows = slope > 0 && score(points) >= sure && to - from > Math.max(tolerance, 2 * scatter);
  return { grows, perRound: slope / width, from, to };
}

/** Medians of neighbours, so that no more than `limit` are left; `width` is how many made one. */
export function thin(values: readonly number[], limit: number): { points: number[]; width: number } {
  const width = Math.max(1, Math.ceil(values.length / limit));
  const points = Array.from({ length: Math.floor(values.length / width) }, (_, at) =>
    median(values.slice(at * width, (at + 1) * width)),
  );
  return { points, width };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function slopeOf(points: readonly number[]): number {
  return median(points.flatMap((one, at) => points.slice(0, at).map((other, before) => (one - other) / (at - before))));
}

/** How surely the order of the values is no chance: Kendall's S, corrected for ties, in standard deviations. */
function score(points: readonly number[]): number {
  const n = points.length;
  const signs = points.reduce(
    (sum, one, at) => sum + points.slice(0, at).reduce((own, other) => own + Math.sign(one - other), 0),
    0,
  );
  const spread = (size: number): number => size * (size - 1) * (2 * size + 5);
  const ties = new Map<number, number>();
  for (const one of points) ties.set(one, (ties.get(one) ?? 0) + 1);
  const variance = (spread(n) - [...ties.values()].reduce((sum, size) => sum + spread(size), 0)) / 18;
  return variance <= 0 ? 0 : (signs - Math.sign(signs)) / Math.sqrt(variance);
}
