/**
 * One profile edited: the matrix that results and the flows that open and close, without starting again.
 *
 *     edited(before, name, profile) -> Edited; no profile takes it away
 *
 * A profile reaches the lists that carry it, and by its tags the profiles whose rules name them: only the chains of those
 * are walked again, and only what differs in them is looked at. The classes of traffic stay unless the rules ask for a
 * difference that no rule asked for before; those of peers are cut where a CIDR of the new rules needs it.
 */
import { add, copier, eachBit, has, isEmpty, minus, noBits, or, same, type Bits } from './bits.ts';
import { changesOf, classDiff, columnsBy, rulesOf, type ClassDiff } from './diff.ts';
import { cutBy, tagged, whole } from './classes.ts';
import { truths } from './labels.ts';
import { inNet } from './nets.ts';
import type { Rectangle } from './rectangles.ts';
import { again, Kinds, readyRules, usedKinds, widenedRules, type ReadyRules } from './rules.ts';
import { renderedRules, type BothRules } from './scope.ts';
import { columnsOf, type Column } from './rows.ts';
import { matrixFrom, matrixIn, named, peersOf, selectedBits, type Factors, type Matrix } from './matrix.ts';
import type { PeerMatch, PolicyState, Profile, Traffic } from '../model.ts';
import type { AnyTraffic } from '../traffic.ts';
import { profileFault } from '../valid.ts';

export interface Edited<T extends AnyTraffic = Traffic> extends Pick<ClassDiff<T>, 'changes' | 'opened' | 'closed'> {
  readonly matrix: Matrix<T>;
}

export function edited<T extends AnyTraffic>(before: Matrix<T>, name: string, profile: Profile | undefined): Edited<T> {
  const { state: old, scope } = before.factors;
  const profiles = new Map(old.profiles);
  if (profile === undefined) profiles.delete(name);
  else profiles.set(name, profile);
  const state: PolicyState = { ...old, profiles };
  const valid = profile !== undefined && profileFault(profile, scope.felix) === undefined;
  const rules = valid ? renderedRules(profile, scope) : undefined;
  if (isFarReaching(before.factors, name, profile, rules)) return startedAgain(before, state);

  const factors = rules === undefined ? before.factors : cutFor({ ...before.factors, state }, rules);
  const { classes } = factors;
  const made = readied(factors, old, state, name, rules);
  const { traffic, active, oldColumns, told } = trafficFor(factors, made, name);

  const chains = touchedChains(factors, made);
  const columnOf = columnsOf({ ...factors, ...made });
  const columns = active.map((one, index) => columnOf(one, oldColumns[index], chains));
  const touched = chains.flatMap((chain) => classes.classesOf[chain]!);
  const rectangles = columns.flatMap((column, index) => delta(touched, oldColumns[index]!, column, index));

  const common: Factors<T> = { ...factors, ...made, state, traffic, active, told, columns };
  return { matrix: matrixFrom(tidied(common, factors)), ...changesOf(classes, before.endpoints, traffic, rectangles) };
}

/** Classes of traffic that neither the rules of before nor the new ones cut, and the old columns over them. */
function trafficFor<T extends AnyTraffic>(
  factors: Factors<T>,
  { profiles, kinds }: Readied,
  name: string,
): Pick<Factors<T>, 'traffic' | 'active' | 'told'> & { readonly oldColumns: readonly Column[] } {
  const told = noBits(kinds.size);
  told.set(factors.told);
  const edit = profiles.get(name);
  const fresh = usedKinds(edit === undefined ? [] : [edit], kinds);
  const actives = (traffic: readonly T[]): readonly Bits[] => traffic.map((one) => kinds.active(one));
  if (isEmpty(minus(fresh, told))) {
    const active = kinds.size === factors.kinds.size ? factors.active : actives(factors.traffic);
    return { traffic: factors.traffic, active, told, oldColumns: factors.columns };
  }
  const all = or(usedKinds(rulesOf(factors), kinds), fresh);
  const traffic = factors.classify(kinds.rules(all));
  return { traffic, active: actives(traffic), told: all, oldColumns: columnsBy(factors, traffic) };
}

/** Without classes of traffic that only rules of before the edit told apart, if there are new ones anyway. */
function tidied<T extends AnyTraffic>(common: Factors<T>, before: Factors<T>): Factors<T> {
  if (common.traffic === before.traffic) return common;
  const told = usedKinds(rulesOf(common), common.kinds);
  if (same(told, common.told)) return common;
  const traffic = common.classify(common.kinds.rules(told));
  const active = traffic.map((one) => common.kinds.active(one));
  return { ...common, traffic, active, told, columns: columnsBy(common, traffic) };
}

/** Labels that selectors look at, and marks that travel between chains on a host: both are rare, and reach everywhere. */
function isFarReaching<T extends AnyTraffic>(
  { state, travels, selectors }: Factors<T>,
  name: string,
  profile: Profile | undefined,
  rules: BothRules | undefined,
): boolean {
  const labels = (one: Profile | undefined): string => JSON.stringify(Object.entries(one?.labels ?? {}).sort());
  const relabelled = labels(state.profiles.get(name)) !== labels(profile);
  const passes = [...(rules?.inbound ?? []), ...(rules?.outbound ?? [])].some(({ action }) => action === 'next-tier');
  return (
    travels || (relabelled && selectors.size > 0) || (passes && state.endpoints.some(({ host }) => host !== undefined))
  );
}

function startedAgain<T extends AnyTraffic>(before: Matrix<T>, state: PolicyState): Edited<T> {
  const { scope, classify } = before.factors;
  const matrix = matrixIn(state, scope, classify);
  const { changes, opened, closed } = classDiff(before, matrix);
  return { matrix, changes, opened, closed };
}

/** The same matrix over classes that no CIDR and no selector of the rules cuts. */
function cutFor<T extends AnyTraffic>(factors: Factors<T>, rules: BothRules): Factors<T> {
  const { state, classes } = factors;
  const fresh = named([rules], 'selector').filter((text) => !factors.selectors.has(text));
  const sets = [
    ...named([rules], 'cidr').map((cidr) => inNet(classes.order, cidr)),
    ...(fresh.length === 0 ? [] : chosenBy(factors, fresh)),
  ];
  const cutting = sets.filter((set) => whole(classes, set) === undefined);
  const result = cutting.length === 0 ? factors : cutFactors(factors, cutting);
  if (fresh.length === 0) return result;
  return { ...result, selectors: new Map([...result.selectors, ...selectedBits(result.classes, state, fresh)]) };
}

/** The endpoints that each of some selectors matches. */
function chosenBy<T extends AnyTraffic>(
  { state, classes }: Factors<T>,
  selectors: readonly string[],
): readonly Int32Array[] {
  const { of, sets } = truths(state, selectors);
  const numbers = classes.order.endpoints.map(of);
  return selectors.map((text) => classes.order.endpoints.filter((_, at) => sets[numbers[at]!]!.has(text)));
}

function cutFactors<T extends AnyTraffic>(factors: Factors<T>, sets: readonly Int32Array[]): Factors<T> {
  const { classes, parents } = cutBy(factors.classes, sets);
  const old = factors.classes.size;
  const copy = copier(classes.size);
  // Mostly the last word has room for the new classes, and sets without their parents need not change.
  const roomy = noBits(old).length === noBits(classes.size).length;
  const known = new Map<Bits, Bits>();
  const widened = (bits: Bits): Bits => {
    if (roomy && !parents.some((parent) => has(bits, parent))) return bits;
    let wide = known.get(bits);
    if (wide !== undefined) return wide;
    wide = copy(bits);
    for (let index = 0; index < parents.length; index++) if (has(bits, parents[index]!)) add(wide, old + index);
    known.set(bits, wide);
    return wide;
  };
  const rowsOver = () => {
    // Most rows of one class of traffic are those of the one before it, too.
    let last: readonly Bits[] = [];
    let wide: Bits[] = [];
    return (rows: readonly Bits[]): readonly Bits[] => {
      const next = rows.slice();
      for (let index = 0; index < old; index++) {
        next[index] = rows[index] === last[index] ? wide[index]! : widened(rows[index]!);
      }
      for (const parent of parents) next.push(next[parent]!);
      last = rows;
      wide = next;
      return next;
    };
  };
  const [inward, outward] = [rowsOver(), rowsOver()];
  const over = <Key, Value>(map: ReadonlyMap<Key, Value>, change: (value: Value) => Value): ReadonlyMap<Key, Value> =>
    new Map([...map].map(([key, value]) => [key, change(value)]));
  return {
    ...factors,
    classes,
    tags: over(factors.tags, widened),
    selectors: over(factors.selectors, widened),
    profiles: over(factors.profiles, (one) => widenedRules(one, widened)),
    policies: over(factors.policies, (one) => widenedRules(one, widened)),
    columns: factors.columns.map(({ inbound, outbound }) => ({
      inbound: inward(inbound),
      outbound: outward(outbound),
    })),
  };
}

type Readied = Pick<Factors, 'tags' | 'profiles' | 'policies' | 'kinds'>;

/** Which classes a tag holds for is asked by the rules of other profiles as well. */
function readied<T extends AnyTraffic>(
  factors: Factors<T>,
  old: PolicyState,
  state: PolicyState,
  name: string,
  rules: BothRules | undefined,
): Readied {
  const before = old.profiles.get(name)?.tags ?? [];
  const after = state.profiles.get(name)?.tags ?? [];
  const moved = new Set(before.join() === after.join() ? [] : [...before, ...after]);
  const tags = new Map(factors.tags);
  for (const tag of moved) tags.delete(tag);
  if (moved.size > 0)
    for (const [tag, bits] of tagged(factors.classes, state, (one) => moved.has(one))) tags.set(tag, bits);
  const kinds = new Kinds(factors.kinds);
  const peers = peersOf(factors.classes, tags, factors.selectors);
  const touches = ({ tag }: PeerMatch): boolean => tag !== undefined && moved.has(tag);
  const over = <Key>(map: ReadonlyMap<Key, ReadyRules>): Map<Key, ReadyRules> =>
    new Map(moved.size === 0 ? map : [...map].map(([key, one]) => [key, again(one, touches, peers)]));
  const profiles = over(factors.profiles);
  if (rules === undefined) profiles.delete(name);
  else profiles.set(name, readyRules(rules, peers, kinds));
  return { tags, profiles, policies: over(factors.policies), kinds };
}

/** The chains that carry a profile or policy whose rules are not the very same as before. */
function touchedChains<T extends AnyTraffic>(before: Factors<T>, after: Readied): readonly number[] {
  const { chains } = before.classes;
  return [...chains.keys()].filter((chain) => {
    const { profiles, tiers } = chains[chain]!;
    return (
      profiles.some((name) => before.profiles.get(name) !== after.profiles.get(name)) ||
      tiers.some((tier) => tier.policies.some((one) => before.policies.get(one) !== after.policies.get(one)))
    );
  });
}

/** The flows that differ where the chains of some classes do, each once. */
function delta(touched: readonly number[], before: Column, after: Column, traffic: number): readonly Rectangle[] {
  const found: Rectangle[] = [];
  if (before.outbound === after.outbound && before.inbound === after.inbound) return found;
  for (const { classes, was, is } of differing(touched, before.outbound, after.outbound)) {
    // A destination that the sources' chains newly let through: open for those that it lets in now. And the reverse.
    for (const [to, from] of grouped(minus(is, was), classes, (target, word) => after.inbound[target]![word]!)) {
      found.push({ opens: true, from, to, traffic: [traffic] });
    }
    for (const [to, from] of grouped(minus(was, is), classes, (target, word) => before.inbound[target]![word]!)) {
      found.push({ opens: false, from, to, traffic: [traffic] });
    }
  }
  for (const { classes, was, is } of differing(touched, before.inbound, after.inbound)) {
    // Only where the source's chain says the same as before: the others have been looked at.
    const stays: WordOf = (source, word) => before.outbound[source]![word]! & after.outbound[source]![word]!;
    for (const [from, to] of grouped(minus(is, was), classes, stays)) {
      found.push({ opens: true, from, to, traffic: [traffic] });
    }
    for (const [from, to] of grouped(minus(was, is), classes, stays)) {
      found.push({ opens: false, from, to, traffic: [traffic] });
    }
  }
  return found;
}

interface Differing {
  readonly classes: Bits;
  readonly was: Bits;
  readonly is: Bits;
}

/** The touched classes whose rows differ, those with equal rows together. */
function differing(touched: readonly number[], before: readonly Bits[], after: readonly Bits[]): readonly Differing[] {
  const found: Differing[] = [];
  for (const index of touched) {
    const [was, is] = [before[index]!, after[index]!];
    if (same(was, is)) continue;
    let one = found.find((other) => other.was === was && other.is === is);
    if (one === undefined) found.push((one = { classes: new Int32Array(was.length), was, is }));
    add(one.classes, index);
  }
  return found;
}

/** A word of the row that stands at an index. */
type WordOf = (index: number, word: number) => number;

/** The indexes in groups whose rows have the same part within `classes`; none for an empty part. */
function grouped(indexes: Bits, classes: Bits, wordOf: WordOf): Iterable<readonly [group: Bits, part: Bits]> {
  if (isEmpty(indexes)) return [];
  // The classes of an edit are few: only words that hold one are looked at.
  const words = [...classes.keys()].filter((word) => classes[word] !== 0);
  const groups = new Map<string, readonly [Bits, Bits]>();
  const group = (key: string, index: number): readonly [Bits, Bits] => {
    const part = new Int32Array(classes.length);
    for (const word of words) part[word] = wordOf(index, word) & classes[word]!;
    const made = [new Int32Array(indexes.length), part] as const;
    groups.set(key, made);
    return made;
  };
  eachBit(indexes, (index) => {
    let any = false;
    let all = true;
    for (const word of words) {
      const part = wordOf(index, word) & classes[word]!;
      any ||= part !== 0;
      all &&= part === classes[word];
    }
    if (!any) return;
    const key = all ? 'all' : words.map((word) => wordOf(index, word) & classes[word]!).join();
    add((groups.get(key) ?? group(key, index))[0], index);
  });
  return groups.values();
}
