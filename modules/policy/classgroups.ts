/**
 * The matrix small enough to read: endpoints that reach the same and are reached by the same are one group.
 *
 *     grouped(matrix) -> Grouped: groups of endpoints, classes of traffic that look alike, and the verdict of each cell
 *
 * An endpoint's flow to itself does not count, so a hundred tasks that are all cut off are one group.
 */
import { has, same, transposed, weigher, type Bits } from './bits.ts';
import { membersOfClasses, type Members } from './classdiff.ts';
import type { Matrix } from './matrix.ts';
import type { Traffic } from './model.ts';

export interface Grouped {
  readonly groups: readonly Members[];
  /** Classes of traffic with equal cells stand together. */
  readonly traffic: readonly (readonly Traffic[])[];
  /** By indexes of groups and of traffic. Undefined from a group of one endpoint to itself: no policy is asked. */
  readonly cell: (from: number, to: number, traffic: number) => boolean | undefined;
}

interface Table {
  readonly rows: readonly Bits[];
  readonly columns: readonly Bits[];
}

export function grouped(matrix: Matrix): Grouped {
  const { classes } = matrix.factors;
  const tables = distinctTables(matrix);
  const groups = twins(
    tables.map(({ table }) => table),
    classes.weights,
  );
  const cell = (from: number, to: number, table: number): boolean | undefined => {
    const { rows } = tables[table]!.table;
    const [first, second] = [groups[from]![0]!, groups[to]!.find((one) => from !== to || one !== groups[from]![0])];
    // Any two different endpoints of the groups tell; with one class, two of its endpoints.
    if (second !== undefined) return has(rows[first]!, second);
    return classes.weights[first]! > 1 ? has(rows[first]!, first) : undefined;
  };
  return {
    groups: groups.map((group) => membersOfClasses(matrix, group)),
    traffic: tables.map(({ traffic }) => traffic),
    cell,
  };
}

function distinctTables(matrix: Matrix): readonly { readonly table: Table; readonly traffic: readonly Traffic[] }[] {
  const tables: { readonly table: Table; readonly traffic: Traffic[] }[] = [];
  for (const [index, traffic] of matrix.traffic.entries()) {
    const rows = matrix.flows(index);
    const known = tables.find(({ table }) => table.rows.every((row, at) => same(row, rows[at]!)));
    if (known === undefined) tables.push({ table: { rows, columns: transposed(rows) }, traffic: [traffic] });
    else known.traffic.push(traffic);
  }
  return tables;
}

/**
 * Classes in groups of equal rows and columns. That relation is an equivalence even though each class of one endpoint
 * leaves its own cell open, so one class of a group speaks for all of it.
 */
function twins(tables: readonly Table[], weights: readonly number[]): readonly (readonly number[])[] {
  const weigh = weigher(weights);
  const buckets = new Map<string, number[][]>();
  const groups: number[][] = [];
  for (const index of weights.keys()) {
    // Twins reach equally many others, and are reached by equally many.
    const degree = (bits: Bits): number => weigh(bits) - (has(bits, index) ? 1 : 0);
    const key = tables.map(({ rows, columns }) => `${degree(rows[index]!)} ${degree(columns[index]!)}`).join();
    const bucket = buckets.get(key) ?? [];
    buckets.set(key, bucket);
    const group = bucket.find(([other]) => tables.every((table) => areTwins(table, index, other!, weights)));
    if (group !== undefined) group.push(index);
    else {
      const fresh = [index];
      bucket.push(fresh);
      groups.push(fresh);
    }
  }
  return groups;
}

function areTwins({ rows, columns }: Table, a: number, b: number, weights: readonly number[]): boolean {
  const between = has(rows[a]!, b);
  if (between !== has(rows[b]!, a)) return false;
  // Two endpoints of one class must be to each other as the two classes are.
  if ([a, b].some((one) => weights[one]! > 1 && has(rows[one]!, one) !== between)) return false;
  return equalBut(rows[a]!, rows[b]!, a, b) && equalBut(columns[a]!, columns[b]!, a, b);
}

/** Equal, whatever they say of these two. */
function equalBut(first: Bits, second: Bits, a: number, b: number): boolean {
  for (let word = 0; word < first.length; word++) {
    let differs = first[word]! ^ second[word]!;
    if (differs === 0) continue;
    if (a >>> 5 === word) differs &= ~(1 << (a & 31));
    if (b >>> 5 === word) differs &= ~(1 << (b & 31));
    if (differs !== 0) return false;
  }
  return true;
}
