/**
 * Felix's structure in iptables and ipset, rendered from the mirror of the datastore. Pure.
 *
 * FORWARD → felix-FORWARD → felix-FROM-ENDPOINT / felix-TO-ENDPOINT → one chain per endpoint and direction → one chain
 * per policy and direction, tier by tier, then one per profile and direction; one ipset per tag and per selector; an
 * accepted packet carries mark 0x1000000 back through RETURN, one that a tier passed on carries 0x2000000.
 *
 * That second mark is cleared where a tier begins, and nowhere else: it reaches the profiles, and on the way between two
 * tasks of one host the chain of the second. So it is in Felix, and so does the evaluator (`next-tier-mark-leaks`).
 *
 * Source: Felix 1.3 to 1.4 `frules.py`, `endpoint.py`, `profilerules.py`, `fiptgenerator.py`.
 */
import type { PluggedEndpoint } from '../../datastore/calico.ts';
import { carriedBy, policing, type CarriedBy } from '../../policy/carried.ts';
import { plainFelix } from '../../policy/felix.ts';
import type { Direction, HostAction, IpVersion, PolicyState, Rule } from '../../policy/model.ts';
import { profileFault } from '../../policy/valid.ts';
import { policyChain, profileChain } from './names.ts';
import { accepted, clear, marked, passed, ruleLines, unmarked } from './rules.ts';
import { setsOf } from './sets.ts';
import type { FelixState } from './state.ts';

export type Sets = ReadonlyMap<string, readonly string[]>;

/** What the kernel should hold for one host. */
export interface Dataplane {
  /** Members by set name. */
  readonly sets: Sets;
  readonly chains: Chains;
  /** The same for IPv6. */
  readonly sets6: Sets;
  readonly chains6: Chains;
  /** Interface and address (IPv4 or IPv6) of each local endpoint: a route and a few sysctls each. */
  readonly endpoints: readonly { readonly interface: string; readonly address: string }[];
}

/** Rules by chain, in order; the chain's own name is not repeated in them. */
export type Chains = ReadonlyMap<string, readonly string[]>;

type Rules = Readonly<Record<Direction, readonly Rule[]>>;

/** A policy of a tier, or a profile. */
interface Owner {
  readonly chain: (direction: Direction) => string;
  /** Absent for a profile that is missing or invalid: a chain that drops, so that what follows it is never reached. */
  readonly rules?: Rules;
}

const directions = ['inbound', 'outbound'] as const;

export function dataplane(state: FelixState): Dataplane {
  const policy = state.policy();
  const carried = carriedBy(policy, plainFelix);
  const local = state
    .local()
    .toSorted((a, b) => (a.interface < b.interface ? -1 : 1))
    .map((endpoint): Local => ({ endpoint, carried: carried(endpoint) }));
  const owners = ownersOf(policy, local);
  const rules = owners.flatMap((owner) => [...(owner.rules?.inbound ?? []), ...(owner.rules?.outbound ?? [])]);
  const action = state.endpointToHost();
  const chainsOf = (version: IpVersion): Chains =>
    new Map([...frame(local, action, version), ...endpointChains(local), ...ruleChains(owners, version)]);
  return {
    sets: setsOf(policy, rules, 4),
    chains: chainsOf(4),
    sets6: setsOf(policy, rules, 6),
    chains6: chainsOf(6),
    endpoints: local.flatMap(({ endpoint: { interface: name, address, address6 } }) =>
      [address, address6].flatMap((one) => (one === undefined ? [] : [{ interface: name, address: one }])),
    ),
  };
}

interface Local {
  readonly endpoint: PluggedEndpoint;
  readonly carried: CarriedBy;
}

type Chain = readonly [name: string, rules: readonly string[]];

/** Everything that a chain of a local endpoint jumps to, each once. */
function ownersOf({ profiles }: PolicyState, local: readonly Local[]): readonly Owner[] {
  const owners = new Map<string, Owner>();
  for (const { carried } of local.filter(({ carried: { inactive } }) => !inactive)) {
    for (const { name: tier, policies } of carried.tiers) {
      for (const policy of policies) {
        const chain = (direction: Direction): string => policyChain(tier, policy.name, direction);
        owners.set(chain('inbound'), { chain, rules: policy });
      }
    }
    for (const name of carried.profiles) {
      const profile = profiles.get(name);
      const chain = (direction: Direction): string => profileChain(name, direction);
      const good = profile !== undefined && profileFault(profile, plainFelix) === undefined;
      owners.set(chain('inbound'), { chain, ...(good ? { rules: profile } : {}) });
    }
  }
  return [...owners.values()];
}

function ruleChains(owners: readonly Owner[], version: IpVersion): readonly Chain[] {
  return owners.flatMap(({ chain, rules }) =>
    directions.map((direction): Chain => [
      chain(direction),
      rules === undefined ? ['-j DROP'] : rules[direction].flatMap((rule) => ruleLines(rule, version)),
    ]),
  );
}

function endpointChains(local: readonly Local[]): readonly Chain[] {
  return local.flatMap(({ endpoint, carried }) =>
    directions.map((direction): Chain => [
      endpointChainName(endpoint, direction),
      endpointChain(endpoint, carried, direction),
    ]),
  );
}

function frame(local: readonly Local[], action: HostAction, version: IpVersion): readonly Chain[] {
  return [
    ['felix-FORWARD', forward],
    ['felix-INPUT', input(action, version)],
    ['felix-FROM-ENDPOINT', dispatch(local, '-i', 'outbound')],
    ['felix-TO-ENDPOINT', dispatch(local, '-o', 'inbound')],
  ];
}

const forward = [
  '-m conntrack --ctstate INVALID -j DROP',
  '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-i cali+ -j felix-FROM-ENDPOINT',
  '-o cali+ -j felix-TO-ENDPOINT',
  '-i cali+ -j ACCEPT',
  '-o cali+ -j ACCEPT',
];

/** From a task to its own host: `DefaultEndpointToHostAction`. With RETURN the host's own rules come after the task's. */
function input(action: HostAction, version: IpVersion): string[] {
  return [
    '! -i cali+ -j RETURN',
    '-m conntrack --ctstate INVALID -j DROP',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    // What a router for IPv6 has to accept: multicast listeners, solicitations and advertisements of neighbours.
    ...(version === 4
      ? []
      : [130, 131, 132, 133, 135, 136].map((type) => `-p icmpv6 -m icmp6 --icmpv6-type ${type} -j ACCEPT`)),
    ...(action === 'DROP' ? [] : ['-j felix-FROM-ENDPOINT']),
    ...(action === 'RETURN' ? [] : [`-j ${action}`]),
  ];
}

function dispatch(local: readonly Local[], flag: '-i' | '-o', direction: Direction): string[] {
  const each = local.map(
    ({ endpoint }) => `${flag} ${endpoint.interface} -g ${endpointChainName(endpoint, direction)}`,
  );
  return [...each, '-j DROP'];
}

const endpointChainName = (endpoint: PluggedEndpoint, direction: Direction): string =>
  `felix-${direction === 'inbound' ? 'to' : 'from'}-${endpoint.interface.slice('cali'.length)}`;

function endpointChain({ mac }: PluggedEndpoint, carried: CarriedBy, direction: Direction): string[] {
  const { tiers, profiles, inactive } = carried;
  if (inactive) return ['-j DROP'];
  return [
    // A foreign source address of IPv4 never gets here: rp_filter is strict on the interface.
    ...(direction === 'outbound' && mac !== undefined ? [`-m mac ! --mac-source ${mac} -j DROP`] : []),
    clear(accepted),
    ...policing(tiers, direction, plainFelix).flatMap(({ name, policies }) => [
      clear(passed),
      ...policies.flatMap((policy) => [
        `${unmarked(passed)} -j ${policyChain(name, policy.name, direction)}`,
        `${marked(accepted)} -j RETURN`,
      ]),
      `${unmarked(passed)} -j DROP`,
    ]),
    ...profiles.flatMap((profile) => [`-j ${profileChain(profile, direction)}`, `${marked(accepted)} -j RETURN`]),
    '-j DROP',
  ];
}
