/**
 * Peer classes: endpoints that no rule can tell apart are one.
 *
 *     peerClasses(state, asked)   -> PeerClasses
 *     tagged(classes, state)      -> by tag (all, or some): the classes that carry it
 *     whole(classes, endpoints)   -> the classes of these endpoints, or undefined if they are but a part of a class
 *     cutBy(classes, endpoints)   -> PeerClasses that they do not cut: new ones at the end, all others keep their number
 *
 * Each thing that rules may ask of a peer is a number for each endpoint, and the classes are cut by one after the other:
 * the list of profiles, which decides the tags as well since no two endpoints share an address; the smallest of the
 * named networks that holds the address; which of the named selectors hold; whether it is active; and its host, where
 * the mark of next-tier can travel along on it.
 */
import { add, bitsOf, noBits, type Bits } from './bits.ts';
import { carriedBy, type CarriedBy } from '../carried.ts';
import { truths } from './labels.ts';
import { addressOrder, smallestNets, type AddressOrder } from './nets.ts';
import type { Felix } from '../felix.ts';
import type { IpVersion, PolicyState } from '../model.ts';

export interface PeerClasses {
  readonly size: number;
  /** By endpoint; -1 for one without an address of the IP version. */
  readonly classOf: Int32Array;
  readonly order: AddressOrder;
  /** By class: the indexes of its endpoints, and how many they are. */
  readonly members: readonly (readonly number[])[];
  readonly weights: readonly number[];
  /** By class: its list of profiles, as an index into `lists`. */
  readonly listOf: Int32Array;
  readonly lists: readonly (readonly string[])[];
  /** What is walked for a class: all classes with the same tiers and profiles share one. */
  readonly chains: readonly CarriedBy[];
  /** By chain: its classes. */
  readonly classesOf: readonly (readonly number[])[];
  /** By class: its chain. */
  readonly chainOf: Int32Array;
  readonly all: Bits;
}

/** What the rules of a state ask of peers. */
export interface Asked {
  readonly version: IpVersion;
  readonly felix: Felix;
  readonly cidrs: readonly string[];
  readonly selectors: ReadonlySet<string>;
  readonly byHost: boolean;
}

export function peerClasses(state: PolicyState, asked: Asked): PeerClasses {
  const { endpoints } = state;
  const order = addressOrder(endpoints, asked.version);
  const { numbers: listNumbers, lists } = profileLists(state);
  const nets = smallestNets(order, asked.cidrs, endpoints.length);
  const addressed = new Uint8Array(endpoints.length);
  for (const endpoint of order.endpoints) addressed[endpoint] = 1;
  const present = listNumbers.map((list, endpoint) => (addressed[endpoint] === 1 ? list : -1));
  let parts = cut(present, (endpoint) => nets[endpoint]!);
  if (asked.selectors.size > 0) parts = cut(parts.numbers, truths(state, asked.selectors).of);
  if (endpoints.some((one) => one.state === 'inactive')) {
    parts = cut(parts.numbers, (endpoint) => (endpoints[endpoint]!.state === 'inactive' ? 1 : 0));
  }
  if (asked.byHost) {
    const hosts = new Map([...new Set(endpoints.map(({ host }) => host))].map((host, index) => [host, index]));
    parts = cut(parts.numbers, (endpoint) => hosts.get(endpoints[endpoint]!.host)!);
  }
  const { numbers: classOf, size } = parts;
  const members = Array.from({ length: size }, (): number[] => []);
  for (const [endpoint, index] of classOf.entries()) if (index >= 0) members[index]!.push(endpoint);
  return {
    size,
    classOf,
    order,
    members,
    weights: members.map(({ length }) => length),
    listOf: Int32Array.from(members, (one) => listNumbers[one[0]!]!),
    lists,
    ...chainsOf(state, asked.felix, members),
    all: bitsOf(size, () => true),
  };
}

/** Any member of a class speaks for all of it. */
function chainsOf(
  state: PolicyState,
  felix: Felix,
  members: PeerClasses['members'],
): Pick<PeerClasses, 'chains' | 'classesOf' | 'chainOf'> {
  const carried = carriedBy(state, felix);
  const numbers = new Map<string, number>();
  const chains: CarriedBy[] = [];
  const classesOf: number[][] = [];
  const chainOf = Int32Array.from(members, ([first]) => {
    const one = carried(state.endpoints[first!]!);
    const key = `${one.inactive} ${one.key}`;
    const number = numbers.get(key) ?? chains.push(one) - 1;
    numbers.set(key, number);
    return number;
  });
  for (const [index, chain] of chainOf.entries()) (classesOf[chain] ??= []).push(index);
  return { chains, classesOf, chainOf };
}

export function tagged(
  { size, lists, listOf }: PeerClasses,
  { profiles }: PolicyState,
  wanted: (tag: string) => boolean = () => true,
): Map<string, Bits> {
  const result = new Map<string, Bits>();
  const tags = lists.map((names) => names.flatMap((name) => (profiles.get(name)?.tags ?? []).filter(wanted)));
  for (const [index, list] of listOf.entries()) {
    for (const tag of tags[list]!) {
      const bits = result.get(tag) ?? noBits(size);
      result.set(tag, bits);
      add(bits, index);
    }
  }
  return result;
}

export function whole({ size, classOf, weights }: PeerClasses, endpoints: Int32Array): Bits | undefined {
  const counts = countsOf(size, classOf, endpoints);
  const bits = noBits(size);
  for (let index = 0; index < size; index++) {
    if (counts[index] === 0) continue;
    if (counts[index] !== weights[index]) return undefined;
    add(bits, index);
  }
  return bits;
}

function countsOf(size: number, classOf: Int32Array, endpoints: Int32Array): Int32Array {
  const counts = new Int32Array(size);
  for (const endpoint of endpoints) counts[classOf[endpoint]!]!++;
  return counts;
}

/** The classes cut by each of some sets of endpoints, and for each new class the one of before that it is a part of. */
export function cutBy(
  classes: PeerClasses,
  sets: readonly Int32Array[],
): { readonly classes: PeerClasses; readonly parents: readonly number[] } {
  const classOf = classes.classOf.slice();
  const members = [...classes.members];
  const parents: number[] = [];
  for (const inside of sets) {
    const counts = countsOf(members.length, classOf, inside);
    for (let index = 0, { length } = counts; index < length; index++) {
      if (counts[index] === 0 || counts[index] === members[index]!.length) continue;
      const fresh = members.length;
      for (const endpoint of inside) if (classOf[endpoint] === index) classOf[endpoint] = fresh;
      members.push(members[index]!.filter((endpoint) => classOf[endpoint] === fresh));
      members[index] = members[index]!.filter((endpoint) => classOf[endpoint] === index);
      parents.push(parents[index - classes.size] ?? index);
    }
  }
  const chainOf = longer(classes.chainOf, parents);
  const classesOf = [...classes.classesOf];
  for (let index = classes.size; index < members.length; index++) {
    classesOf[chainOf[index]!] = [...classesOf[chainOf[index]!]!, index];
  }
  const result: PeerClasses = {
    ...classes,
    size: members.length,
    classOf,
    members,
    weights: members.map(({ length }) => length),
    listOf: longer(classes.listOf, parents),
    chainOf,
    classesOf,
    all: bitsOf(members.length, () => true),
  };
  return { classes: result, parents };
}

/** New classes have what their parents have. */
function longer(numbers: Int32Array, parents: readonly number[]): Int32Array {
  const result = new Int32Array(numbers.length + parents.length);
  result.set(numbers);
  for (const [index, parent] of parents.entries()) result[numbers.length + index] = numbers[parent]!;
  return result;
}

interface Parts {
  readonly numbers: Int32Array;
  readonly size: number;
}

/** The parts that endpoints of one number fall into where a further number differs, numbered as they come. */
function cut(numbers: Int32Array, further: (endpoint: number) => number): Parts {
  const parts: Map<number, number>[] = [];
  let size = 0;
  const result = numbers.map((number, endpoint) => {
    if (number < 0) return -1;
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
