/**
 * How one list of rules becomes another: which rules stay, and one order in which the old and the new all have a place.
 *
 *     editOf(before, after, context) -> ListEdit
 *
 * The fewest commands keep a longest common subsequence. A rule that stands in both lists and is not kept has to move:
 * it is removed before it is added, because calicoctl skips a rule that is there already. To move a deny opens what it
 * denied, so among the longest subsequences those win that keep the denies. What still moves is tried in the state in
 * which least is allowed; where even then something would open, a guard stands in: a deny of other words that covers it,
 * two commands more. Where moving the allows around it is cheaper, they move.
 */
import { strays, type Ends } from './opens.ts';
import type { Rule } from '../model.ts';
import { formatRule } from '../syntax/rule.ts';

export interface Item {
  readonly rule: Rule;
  readonly key: string;
  /** In both lists, in the old one only, in the new one only, or in neither: a guard is there for a while. */
  readonly origin: 'kept' | 'before' | 'after' | 'guard';
}

export interface ListEdit {
  /** All rules in an order that both lists follow. */
  readonly items: readonly Item[];
  /** New denies for which a guard, the next item, holds the place. */
  readonly guarded: ReadonlySet<Item>;
  /** Denies that move without a guard, in the order in which they may, while all that closes is done, and nothing else. */
  readonly moves: readonly Item[];
  /** Those of the moves that open something, because no words are left for a guard. */
  readonly unguarded: readonly Item[];
  /** Commands beyond the fewest. */
  readonly extra: number;
  /** When rules that change places do it in the gentle order; undefined where that would open something. */
  readonly gentle: Gentle | undefined;
  /** True when it is certain that the gentle order closes nothing that both lists allow. */
  readonly soft: boolean;
}

/** With the new rules, from top to bottom, or with the old ones, from bottom to top. */
type Gentle = 'coming' | 'going';

export interface Step {
  readonly kind: 'add' | 'remove';
  readonly item: Item;
}

export interface Context {
  /** False where no endpoint has the profile: then nothing can open. */
  readonly matters: boolean;
  /** No profile comes after this one on any endpoint. */
  readonly last: boolean;
  /** While denies move, no more may be open than the old list allows; otherwise the new one's flows may be as well. */
  readonly onlyBefore: boolean;
}

/** Longest common subsequences that are looked at. */
const mostTried = { short: 24, long: 2 };
const longList = 16;

export function editOf(before: readonly Rule[], wanted: readonly Rule[], context: Context): ListEdit {
  const old = before.map(itemOf('before'));
  const all = wanted.map(itemOf('after'));
  // The second of two equal rules never decides, and calicoctl adds none; if both are there already, they may stay.
  const after = equal(old, all) ? all : unique(all);
  const most = Math.max(old.length, after.length) + 1;
  const tries = most > longList ? mostTried.long : mostTried.short;
  const weights: readonly ((item: Item) => number)[] = [
    (item) => (isDeny(item) ? most + 1 : most),
    // To move a deny may still be gentler, where what it denies is allowed afterwards.
    () => 1,
    // A deny that moves under a guard costs twice what an allow does.
    (item) => (isDeny(item) ? 2 : 1),
  ];
  let fewest: number | undefined;
  let best: ListEdit | undefined;
  for (const weight of weights) {
    let tried = 0;
    for (const pairs of common(old, after, weight)) {
      const items = merge(old, after, pairs);
      fewest ??= commandsFor(items);
      const ends = { before, after: wanted };
      const draft = draftOf(items, ends, context);
      const extra = commandsFor(draft.items) + draft.guarded.size - fewest;
      const edit = { ...draft, extra, ...gentleOf(draft, ends, context) };
      if (best === undefined || rank(edit) < rank(best)) best = edit;
      if (rank(best) === 0 || ++tried === tries) break;
    }
    if (best !== undefined && rank(best) === 0) break;
  }
  return best!;
}

/** Safety first, then length, then gentleness. */
function rank({ unguarded, extra, gentle, soft }: ListEdit): number {
  return unguarded.length * 1e6 + extra * 4 + (gentle === undefined ? 2 : 0) + (soft ? 0 : 1);
}

/**
 * What comes, and then what goes. Each list on the way is as both lists together above the place of work, and as one of
 * them below. A rule that changes places goes just before it comes.
 */
export function gentleSteps(
  edit: Pick<ListEdit, 'items' | 'guarded'>,
  when: Gentle,
): { readonly coming: readonly Step[]; readonly going: readonly Step[] } {
  const { items, guarded } = edit;
  const gone = new Set<Item>();
  const remove = (item: Item): readonly Step[] => {
    if (gone.has(item)) return [];
    gone.add(item);
    return [{ kind: 'remove', item }];
  };
  const replace = (item: Item): readonly Step[] => [...equals(edit, item).flatMap(remove), { kind: 'add', item }];
  const comes = (item: Item) => item.origin === 'guard' || (item.origin === 'after' && !guarded.has(item));
  const moves = (item: Item) => comes(item) && equals(edit, item).length > 0;
  const coming = items.filter((item) => comes(item) && (when === 'coming' || !moves(item))).flatMap(replace);
  const going = items
    .toReversed()
    .filter((item) => item.origin === 'before' && !gone.has(item))
    .flatMap((item) => {
      const target = items.find((one) => one.key === item.key && moves(one));
      if (gone.has(item)) return [];
      return target === undefined ? remove(item) : replace(target);
    });
  return { coming, going };
}

/** Only packets that match a rule which changes places can be decided as neither end does. */
function gentleOf(draft: Draft, ends: Ends, { last, matters }: Context): Pick<ListEdit, 'gentle' | 'soft'> {
  const moves = draft.items.filter((item) => item.origin === 'after' && equals(draft, item).length > 0);
  const about = moves.map(({ rule }) => rule);
  if (about.length === 0 || !matters) return { gentle: 'coming', soft: true };
  if (draft.unguarded.length > 0) return { gentle: undefined, soft: false };
  let best: Pick<ListEdit, 'gentle' | 'soft'> = { gentle: undefined, soft: false };
  for (const when of ['coming', 'going'] as const) {
    const { coming, going } = gentleSteps(draft, when);
    const present = new Set(draft.items.filter(({ origin }) => origin === 'kept' || origin === 'before'));
    const lists = [...coming, ...going].map(({ kind, item }) => {
      if (kind === 'add') present.add(item);
      else present.delete(item);
      return draft.items.filter((one) => present.has(one)).map(({ rule }) => rule);
    });
    const never = (how: 'opens' | 'closes') => lists.every((list) => !strays(how, list, ends, about, last));
    // Moving an allow opens nothing.
    if (moves.some((item) => isDeny(item) && !draft.guarded.has(item)) && !never('opens')) continue;
    if (never('closes')) return { gentle: when, soft: true };
    best = { gentle: best.gentle ?? when, soft: false };
  }
  return best;
}

export function isDeny({ rule }: Item): boolean {
  return rule.action === 'deny';
}

/** Rules of the old list that have to go before this one can come. */
export function equals({ items }: Pick<ListEdit, 'items'>, item: Item): readonly Item[] {
  return items.filter(({ origin, key }) => origin === 'before' && key === item.key);
}

type Draft = Omit<ListEdit, 'extra' | 'gentle' | 'soft'>;
type Pair = readonly [number, number];

const itemOf =
  (origin: Item['origin']) =>
  (rule: Rule): Item => ({ rule, key: formatRule(rule), origin });

function equal(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every(({ key }, index) => key === b[index]!.key);
}

function unique(items: readonly Item[]): readonly Item[] {
  const keys = new Set<string>();
  return items.filter(({ key }) => !keys.has(key) && keys.add(key));
}

/** Each kept rule costs nothing, every other one a command; a guard comes and goes. */
function commandsFor(items: readonly Item[]): number {
  return items.reduce((sum, { origin }) => sum + (origin === 'kept' ? 0 : 1), 0);
}

/** Between kept rules the old come first, so that what is added at the end needs no position. */
function merge(before: readonly Item[], after: readonly Item[], pairs: readonly Pair[]): readonly Item[] {
  const items: Item[] = [];
  let [i, j] = [0, 0];
  for (const [at, to] of [...pairs, [before.length, after.length] as const]) {
    items.push(...before.slice(i, at), ...after.slice(j, to));
    if (at < before.length) items.push({ ...before[at]!, origin: 'kept' });
    [i, j] = [at + 1, to + 1];
  }
  return items;
}

/** Common subsequences of the greatest weight, as pairs of indexes, one after another. */
function* common(
  before: readonly Item[],
  after: readonly Item[],
  weight: (item: Item) => number,
): Generator<readonly Pair[]> {
  const width = after.length + 1;
  const best = new Float64Array((before.length + 1) * width);
  const at = (i: number, j: number) => best[i * width + j]!;
  const both = (i: number, j: number) =>
    before[i]!.key === after[j]!.key ? at(i + 1, j + 1) + weight(before[i]!) : -Infinity;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) best[i * width + j] = Math.max(at(i + 1, j), at(i, j + 1), both(i, j));
  }
  /** The pairs that may come first in a heaviest subsequence from here on. */
  function* from(i: number, j: number): Generator<readonly Pair[]> {
    if (at(i, j) === 0) {
      yield [];
      return;
    }
    const rest = at(i, j);
    for (let k = i; k < before.length && at(k, j) === rest; k++) {
      for (let l = j; l < after.length && at(k, l) === rest; l++) {
        if (both(k, l) !== rest) continue;
        for (const pairs of from(k + 1, l + 1)) yield [[k, l], ...pairs];
      }
    }
  }
  yield* from(0, 0);
}

/** Finds out which denies can move as they are, and gives the others a guard. */
function draftOf(merged: readonly Item[], ends: Ends, context: Context): Draft {
  let items = merged;
  const guarded = new Set<Item>();
  const moves: Item[] = [];
  let left = merged.filter(
    (item) => item.origin === 'after' && isDeny(item) && equals({ items: merged }, item).length > 0,
  );
  const unguarded: Item[] = [];
  if (!context.matters) return { items, guarded, moves: left, unguarded };

  const about = left.map(({ rule }) => rule);
  const measure = context.onlyBefore ? { before: ends.before, after: ends.before } : ends;
  /** What is there when all that closes is done, but for that deny; those that have moved are in their new place. */
  const closedWithout = (moving: Item): readonly Rule[] =>
    items
      .filter((item) => {
        if (item.key === moving.key) return false;
        if (item.origin === 'kept' || item.origin === 'guard') return true;
        if (!isDeny(item)) return false;
        const target = merged.find((one) => one.origin === 'after' && one.key === item.key);
        // A deny that only goes is still there, one that only comes is there already.
        if (target === undefined || equals({ items: merged }, target).length === 0) return true;
        return item.origin === 'after' ? moves.includes(item) : !moves.includes(target);
      })
      .map(({ rule }) => rule);
  // Its coming back only closes, so the moment without it is all that there is to try.
  const movable = (item: Item) => !strays('opens', closedWithout(item), measure, about, context.last);
  while (left.length > 0) {
    const fit = left.find(movable);
    const next = fit ?? left[0]!;
    const cover = fit === undefined ? coverOf(next.rule, items) : undefined;
    if (cover === undefined) {
      moves.push(next);
      if (fit === undefined) unguarded.push(next);
    } else {
      const guard = itemOf('guard')(cover);
      guarded.add(next);
      items = items.flatMap((item) => (item === next ? [item, guard] : [item]));
    }
    left = left.filter((item) => item !== next);
  }
  return { items, guarded, moves, unguarded };
}

/** A deny of other words that matches at least as much, as little more as can be had. */
function coverOf(rule: Rule, items: readonly Item[]): Rule | undefined {
  const { from, to, protocol, icmp } = rule;
  const any = { cidr: '0.0.0.0/0' };
  const action = 'deny' as const;
  const name = protocol === undefined ? {} : { protocol };
  const candidates: readonly Rule[] = [
    // Every IPv4 address; Felix up to 1.4, all that calicoctl 0.x knows, leaves the network out for IPv6.
    ...(from.cidr === undefined ? [{ ...rule, from: { ...from, ...any } }] : []),
    ...(to.cidr === undefined ? [{ ...rule, to: { ...to, ...any } }] : []),
    ...(from.cidr === undefined && to.cidr === undefined
      ? [{ ...rule, from: { ...from, ...any }, to: { ...to, ...any } }]
      : []),
    // A port may stand twice.
    ...(['from', 'to'] as const).flatMap((side) => {
      const ports = rule[side].ports ?? [];
      return ports.length === 0 ? [] : [{ ...rule, [side]: { ...rule[side], ports: [...ports, ports[0]!] } }];
    }),
    { action, ...name, ...(icmp === undefined ? {} : { icmp }), from, to: {} },
    { action, ...name, ...(icmp === undefined ? {} : { icmp }), from: {}, to },
    { action, ...name, from: {}, to: {} },
    { action, from: {}, to: {} },
    { action, from: any, to: {} },
    { action, from: {}, to: any },
    { action, from: any, to: any },
  ];
  const taken = new Set(items.map(({ key }) => key));
  return candidates.find((candidate) => !taken.has(formatRule(candidate)));
}
