/**
 * Who reaches whom, for all endpoints and classes of traffic at once.
 *
 *     matrixOf(state, traffic)     -> Matrix; throws a Refusal for a state that cannot be decided
 *     matrix.allowed(f, t, c)      -> by index into matrix.endpoints and matrix.traffic
 *     diff(before, after)          -> the cells that open and that close
 *
 * It stays factored: endpoints that no rule can tell apart are one peer class, and for each class, direction and traffic
 * there is one bitset over the peer classes. A cell is two bits of it: the source's outbound, the destination's inbound.
 */
import { Refusal } from '../problem/problem.ts';
import { addressNumber, parseNet } from './address.ts';
import { tagMembers } from './chain.ts';
import type { Direction, Endpoint, Packet, Peer, PolicyState, Rule, Traffic } from './model.ts';
import { inPorts } from './ports.ts';
import { packetOf } from './traffic.ts';
import { profileFault, stateProblems } from './valid.ts';

export interface Matrix {
  readonly endpoints: readonly Endpoint[];
  readonly traffic: readonly Traffic[];
  /** False for an index that does not exist. An endpoint always reaches itself. */
  readonly allowed: (from: number, to: number, traffic: number) => boolean;
}

/** Indexes into the endpoints and the traffic of both matrices. */
export interface MatrixCell {
  readonly from: number;
  readonly to: number;
  readonly traffic: number;
}

export interface MatrixDiff {
  readonly opened: readonly MatrixCell[];
  readonly closed: readonly MatrixCell[];
}

export function matrixOf(state: PolicyState, traffic: readonly Traffic[]): Matrix {
  const problems = stateProblems(state);
  if (problems.length > 0) throw new Refusal(problems);
  const space = peerSpace(state);
  const packets = traffic.map(packetOf);
  // By traffic, then by class: the peer classes that its chain lets through.
  const sets = (direction: Direction) => {
    const profiles = halves(state, space, direction);
    return packets.map((packet) => chains(space, profiles, packet));
  };
  const inbound = sets('inbound');
  const outbound = sets('outbound');
  return {
    endpoints: state.endpoints,
    traffic,
    allowed: (from, to, index) => {
      const source = space.classOf[from];
      const target = space.classOf[to];
      if (source === undefined || target === undefined || index >= traffic.length) return false;
      return from === to || (has(outbound[index]![source]!, target) && has(inbound[index]![target]!, source));
    },
  };
}

export function diff(before: Matrix, after: Matrix): MatrixDiff {
  const ids = (matrix: Matrix) => JSON.stringify(matrix.endpoints.map(({ id }) => id));
  const classes = (matrix: Matrix) => JSON.stringify(matrix.traffic);
  if (ids(before) !== ids(after) || classes(before) !== classes(after)) {
    throw new TypeError('only matrices over the same endpoints and the same traffic can be compared');
  }
  const opened: MatrixCell[] = [];
  const closed: MatrixCell[] = [];
  for (const from of after.endpoints.keys()) {
    for (const to of after.endpoints.keys()) {
      for (const traffic of after.traffic.keys()) {
        const now = after.allowed(from, to, traffic);
        if (now !== before.allowed(from, to, traffic)) (now ? opened : closed).push({ from, to, traffic });
      }
    }
  }
  return { opened, closed };
}

/** A set of peer classes, 32 to the word. */
type Bits = Uint32Array;

function has(bits: Bits, index: number): boolean {
  return ((bits[index >>> 5]! >>> (index & 31)) & 1) === 1;
}

interface PeerSpace {
  /** By endpoint. */
  readonly classOf: readonly number[];
  /** By class: its list of profiles, as an index into `lists`. */
  readonly listOf: readonly number[];
  readonly lists: readonly (readonly string[])[];
  /** By tag and by CIDR that rules name: the classes that are in it. */
  readonly tags: ReadonlyMap<string, Bits>;
  readonly cidrs: ReadonlyMap<string, Bits>;
  /** All classes. */
  readonly all: Bits;
}

/** Endpoints are one class when they have the same profiles, and every tag and CIDR of the rules holds all or none. */
function peerSpace(state: PolicyState): PeerSpace {
  const peers = [...state.profiles.values()]
    .flatMap(({ inbound, outbound }) => [...inbound, ...outbound])
    .flatMap(({ from, to }) => [from, to]);
  const members = tagMembers(state);
  const tags = named(peers.map(({ tag }) => tag)).map((tag) => ({ tag, members: members.get(tag) }));
  const nets = named(peers.map(({ cidr }) => cidr)).flatMap((cidr) => {
    const net = parseNet(cidr);
    return net === undefined ? [] : [{ cidr, net }];
  });
  const lists = new Map<string, { readonly number: number; readonly profiles: readonly string[] }>();
  const classes = new Map<string, { readonly number: number; readonly address: number; readonly list: number }>();
  const classOf = state.endpoints.map(({ address: text, profiles }) => {
    const address = addressNumber(text)!;
    const list = JSON.stringify(profiles);
    if (!lists.has(list)) lists.set(list, { number: lists.size, profiles });
    let key = list;
    for (const { members: set } of tags) key += set?.has(address) === true ? '1' : '0';
    for (const { net } of nets) key += (address & net.mask) === net.base ? '1' : '0';
    if (!classes.has(key)) classes.set(key, { number: classes.size, address, list: lists.get(list)!.number });
    return classes.get(key)!.number;
  });
  const bits = (holds: (address: number) => boolean): Bits => {
    const set = new Uint32Array((classes.size + 31) >>> 5);
    for (const { number, address } of classes.values()) if (holds(address)) set[number >>> 5]! |= 1 << (number & 31);
    return set;
  };
  return {
    classOf,
    listOf: [...classes.values()].map(({ list }) => list),
    lists: [...lists.values()].map(({ profiles }) => profiles),
    tags: new Map(tags.map(({ tag, members: set }) => [tag, bits((address) => set?.has(address) === true)])),
    cidrs: new Map(nets.map(({ cidr, net }) => [cidr, bits((address) => (address & net.mask) === net.base)])),
    all: bits(() => true),
  };
}

function named(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

/** One direction of a valid profile. A missing or invalid one drops everything and has no half. */
interface Half {
  readonly rules: readonly HalfRule[];
  /** True when a rule asks something of the endpoint's own side, so that its answer is not the same for all. */
  readonly particular: boolean;
}

/** A rule as one endpoint's chain sees it: the classes that match as peer, and those that match as the endpoint. */
interface HalfRule {
  readonly rule: Rule;
  readonly peer: Bits;
  readonly own: Bits | undefined;
}

function halves(state: PolicyState, space: PeerSpace, direction: Direction): ReadonlyMap<string, Half> {
  const result = new Map<string, Half>();
  for (const profile of state.profiles.values()) {
    if (profileFault(profile) !== undefined) continue;
    const rules = profile[direction].map((rule): HalfRule => {
      const [peer, own] = direction === 'inbound' ? [rule.from, rule.to] : [rule.to, rule.from];
      return { rule, peer: matching(space, peer) ?? space.all, own: matching(space, own) };
    });
    result.set(profile.name, { rules, particular: rules.some(({ own }) => own !== undefined) });
  }
  return result;
}

/** The classes whose address the peer matches; undefined when it asks nothing of the address. */
function matching(space: PeerSpace, { tag, cidr }: Peer): Bits | undefined {
  const tagged = tag === undefined ? undefined : space.tags.get(tag)!;
  const within = cidr === undefined ? undefined : space.cidrs.get(cidr)!;
  return tagged !== undefined && within !== undefined
    ? tagged.map((word, index) => word & within[index]!)
    : (tagged ?? within);
}

/** By class: the peer classes that its chain lets through. Equal chains are one set. */
function chains(space: PeerSpace, profiles: ReadonlyMap<string, Half>, packet: Packet): readonly Bits[] {
  const answers = new Map<string, Answer>();
  const answer = (name: string, own: number): Answer => {
    const half = profiles.get(name);
    const key = half?.particular === true ? `${own} ${name}` : name;
    const known = answers.get(key) ?? answerOf(space, half, packet, own);
    answers.set(key, known);
    return known;
  };
  const shared = new Map<number, Bits>();
  return space.listOf.map((list, own) => {
    const names = space.lists[list]!;
    // Most profiles ask nothing of the own side; then all classes with the same list share one chain.
    const particular = names.some((name) => profiles.get(name)?.particular);
    const known = particular ? undefined : shared.get(list);
    if (known !== undefined) return known;
    const allow = new Uint32Array(space.all.length);
    const undecided = Uint32Array.from(space.all);
    for (const name of names) {
      const { allow: through, undecided: left } = answer(name, own);
      for (let word = 0; word < allow.length; word++) {
        allow[word]! |= undecided[word]! & through[word]!;
        undecided[word]! &= left[word]!;
      }
    }
    shared.set(list, allow);
    return allow;
  });
}

/** What a profile does with each peer class: let it through, drop it (neither), or leave it to the next profile. */
interface Answer {
  readonly allow: Bits;
  readonly undecided: Bits;
}

function answerOf(space: PeerSpace, half: Half | undefined, packet: Packet, own: number): Answer {
  const allow = new Uint32Array(space.all.length);
  if (half === undefined) return { allow, undecided: allow };
  const undecided = Uint32Array.from(space.all);
  for (const { rule, peer, own: asked } of half.rules) {
    if (!matchesTraffic(rule, packet) || (asked !== undefined && !has(asked, own))) continue;
    for (let word = 0; word < allow.length; word++) {
      const hit = undecided[word]! & peer[word]!;
      if (rule.action === 'allow') allow[word]! |= hit;
      undecided[word]! &= ~hit;
    }
  }
  return { allow, undecided };
}

function matchesTraffic(rule: Rule, packet: Packet): boolean {
  if (rule.protocol !== undefined && rule.protocol !== packet.protocol) return false;
  if (packet.protocol === 'icmp') {
    if (rule.icmp === undefined) return true;
    return rule.icmp.type === packet.type && (rule.icmp.code ?? packet.code) === packet.code;
  }
  return onPort(rule.from, packet.sourcePort) && onPort(rule.to, packet.port);
}

function onPort({ ports }: Peer, port: number): boolean {
  return ports === undefined || ports.length === 0 || inPorts(ports, port);
}
