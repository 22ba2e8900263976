/**
 * Flows of classes as rectangles: every class of `from` to every class of `to`, for each of the classes of traffic.
 *
 *     rectanglesOf(rows, opens, traffic) -> a table of one class of traffic, in as few as equal rows or columns give
 *     merged(rectangles)                 -> the same flows in fewer rectangles
 */
import { add, BitsNumbers, isEmpty, noBits, or, transposed, type Bits } from './bits.ts';

export interface Rectangle {
  readonly opens: boolean;
  readonly from: Bits;
  readonly to: Bits;
  readonly traffic: readonly number[];
}

export function rectanglesOf(rows: readonly Bits[], opens: boolean, traffic: number): readonly Rectangle[] {
  if (rows.every(isEmpty)) return [];
  const [byRow, byColumn] = [alike(rows), alike(transposed(rows))];
  return byRow.length <= byColumn.length
    ? byRow.map(([from, to]) => ({ opens, from, to, traffic: [traffic] }))
    : byColumn.map(([to, from]) => ({ opens, from, to, traffic: [traffic] }));
}

/** Equal rows that are not empty, with the set of where they stand. */
function alike(rows: readonly Bits[]): readonly (readonly [where: Bits, row: Bits])[] {
  const numbers = new BitsNumbers();
  const where: Bits[] = [];
  for (const [index, row] of rows.entries()) {
    if (isEmpty(row)) continue;
    add((where[numbers.of(row)] ??= noBits(rows.length)), index);
  }
  return where.map((one, number) => [one, numbers.sets[number]!]);
}

/** Rectangles that share no flow are joined where all but one of their sides are equal. */
export function merged(rectangles: readonly Rectangle[]): readonly Rectangle[] {
  const numbers = new BitsNumbers();
  const opens = (one: Rectangle): string => (one.opens ? '+' : '-');
  const from = (one: Rectangle): number => numbers.of(one.from);
  const to = (one: Rectangle): number => numbers.of(one.to);
  const traffic = (one: Rectangle): string => one.traffic.join();

  const kinds = joined(
    rectangles,
    (one) => `${opens(one)} ${from(one)} ${to(one)}`,
    (a, b) => ({ ...a, traffic: [...new Set([...a.traffic, ...b.traffic])].sort((x, y) => x - y) }),
  );
  const sources = (all: readonly Rectangle[]): readonly Rectangle[] =>
    joined(
      all,
      (one) => `${opens(one)} ${to(one)} ${traffic(one)}`,
      (a, b) => ({ ...a, from: or(a.from, b.from) }),
    );
  const targets = (all: readonly Rectangle[]): readonly Rectangle[] =>
    joined(
      all,
      (one) => `${opens(one)} ${from(one)} ${traffic(one)}`,
      (a, b) => ({ ...a, to: or(a.to, b.to) }),
    );
  const [first, second] = [targets(sources(kinds)), sources(targets(kinds))];
  return first.length <= second.length ? first : second;
}

function joined(
  rectangles: readonly Rectangle[],
  key: (one: Rectangle) => string,
  join: (a: Rectangle, b: Rectangle) => Rectangle,
): readonly Rectangle[] {
  const result = new Map<string, Rectangle>();
  for (const one of rectangles) {
    const at = key(one);
    const known = result.get(at);
    result.set(at, known === undefined ? one : join(known, one));
  }
  return [...result.values()];
}
