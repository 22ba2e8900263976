/**
 * Who reaches whom, for all endpoints and classes of traffic at once.
 *
 *     matrixOf(state, traffic, felix?)     -> Matrix over IPv4; throws a Refusal for a state that cannot be decided
 *     wholeMatrix(state, version, felix?)  -> Matrix over IPv4 or IPv6 and every protocol, cut into classes by itself
 *     matrix.allowed(f, t, c)              -> by index into matrix.endpoints and matrix.traffic
 *     matrix.flows(c)                      -> by class of sources: the classes of destinations, see matrix.factors.classes
 *     openFlows(matrix)                    -> how many flows are open, by class of traffic
 *     diff(before, after)                  -> the cells that open and that close; diff.ts has them as classes
 *
 * It stays factored: endpoints that no rule can tell apart are one peer class, and for each class, direction and traffic
 * there is one bitset over the peer classes. A cell is two bits of it: the source's outbound, the destination's inbound.
 */
import { Refusal, type Problem } from '../../problem/problem.ts';
import { add, and, bitsOf, has, noBits, transposed, weigher, type Bits } from './bits.ts';
import { peerClasses, tagged, whole, type PeerClasses } from './classes.ts';
import { truths } from './labels.ts';
import { addressOrder, inNet } from './nets.ts';
import { Kinds, readyRules, type Peers, type ReadyRules } from './rules.ts';
import { renderedRules, type BothRules, type Scope } from './scope.ts';
import { columnsOf, type Column, type Walked } from './rows.ts';
import { plainFelix, type Felix } from '../felix.ts';
import type { Endpoint, IpVersion, PeerMatch, Policy, PolicyState, Pool, Rule, Traffic } from '../model.ts';
import { probedClasses, wholeClasses, type AnyTraffic } from '../traffic.ts';
import { policyFault, profileFault, stateProblems } from '../valid.ts';

export interface Matrix<T extends AnyTraffic = Traffic> {
  readonly endpoints: readonly Endpoint[];
  readonly traffic: readonly T[];
  /**
   * False for an index that does not exist, and for an endpoint without an address of the matrix' IP version. An endpoint
   * always reaches itself.
   */
  readonly allowed: (from: number, to: number, traffic: number) => boolean;
  /** By class: the classes that it reaches. Two endpoints of one class are a flow as well; one with itself is not. */
  readonly flows: (traffic: number) => readonly Bits[];
  readonly factors: Factors<T>;
}

/** What a matrix is made of. */
export interface Factors<T extends AnyTraffic = Traffic> extends Walked {
  readonly state: PolicyState;
  readonly scope: Scope;
  /** The classes of traffic that rules tell apart. */
  readonly classify: (rules: readonly Rule[]) => readonly T[];
  readonly traffic: readonly T[];
  /** By tag, and by selector that some rule names: the classes for which it holds. */
  readonly tags: ReadonlyMap<string, Bits>;
  readonly selectors: ReadonlyMap<string, Bits>;
  readonly kinds: Kinds;
  /** Of these, those that the traffic tells apart: all that rules have, or had before an edit. */
  readonly told: Bits;
  /** By traffic: the kinds that match it. */
  readonly active: readonly Bits[];
  /** By class, where marks travel: the classes on the same host. */
  readonly together: readonly Bits[] | undefined;
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

export function matrixOf(state: PolicyState, traffic: readonly Traffic[], felix: Felix = plainFelix): Matrix {
  return matrixIn(state, { version: 4, felix }, probedClasses, traffic);
}

export function wholeMatrix(state: PolicyState, version: IpVersion, felix: Felix = plainFelix): Matrix<AnyTraffic> {
  return matrixIn(state, { version, felix }, (rules) => wholeClasses(rules, version));
}

/** Without `traffic`: all that the rules tell apart. */
export function matrixIn<T extends AnyTraffic>(
  state: PolicyState,
  scope: Scope,
  classify: Factors<T>['classify'],
  traffic?: readonly T[],
): Matrix<T> {
  const problems = [...stateProblems(state), ...matrixProblems(state, scope.version)];
  if (problems.length > 0) throw new Refusal(problems);
  const valid = validRules(state, scope);
  const rules = [...valid.profiles.values(), ...valid.policies.values()];
  const travels = marksTravel(state, scope, valid);
  const selectors = new Set([
    ...named(rules, 'selector'),
    ...[...valid.policies.keys()].map(({ selector }) => selector),
  ]);
  const classes = peerClasses(state, { ...scope, cidrs: named(rules, 'cidr'), selectors, byHost: travels });
  const tags = tagged(classes, state);
  const selected = selectedBits(classes, state, selectors);
  const kinds = new Kinds();
  const peers = peersOf(classes, tags, selected);
  const ready = <Key>(from: ReadonlyMap<Key, BothRules>): ReadonlyMap<Key, ReadyRules> =>
    new Map([...from].map(([key, one]) => [key, readyRules(one, peers, kinds)]));
  const [profiles, policies] = [ready(valid.profiles), ready(valid.policies)];
  const walked: Walked = { felix: scope.felix, classes, profiles, policies, leaks: leaky(scope), travels };
  const columns = columnsOf(walked);
  const all = traffic ?? classify(rules.flatMap(({ inbound, outbound }) => [...inbound, ...outbound]));
  const active = all.map((one) => kinds.active(one));
  return matrixFrom({
    ...walked,
    state,
    scope,
    classify,
    traffic: all,
    tags,
    selectors: selected,
    kinds,
    told: bitsOf(kinds.size, () => true),
    active,
    together: travels ? togetherOf(classes, state) : undefined,
    columns: active.map((one) => columns(one)),
  });
}

export function matrixFrom<T extends AnyTraffic>(factors: Factors<T>): Matrix<T> {
  const { state, traffic, classes, columns, together } = factors;
  const flows: (readonly Bits[])[] = [];
  return {
    endpoints: state.endpoints,
    traffic,
    allowed: (from, to, index) => {
      const source = classes.classOf[from] ?? -1;
      const target = classes.classOf[to] ?? -1;
      const column = columns[index];
      if (source < 0 || target < 0 || column === undefined) return false;
      if (from === to) return true;
      if (!has(column.outbound[source]!, target)) return false;
      const { marks } = column;
      const marked = marks !== undefined && has(together![source]!, target) && has(marks.sent[source]!, target);
      return has((marked ? marks : column).inbound[target]!, source);
    },
    flows: (index) => (flows[index] ??= flowsOf(columns[index]!, together)),
    factors,
  };
}

/** What leaves the source and is let in by the destination. */
export function flowsOf({ inbound, outbound, marks }: Column, together: Factors['together']): readonly Bits[] {
  const admitted = transposed(inbound);
  if (marks === undefined || together === undefined) return outbound.map((row, source) => and(row, admitted[source]!));
  const alsoMarked = transposed(marks.inbound);
  return outbound.map((row, source) => {
    const marked = and(together[source]!, marks.sent[source]!);
    return row.map(
      (word, at) => word & ((admitted[source]![at]! & ~marked[at]!) | (alsoMarked[source]![at]! & marked[at]!)),
    );
  });
}

/** Ordered pairs of two endpoints of which the first reaches the second, by class of traffic. */
export function openFlows(matrix: Matrix<AnyTraffic>): readonly number[] {
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
function matrixProblems({ endpoints, hosts = [], pools = [] }: PolicyState, version: IpVersion): readonly Problem[] {
  if (!pools.some(({ masquerade }) => masquerade)) return [];
  const order = addressOrder(endpoints, version);
  const within = (some: readonly Pool[]): ReadonlySet<number> =>
    new Set(some.flatMap(({ cidr }) => [...inNet(order, cidr)]));
  const pooled = within(pools);
  const addressed = new Set(hosts.filter(({ addresses }) => addresses.length > 0).map(({ name }) => name));
  const hidden = [...within(pools.filter(({ masquerade }) => masquerade))].some((endpoint) =>
    addressed.has(endpoints[endpoint]!.host ?? ''),
  );
  if (!hidden || pooled.size === order.endpoints.length) return [];
  return [
    {
      code: 'no-matrix',
      what: 'The matrix cannot tell of tasks that others see with the address of their host.',
      rule: 'A masqueraded pool hides the addresses of its tasks from tasks that are in no pool.',
      remedy: 'Ask for single flows, or give every task an address of a pool.',
    },
  ];
}

/** What Felix takes, as it stands in its chains. */
interface ValidRules {
  readonly profiles: ReadonlyMap<string, BothRules>;
  readonly policies: ReadonlyMap<Policy, BothRules>;
}

function validRules({ profiles, tiers = [] }: PolicyState, scope: Scope): ValidRules {
  const { felix } = scope;
  const policies = felix.knows.tiers ? tiers.flatMap((tier) => tier.policies) : [];
  return {
    profiles: new Map(
      [...profiles]
        .filter(([, profile]) => profileFault(profile, felix) === undefined)
        .map(([name, profile]) => [name, renderedRules(profile, scope)]),
    ),
    policies: new Map(
      policies
        .filter((policy) => policyFault(policy, felix) === undefined)
        .map((policy) => [policy, renderedRules(policy, scope)]),
    ),
  };
}

function leaky({ felix }: Scope): boolean {
  return felix.quirks.has('next-tier-mark-leaks');
}

/** Whether a packet can leave its source with the mark of next-tier, and the destination's chain look at it. */
function marksTravel({ endpoints }: PolicyState, scope: Scope, { profiles, policies }: ValidRules): boolean {
  const passes = (rules: readonly Rule[]): boolean => rules.some(({ action }) => action === 'next-tier');
  return (
    leaky(scope) &&
    endpoints.some(({ host }) => host !== undefined) &&
    [...profiles.values()].some(({ inbound }) => passes(inbound)) &&
    [...profiles.values(), ...policies.values()].some(({ outbound }) => passes(outbound))
  );
}

function togetherOf({ size, members }: PeerClasses, { endpoints }: PolicyState): readonly Bits[] {
  const hosts = members.map(([first]) => endpoints[first!]!.host);
  const byHost = new Map([...new Set(hosts)].map((host) => [host, bitsOf(size, (index) => hosts[index] === host)]));
  return hosts.map((host) => (host === undefined ? noBits(size) : byHost.get(host)!));
}

/** All CIDRs or selectors that rules name, once. */
export function named(rules: Iterable<BothRules>, what: 'cidr' | 'selector'): readonly string[] {
  const found = new Set<string>();
  const see = (match: PeerMatch | undefined): void => {
    if (match?.[what] !== undefined) found.add(match[what]);
  };
  for (const { inbound, outbound } of rules) {
    for (const { from, to } of [...inbound, ...outbound]) for (const one of [from, from.not, to, to.not]) see(one);
  }
  return [...found];
}

/** By selector, each of which must cut no class. */
export function selectedBits(
  { size, members }: PeerClasses,
  state: PolicyState,
  selectors: Iterable<string>,
): ReadonlyMap<string, Bits> {
  const result = new Map([...selectors].map((text) => [text, noBits(size)]));
  const { of, sets } = truths(state, result.keys());
  if (result.size === 0) return result;
  for (const [index, [first]] of members.entries()) {
    for (const text of sets[of(first!)]!) add(result.get(text)!, index);
  }
  return result;
}

/** Each CIDR that is asked for must cut no class. */
export function peersOf(
  classes: PeerClasses,
  tags: ReadonlyMap<string, Bits>,
  selectors: ReadonlyMap<string, Bits>,
): Peers {
  const nobody = noBits(classes.size);
  const cidrs = new Map<string, Bits>();
  return {
    tag: (tag) => tags.get(tag) ?? nobody,
    selector: (selector) => selectors.get(selector) ?? nobody,
    cidr: (cidr) => {
      const bits = cidrs.get(cidr) ?? whole(classes, inNet(classes.order, cidr))!;
      cidrs.set(cidr, bits);
      return bits;
    },
    all: classes.all,
  };
}

export function diff(before: Matrix<AnyTraffic>, after: Matrix<AnyTraffic>): MatrixDiff {
  const ids = (matrix: Matrix<AnyTraffic>) => JSON.stringify(matrix.endpoints.map(({ id }) => id));
  const classes = (matrix: Matrix<AnyTraffic>) => JSON.stringify(matrix.traffic);
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
