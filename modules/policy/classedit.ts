/**
 * One profile edited: the matrix that results and the flows that open and close, without starting again.
 *
 *     edited(before, name, profile) -> Edited; no profile takes it away
 *
 * A profile reaches the lists that carry it, and by its tags the profiles whose rules name them: only the chains of those
 * are walked again, and only what differs in them is looked at. The classes of traffic stay unless the rules ask for a
 * difference that no rule asked for before; those of peers are cut where a CIDR of the new rules needs it.
 */
import { Refusal } from '../problem/problem.ts';
import { parseNet, type Net } from './address.ts';
import { add, eachBit, has, isEmpty, minus, noBits, or, same, type Bits } from './bits.ts';
import { changesOf, columnsBy, type ClassDiff } from './classdiff.ts';
import { cutBy, tagged, within } from './classes.ts';
import type { Rectangle } from './classrect.ts';
import { Kinds, readyProfile, usedKinds, widenedProfile } from './classrules.ts';
import { rowsOf, type Column } from './classrows.ts';
import { matrixFrom, matrixProblems, namedCidrs, peersOf, type Factors, type Matrix } from './matrix.ts';
import type { Peer, PolicyState, Profile } from './model.ts';

export interface Edited extends Pick<ClassDiff, 'changes' | 'opened' | 'closed'> {
  readonly matrix: Matrix;
}

export function edited(before: Matrix, name: string, profile: Profile | undefined): Edited {
  const problems = profile === undefined ? [] : matrixProblems({ endpoints: [], profiles: new Map([[name, profile]]) });
  if (problems.length > 0) throw new Refusal(problems);
  const factors = profile === undefined ? before.factors : cutFor(before.factors, profile);
  const { classes } = factors;
  const profiles = new Map(factors.state.profiles);
  if (profile === undefined) profiles.delete(name);
  else profiles.set(name, profile);
  const state: PolicyState = { ...factors.state, profiles };

  const { tags, ready, changed, kinds } = readied(factors, state, name);
  const oldKinds = usedKinds(factors.profiles.values(), kinds);
  const newKinds = usedKinds(ready.values(), kinds);
  const grown = !isEmpty(minus(newKinds, oldKinds));
  const traffic = grown ? kinds.traffic(or(oldKinds, newKinds)) : factors.traffic;
  const oldColumns = grown ? columnsBy(factors, traffic) : factors.columns;

  const lists = [...classes.lists.keys()].filter((list) => classes.lists[list]!.some((one) => changed.has(one)));
  const inbound = rowsOf(classes, ready, 'inbound');
  const outbound = rowsOf(classes, ready, 'outbound');
  const columns = traffic.map((one, index): Column => {
    const active = kinds.active(one);
    return {
      inbound: inbound(active, oldColumns[index]!.inbound, lists),
      outbound: outbound(active, oldColumns[index]!.outbound, lists),
    };
  });
  const touched = lists.flatMap((list) => classes.classesOf[list]!);
  const rectangles = columns.flatMap((column, index) => delta(touched, oldColumns[index]!, column, index));

  const common: Factors = { state, traffic, classes, tags, profiles: ready, kinds, columns };
  const own = grown ? kinds.traffic(newKinds) : traffic;
  const after = own === traffic ? common : { ...common, traffic: own, columns: columnsBy(common, own) };
  return { matrix: matrixFrom(after), ...changesOf(classes, before.endpoints, traffic, rectangles) };
}

/** The same matrix over classes that no CIDR of the profile cuts. */
function cutFor(factors: Factors, profile: Profile): Factors {
  let result = factors;
  for (const cidr of namedCidrs([profile])) {
    const net = parseNet(cidr);
    if (net !== undefined && within(result.classes, net) === undefined) result = cutFactors(result, net);
  }
  return result;
}

function cutFactors(factors: Factors, net: Net): Factors {
  const { classes, parents } = cutBy(factors.classes, net);
  const old = factors.classes.size;
  // Nearly all sets stand in many places.
  const known = new Map<Bits, Bits>();
  const widened = (bits: Bits): Bits => {
    let wide = known.get(bits);
    if (wide !== undefined) return wide;
    wide = noBits(classes.size);
    wide.set(bits);
    for (const [index, parent] of parents.entries()) if (has(bits, parent)) add(wide, old + index);
    known.set(bits, wide);
    return wide;
  };
  const rowsOver = () => {
    // Most rows of one class of traffic are those of the one before it, too.
    let last: readonly Bits[] = [];
    let wide: Bits[] = [];
    return (rows: readonly Bits[]): readonly Bits[] => {
      const next = rows.map((bits, index) => (bits === last[index] ? wide[index]! : widened(bits)));
      for (const parent of parents) next.push(next[parent]!);
      last = rows;
      wide = next;
      return next;
    };
  };
  const [inward, outward] = [rowsOver(), rowsOver()];
  return {
    ...factors,
    classes,
    tags: new Map([...factors.tags].map(([tag, bits]) => [tag, widened(bits)])),
    profiles: new Map([...factors.profiles].map(([name, one]) => [name, widenedProfile(one, widened)])),
    columns: factors.columns.map(({ inbound, outbound }) => ({
      inbound: inward(inbound),
      outbound: outward(outbound),
    })),
  };
}

interface Readied {
  readonly tags: Factors['tags'];
  readonly ready: Factors['profiles'];
  /** Names of the profiles whose answers may be others than before. */
  readonly changed: ReadonlySet<string>;
  readonly kinds: Kinds;
}

function readied(factors: Factors, state: PolicyState, name: string): Readied {
  const before = factors.state.profiles.get(name);
  const after = state.profiles.get(name);
  const retagged = before?.tags.join() !== after?.tags.join();
  // Which classes a tag holds for is asked by the rules of other profiles as well.
  const moved = new Set(retagged ? [...(before?.tags ?? []), ...(after?.tags ?? [])] : []);
  const tags = new Map(factors.tags);
  for (const tag of moved) tags.delete(tag);
  if (retagged) for (const [tag, bits] of tagged(factors.classes, state, (one) => moved.has(one))) tags.set(tag, bits);
  const names = (peer: Peer): boolean => peer.tag !== undefined && moved.has(peer.tag);
  const changed = new Set([name]);
  if (moved.size > 0) {
    for (const [other, { inbound, outbound }] of state.profiles) {
      if ([...inbound, ...outbound].some(({ from, to }) => names(from) || names(to))) changed.add(other);
    }
  }
  const kinds = new Kinds(factors.kinds);
  const peers = peersOf(factors.classes, tags);
  const ready = new Map(factors.profiles);
  for (const one of changed) {
    const profile = state.profiles.get(one);
    const made = profile && readyProfile(profile, peers, kinds);
    if (made === undefined) ready.delete(one);
    else ready.set(one, made);
  }
  return { tags, ready, changed, kinds };
}

/** The flows that differ where the chains of some classes do, each once. */
function delta(touched: readonly number[], before: Column, after: Column, traffic: number): readonly Rectangle[] {
  const found: Rectangle[] = [];
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
