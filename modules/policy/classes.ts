/**
 * Peer classes: endpoints that no rule can tell apart are one.
 *
 *     peerClasses(state, nets)  -> PeerClasses
 *     tagged(classes, state)    -> by tag (all, or some): the classes that carry it
 *     within(classes, net)      -> the classes whose addresses are in it, or undefined if it cuts a class
 *     cutBy(classes, net)       -> PeerClasses that it does not cut: new ones at the end, all others keep their number
 *
 * Each thing that rules may ask of a peer is a number for each endpoint, and the classes are cut by one after the other:
 * today the list of profiles, which decides the tags as well since no two endpoints share an address, and the smallest of
 * the named networks that holds the address, which decides all the others, since networks nest.
 */
import { addressNumber, type Net } from './address.ts';
import { add, bitsOf, noBits, type Bits } from './bits.ts';
import type { PolicyState } from './model.ts';

export interface PeerClasses {
  readonly size: number;
  /** By endpoint. */
  readonly classOf: Int32Array;
  readonly addresses: Int32Array;
  /** By class: the indexes of its endpoints, and how many they are. */
  readonly members: readonly (readonly number[])[];
  readonly weights: readonly number[];
  /** By class: its list of profiles, as an index into `lists`. */
  readonly listOf: Int32Array;
  readonly lists: readonly (readonly string[])[];
  /** By list: its classes. */
  readonly classesOf: readonly (readonly number[])[];
  readonly all: Bits;
}

export function peerClasses(state: PolicyState, nets: readonly Net[]): PeerClasses {
  const addresses = Int32Array.from(state.endpoints, ({ address }) => addressNumber(address)!);
  const { numbers: listNumbers, lists } = profileLists(state);
  const smallest = smallestNet(nets);
  const { numbers: classOf, size } = cut(listNumbers, (endpoint) => smallest(addresses[endpoint]!));

  const members = Array.from({ length: size }, (): number[] => []);
  for (const [endpoint, index] of classOf.entries()) members[index]!.push(endpoint);
  const listOf = Int32Array.from(members, (one) => listNumbers[one[0]!]!);
  const classesOf = lists.map((): number[] => []);
  for (const [index, list] of listOf.entries()) classesOf[list]!.push(index);
  return {
    size,
    classOf,
    addresses,
    members,
    weights: members.map(({ length }) => length),
    listOf,
    lists,
    classesOf,
    all: bitsOf(size, () => true),
  };
}

export function tagged(
  { size, lists, classesOf }: PeerClasses,
  { profiles }: PolicyState,
  wanted: (tag: string) => boolean = () => true,
): Map<string, Bits> {
  const result = new Map<string, Bits>();
  for (const [list, names] of lists.entries()) {
    for (const name of names) {
      for (const tag of profiles.get(name)?.tags ?? []) {
        if (!wanted(tag)) continue;
        const bits = result.get(tag) ?? noBits(size);
        result.set(tag, bits);
        for (const index of classesOf[list]!) add(bits, index);
      }
    }
  }
  return result;
}

export function within({ size, members, addresses }: PeerClasses, { base, mask }: Net): Bits | undefined {
  const bits = noBits(size);
  const holds = (endpoint: number): boolean => (addresses[endpoint]! & mask) === base;
  for (let index = 0; index < size; index++) {
    const inside = holds(members[index]![0]!);
    if (members[index]!.some((endpoint) => holds(endpoint) !== inside)) return undefined;
    if (inside) add(bits, index);
  }
  return bits;
}

/** The classes cut by one more network, and for each new class the one that it was a part of. */
export function cutBy(
  classes: PeerClasses,
  { base, mask }: Net,
): { readonly classes: PeerClasses; readonly parents: readonly number[] } {
  const { addresses } = classes;
  const parents: number[] = [];
  const members = [...classes.members];
  const classesOf = [...classes.classesOf];
  const classOf = classes.classOf.slice();
  for (let index = 0; index < classes.size; index++) {
    const inside = members[index]!.filter((endpoint) => (addresses[endpoint]! & mask) === base);
    if (inside.length === 0 || inside.length === members[index]!.length) continue;
    const fresh = members.push(inside) - 1;
    members[index] = members[index]!.filter((endpoint) => (addresses[endpoint]! & mask) !== base);
    for (const endpoint of inside) classOf[endpoint] = fresh;
    const list = classes.listOf[index]!;
    classesOf[list] = [...classesOf[list]!, fresh];
    parents.push(index);
  }
  const cut = {
    ...classes,
    size: members.length,
    classOf,
    members,
    weights: members.map(({ length }) => length),
    listOf: Int32Array.from([...classes.listOf, ...parents.map((parent) => classes.listOf[parent]!)]),
    classesOf,
    all: bitsOf(members.length, () => true),
  };
  return { classes: cut, parents };
}

/** The parts that endpoints of one number fall into where a further number differs, numbered as they come. */
function cut(numbers: Int32Array, further: (endpoint: number) => number): { numbers: Int32Array; size: number } {
  const parts: Map<number, number>[] = [];
  let size = 0;
  const result = numbers.map((number, endpoint) => {
    const own = (parts[number] ??= new Map<number, number>());
    const other = further(endpoint);
    let part = own.get(other);
    if (part === undefined) own.set(other, (part = size++));
    return part;
  });
  return { numbers: result, size };
}

interface Branch {
  readonly next: Map<string, Branch>;
  list: number;
}

function profileLists({ endpoints }: PolicyState): { numbers: Int32Array; lists: readonly (readonly string[])[] } {
  const lists: (readonly string[])[] = [];
  const root: Branch = { next: new Map(), list: -1 };
  const numbers = Int32Array.from(endpoints, ({ profiles }) => {
    let branch = root;
    for (const name of profiles) {
      let next = branch.next.get(name);
      if (next === undefined) branch.next.set(name, (next = { next: new Map(), list: -1 }));
      branch = next;
    }
    if (branch.list < 0) branch.list = lists.push(profiles) - 1;
    return branch.list;
  });
  return { numbers, lists };
}

/** The index of the smallest network that holds an address; -1 for none. */
function smallestNet(nets: readonly Net[]): (address: number) => number {
  const masks = new Map<number, Map<number, number>>();
  for (const [index, { base, mask }] of nets.entries()) {
    const bases = masks.get(mask) ?? new Map<number, number>();
    masks.set(mask, bases.set(base, index));
  }
  // The longer a mask, the greater it is as an unsigned number.
  const sorted = [...masks].sort(([a], [b]) => (b >>> 0) - (a >>> 0));
  return (address) => {
    for (const [mask, bases] of sorted) {
      const index = bases.get(address & mask);
      if (index !== undefined) return index;
    }
    return -1;
  };
}
