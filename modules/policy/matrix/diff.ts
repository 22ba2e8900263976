/**
 * Which flows open and which close, told as groups of endpoints: never as a list of a million pairs.
 *
 *     classDiff(before, after)    -> ClassDiff; the matrices may have different traffic and different endpoints
 *     changesOf(matrix, …)        -> the same for rectangles of classes that are known already (edit.ts)
 *     membersText(members, names) -> `client (12), frontend (3 of 7)`
 *
 * Flows between endpoints of both matrices are compared, by id; the others are named apart.
 */
import { has, minus, noBits, add, eachBit, type Bits } from './bits.ts';
import type { PeerClasses } from './classes.ts';
import { merged, rectanglesOf, type Rectangle } from './rectangles.ts';
import { Kinds, usedKinds, type ReadyRules } from './rules.ts';
import { columnsOf, type Column } from './rows.ts';
import { flowsOf, type Factors, type Matrix } from './matrix.ts';
import type { Endpoint, Traffic } from '../model.ts';
import { displayName, noNames, type Names } from '../names.ts';
import type { AnyTraffic } from '../traffic.ts';

export interface ClassDiff<T extends AnyTraffic = Traffic> {
  readonly changes: readonly FlowChange<T>[];
  /** Flows, each class of traffic counted for itself. */
  readonly opened: number;
  readonly closed: number;
  /** Ids of endpoints that only one of the two has. */
  readonly appeared: readonly string[];
  readonly vanished: readonly string[];
}

/** From each member of `from` to each other member of `to`, in each of the classes of traffic. */
export interface FlowChange<T extends AnyTraffic = Traffic> {
  readonly opens: boolean;
  readonly from: Members;
  readonly to: Members;
  readonly traffic: readonly T[];
  /** Ordered pairs of two endpoints. */
  readonly pairs: number;
}

export interface Members {
  readonly count: number;
  /** By list of profiles, the greatest part first: how many of all that have the list. */
  readonly parts: readonly { readonly profiles: readonly string[]; readonly count: number; readonly of: number }[];
  readonly endpoints: () => readonly Endpoint[];
}

export function classDiff<T extends AnyTraffic>(before: Matrix<T>, after: Matrix<T>): ClassDiff<T> {
  if (before.factors.scope.version !== after.factors.scope.version) {
    throw new TypeError('only matrices of the same IP version can be compared');
  }
  const traffic = before.traffic === after.traffic ? before.traffic : commonTraffic(before.factors, after.factors);
  const [old, now] = [before, after].map((matrix) => flowsBy(matrix, traffic)) as [FlowsBy, FlowsBy];
  const joint = jointClasses(before, after);
  const rectangles = traffic.flatMap((_, index) => {
    const [was, is] = [joint.before(old(index)), joint.after(now(index))];
    return [
      ...rectanglesOf(
        is.map((row, at) => minus(row, was[at]!)),
        true,
        index,
      ),
      ...rectanglesOf(
        was.map((row, at) => minus(row, is[at]!)),
        false,
        index,
      ),
    ];
  });
  const ids = ({ endpoints }: Matrix<T>): ReadonlySet<string> => new Set(endpoints.map(({ id }) => id));
  const [oldIds, newIds] = [ids(before), ids(after)];
  return {
    ...changesOf(joint.classes, after.endpoints, traffic, rectangles),
    appeared: [...newIds].filter((id) => !oldIds.has(id)),
    vanished: [...oldIds].filter((id) => !newIds.has(id)),
  };
}

/** What members are told by; classes here may be finer than those of a matrix, or leave endpoints out. */
export type Grouping = Pick<PeerClasses, 'size' | 'members' | 'weights' | 'listOf' | 'lists'>;

export function changesOf<T extends AnyTraffic>(
  classes: Grouping,
  endpoints: readonly Endpoint[],
  traffic: readonly T[],
  rectangles: readonly Rectangle[],
): Pick<ClassDiff<T>, 'changes' | 'opened' | 'closed'> {
  const totals = listTotals(classes);
  const members = memoised((bits: Bits) => membersOf(classes, totals, endpoints, bits));
  const changes = merged(rectangles)
    .map((one): FlowChange<T> => {
      const [from, to] = [members(one.from), members(one.to)];
      let own = 0;
      eachBit(one.from, (index) => (own += has(one.to, index) ? classes.weights[index]! : 0));
      return {
        opens: one.opens,
        from,
        to,
        traffic: one.traffic.map((index) => traffic[index]!),
        pairs: from.count * to.count - own,
      };
    })
    // A class of one endpoint does not reach itself through any policy.
    .filter(({ pairs }) => pairs > 0)
    .sort((a, b) => Number(b.opens) - Number(a.opens) || flows(b) - flows(a));
  const sum = (opens: boolean): number =>
    changes.reduce((total, one) => total + (one.opens === opens ? flows(one) : 0), 0);
  return { changes, opened: sum(true), closed: sum(false) };
}

function flows({ pairs, traffic }: FlowChange<AnyTraffic>): number {
  return pairs * traffic.length;
}

/** `client (12), frontend (3 of 7) and 4 more kinds (90)`; a task with several profiles is `client+backend`. */
export function membersText({ parts, count }: Members, names: Names = noNames): string {
  const most = 4;
  const shown = parts.length > most ? parts.slice(0, most - 1) : parts;
  const texts = shown.map((part) => {
    const name = part.profiles.map((one) => displayName(names, one)).join('+') || 'no profile';
    return `${name} (${part.count === part.of ? part.count : `${part.count} of ${part.of}`})`;
  });
  const rest = parts.length - shown.length;
  const left = count - shown.reduce((sum, part) => sum + part.count, 0);
  return texts.join(', ') + (rest > 0 ? ` and ${rest} more kinds (${left})` : '');
}

function listTotals({ lists, listOf, weights }: Grouping): readonly number[] {
  const totals = lists.map(() => 0);
  for (const [index, list] of listOf.entries()) totals[list]! += weights[index]!;
  return totals;
}

function membersOf(classes: Grouping, totals: readonly number[], endpoints: readonly Endpoint[], bits: Bits): Members {
  const counts = new Map<number, number>();
  let count = 0;
  eachBit(bits, (index) => {
    const list = classes.listOf[index]!;
    counts.set(list, (counts.get(list) ?? 0) + classes.weights[index]!);
    count += classes.weights[index]!;
  });
  return {
    count,
    parts: [...counts]
      .map(([list, some]) => ({ profiles: classes.lists[list]!, count: some, of: totals[list]! }))
      .sort((a, b) => b.count - a.count),
    endpoints: () => {
      const found: number[] = [];
      eachBit(bits, (index) => found.push(...classes.members[index]!));
      return found.sort((a, b) => a - b).map((index) => endpoints[index]!);
    },
  };
}

function memoised<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = make(key)));
    return value;
  };
}

/** Classes of traffic that neither's rules cut. */
function commonTraffic<T extends AnyTraffic>(before: Factors<T>, after: Factors<T>): readonly T[] {
  const kinds = new Kinds(before.kinds);
  const bits = usedKinds(rulesOf(before), kinds);
  const used = [...rulesOf(after)].flatMap(({ inbound, outbound }) =>
    [...inbound.rules, ...outbound.rules].map(({ rule }) => kinds.of(rule)),
  );
  const all = noBits(kinds.size);
  all.set(bits);
  for (const kind of used) add(all, kind);
  return before.classify(kinds.rules(all));
}

/** Of all profiles and policies. */
export function rulesOf({ profiles, policies }: Pick<Factors, 'profiles' | 'policies'>): readonly ReadyRules[] {
  return [...profiles.values(), ...policies.values()];
}

type FlowsBy = (traffic: number) => readonly Bits[];

/** The flows of a matrix by other classes of traffic, at least as fine. */
function flowsBy<T extends AnyTraffic>(matrix: Matrix<T>, traffic: readonly T[]): FlowsBy {
  if (matrix.traffic === traffic) return matrix.flows;
  const known = columnsBy(matrix.factors, traffic);
  return (index) => {
    const at = matrix.factors.columns.indexOf(known[index]!);
    return at < 0 ? flowsOf(known[index]!, matrix.factors.together) : matrix.flows(at);
  };
}

/** By traffic; where the rules see no difference, columns are the matrix' own. */
export function columnsBy<T extends AnyTraffic>(factors: Factors<T>, traffic: readonly T[]): readonly Column[] {
  const { kinds } = factors;
  const used = usedKinds(rulesOf(factors), kinds);
  const key = (active: Bits): string => active.map((word, at) => word & used[at]!).join();
  const known = new Map(factors.active.map((one, index) => [key(one), factors.columns[index]!]));
  const columns = columnsOf(factors);
  return traffic.map((one) => {
    const active = kinds.active(one);
    return known.get(key(active)) ?? columns(active);
  });
}

interface Joint {
  readonly classes: Grouping;
  /** Rows over the classes of one matrix as rows over the joint ones. */
  readonly before: (rows: readonly Bits[]) => readonly Bits[];
  readonly after: (rows: readonly Bits[]) => readonly Bits[];
}

/** The classes that both matrices leave whole, with the endpoints that both have. */
function jointClasses(before: Matrix<AnyTraffic>, after: Matrix<AnyTraffic>): Joint {
  const [old, now] = [before.factors.classes, after.factors.classes];
  if (old === now) return { classes: now, before: (rows) => rows, after: (rows) => rows };
  const oldIndex = new Map(before.endpoints.map(({ id }, index) => [id, index]));
  const numbers = new Map<number, number>();
  const members: number[][] = [];
  const oldOf: number[] = [];
  const nowOf: number[] = [];
  for (const [index, { id }] of after.endpoints.entries()) {
    const other = oldIndex.get(id);
    if (other === undefined) continue;
    const [oldClass, nowClass] = [old.classOf[other]!, now.classOf[index]!];
    if (oldClass < 0 || nowClass < 0) continue;
    const pair = oldClass * now.size + nowClass;
    let joint = numbers.get(pair);
    if (joint === undefined) {
      numbers.set(pair, (joint = members.push([]) - 1));
      oldOf.push(oldClass);
      nowOf.push(nowClass);
    }
    members[joint]!.push(index);
  }
  const classes: Grouping = {
    size: members.length,
    members,
    weights: members.map(({ length }) => length),
    listOf: Int32Array.from(nowOf, (one) => now.listOf[one]!),
    lists: now.lists,
  };
  return { classes, before: (rows) => spread(rows, oldOf), after: (rows) => spread(rows, nowOf) };
}

function spread(rows: readonly Bits[], classOf: readonly number[]): readonly Bits[] {
  if (rows.length === classOf.length && classOf.every((one, index) => one === index)) return rows;
  const wide = memoised((row: Bits) => {
    const bits = noBits(classOf.length);
    for (let index = 0; index < classOf.length; index++) if (has(row, classOf[index]!)) add(bits, index);
    return bits;
  });
  return classOf.map((one) => wide(rows[one]!));
}
