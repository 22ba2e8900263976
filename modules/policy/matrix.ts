/**
 * Who reaches whom, for all endpoints and classes of traffic at once.
 *
 *     matrixOf(state, traffic)     -> Matrix; throws a Refusal for a state that cannot be decided
 *     matrix.allowed(f, t, c)      -> by index into matrix.endpoints and matrix.traffic
 *     matrix.flows(c)              -> by class of sources: the classes of destinations, see matrix.factors.classes
 *     openFlows(matrix)            -> how many flows are open, by class of traffic
 *     diff(before, after)          -> the cells that open and that close; classdiff.ts has them as classes
 *
 * It stays factored: endpoints that no rule can tell apart are one peer class, and for each class, direction and traffic
 * there is one bitset over the peer classes. A cell is two bits of it: the source's outbound, the destination's inbound.
 */
import { Refusal, type Problem } from '../problem/problem.ts';
import { parseNet } from './address.ts';
import { and, has, noBits, transposed, weigher, type Bits } from './bits.ts';
import { peerClasses, tagged, within, type PeerClasses } from './classes.ts';
import { Kinds, readyProfile, type Peers, type ReadyProfile } from './classrules.ts';
import { rowsOf, type Column } from './classrows.ts';
import type { Endpoint, Peer, PolicyState, Profile, Rule, Traffic } from './model.ts';
import { profileFault, stateProblems } from './valid.ts';

export interface Matrix {
  readonly endpoints: readonly Endpoint[];
  readonly traffic: readonly Traffic[];
  /** False for an index that does not exist. An endpoint always reaches itself. */
  readonly allowed: (from: number, to: number, traffic: number) => boolean;
  /** By class: the classes that it reaches. Two endpoints of one class are a flow as well; one with itself is not. */
  readonly flows: (traffic: number) => readonly Bits[];
  readonly factors: Factors;
}

/** What a matrix is made of. */
export interface Factors {
  readonly state: PolicyState;
  readonly traffic: readonly Traffic[];
  readonly classes: PeerClasses;
  /** By tag: the classes that carry it. */
  readonly tags: ReadonlyMap<string, Bits>;
  /** Those that Felix takes. */
  readonly profiles: ReadonlyMap<string, ReadyProfile>;
  readonly kinds: Kinds;
  /** By traffic. */
  readonly columns: readonly Column[];
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
  const problems = [...stateProblems(state), ...matrixProblems(state)];
  if (problems.length > 0) throw new Refusal(problems);
  const classes = peerClasses(
    state,
    namedCidrs(state.profiles.values()).flatMap((cidr) => parseNet(cidr) ?? []),
  );
  const tags = tagged(classes, state);
  const peers = peersOf(classes, tags);
  const kinds = new Kinds();
  const profiles = new Map<string, ReadyProfile>();
  for (const [name, profile] of state.profiles) {
    const ready = readyProfile(profile, peers, kinds);
    if (ready !== undefined) profiles.set(name, ready);
  }
  const inbound = rowsOf(classes, profiles, 'inbound');
  const outbound = rowsOf(classes, profiles, 'outbound');
  const columns = traffic.map((one): Column => {
    const active = kinds.active(one);
    return { inbound: inbound(active), outbound: outbound(active) };
  });
  return matrixFrom({ state, traffic, classes, tags, profiles, kinds, columns });
}

export function matrixFrom(factors: Factors): Matrix {
  const { state, traffic, classes, columns } = factors;
  const flows: (readonly Bits[])[] = [];
  return {
    endpoints: state.endpoints,
    traffic,
    allowed: (from, to, index) => {
      const source = classes.classOf[from];
      const target = classes.classOf[to];
      const column = columns[index];
      if (source === undefined || target === undefined || column === undefined) return false;
      return from === to || (has(column.outbound[source]!, target) && has(column.inbound[target]!, source));
    },
    flows: (index) => (flows[index] ??= flowsOf(columns[index]!)),
    factors,
  };
}

/** What leaves the source and is let in by the destination. */
export function flowsOf({ inbound, outbound }: Column): readonly Bits[] {
  const admitted = transposed(inbound);
  return outbound.map((row, source) => and(row, admitted[source]!));
}

/** Ordered pairs of two endpoints of which the first reaches the second, by class of traffic. */
export function openFlows(matrix: Matrix): readonly number[] {
  const { weights } = matrix.factors.classes;
  const weigh = weigher(weights);
  return matrix.traffic.map((_, index) =>
    matrix.flows(index).reduce((sum, row, source) => {
      const weight = weights[source]!;
      return sum + weight * (weigh(row) - (has(row, source) ? 1 : 0));
    }, 0),
  );
}

/** What the evaluator knows and the matrix does not: a wrong matrix would be worse than none. */
export function matrixProblems({ tiers = [], endpoints, profiles }: PolicyState): readonly Problem[] {
  const found = new Set<string>();
  if (tiers.length > 0) found.add('tiers');
  if (endpoints.some(({ state }) => state === 'inactive')) found.add('inactive endpoints');
  for (const profile of profiles.values()) {
    for (const what of strange(profile)) if (profileFault(profile) === undefined) found.add(what);
  }
  return [...found].map((what) => ({
    code: 'no-matrix',
    what: `The matrix cannot tell of ${what} yet.`,
    rule: 'It knows profiles of IPv4 rules that allow or deny, by tags, CIDRs, ports and ICMP types.',
  }));
}

/** What rules of a profile ask that `readyProfile` does not look at. */
function strange({ inbound, outbound }: Profile): readonly string[] {
  const odd = ({ selector, not, cidr }: Peer): boolean =>
    selector !== undefined || not !== undefined || cidr?.includes(':') === true;
  const oddities = ({ action, ipVersion, protocol, from, to, not }: Rule): readonly string[] => [
    ...(action === 'allow' || action === 'deny' ? [] : [`the action "${action}"`]),
    ...(ipVersion === undefined ? [] : ['IP versions']),
    ...(protocol === undefined || ['tcp', 'udp', 'icmp'].includes(`${protocol}`) ? [] : [`the protocol "${protocol}"`]),
    ...(not !== undefined || odd(from) || odd(to) ? ['selectors, negations or IPv6 networks'] : []),
  ];
  return [...inbound, ...outbound].flatMap(oddities);
}

/** All CIDRs that rules name, once. */
export function namedCidrs(profiles: Iterable<Profile>): readonly string[] {
  const cidrs = new Set<string>();
  for (const { inbound, outbound } of profiles) {
    for (const { from, to } of [...inbound, ...outbound]) {
      if (from.cidr !== undefined) cidrs.add(from.cidr);
      if (to.cidr !== undefined) cidrs.add(to.cidr);
    }
  }
  return [...cidrs];
}

/** Each CIDR that is asked for must cut no class. */
export function peersOf(classes: PeerClasses, tags: ReadonlyMap<string, Bits>): Peers {
  const nobody = noBits(classes.size);
  const cidrs = new Map<string, Bits>();
  return {
    tag: (tag) => tags.get(tag) ?? nobody,
    cidr: (cidr) => {
      const bits = cidrs.get(cidr) ?? within(classes, parseNet(cidr)!)!;
      cidrs.set(cidr, bits);
      return bits;
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
