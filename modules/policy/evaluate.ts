/**
 * What Calico does with the first packet of a flow, and which rule decides it. Tiers first, then
 * the profiles of an endpoint in their order, first match, default deny both ways; IPv4 and IPv6.
 * Source: felix 1.4 `calico/felix/plugins/fiptgenerator.py`, felix 2.x `rules/{endpoints,policy}.go`.
 *
 *     compileState(state, felix?)             -> Evaluator; throws a Refusal for a state that cannot be decided
 *     evaluator.decide(from, to, packet)      -> Decision, with the deciding rule on both sides
 *     evaluator.allows(from, to, packet)      -> only the verdict
 *     evaluate(state, from, to, packet)       -> both in one go, for a single question
 *
 * `from` and `to` are ids of endpoints, names of hosts, or addresses. An address that is neither an endpoint's nor a
 * host's is an outsider; of it, as of another host, only the other side's chain is asked. A host's name stands for its
 * first address; with IP-in-IP its packets to tasks of others come from the tunnel's, so ask for that. A question that names no
 * address is one of IPv4, unless the packet says otherwise. Without a Felix the model is taken as it is meant.
 */
import { Refusal } from '../problem/problem.ts';
import { addressNumber } from './address.ts';
import { addressNumber6 } from './address6.ts';
import { carriedBy, type CarriedBy } from './carried.ts';
import { chainOf, closedChain, worldOf, type Chain, type Flow } from './chain.ts';
import { plainFelix, type Felix } from './felix.ts';
import { hint } from './hint.ts';
import { toOwnHost } from './host.ts';
import type { Address } from './labels.ts';
import { masquerades } from './masquerade.ts';
import type { AnyPacket, Decision, Direction, Endpoint, Host, IpVersion, PolicyState, SideDecision } from './model.ts';
import { isIcmp, isPorted, protocolNames, protocolNumber } from './protocol.ts';
import { stateProblems } from './valid.ts';

export interface Evaluator {
  readonly state: PolicyState;
  readonly decide: (from: string, to: string, packet: AnyPacket) => Decision;
  readonly allows: (from: string, to: string, packet: AnyPacket) => boolean;
}

type Chains = Readonly<Record<Direction, Chain>>;

/** Somebody as he was asked for. All have this one shape: a question looks up two of them and little else. */
interface Side {
  readonly address: number | undefined;
  readonly address6: bigint | undefined;
  /** Of an address, by which it was asked for; a name tells none. */
  readonly version: IpVersion | undefined;
  readonly endpoint: Endpoint | undefined;
  /** Name of the host that the endpoint runs on. */
  readonly on: string | undefined;
  /** For a host itself, not for what runs on it. */
  readonly host: Host | undefined;
  readonly chains: Chains;
  /** Those of IPv6, which most clusters never need. */
  readonly chains6: () => Chains;
}

export function compileState(state: PolicyState, felix: Felix = plainFelix): Evaluator {
  const problems = stateProblems(state);
  if (problems.length > 0) throw new Refusal(problems);
  const sides = sidesOf(state, felix);
  const hosts = new Map((state.hosts ?? []).map((host) => [host.name, host]));
  const seenAs = masquerades(state, felix);
  const deaf = deafHosts(state, felix);

  const decide = (from: string, to: string, packet: AnyPacket): Decision => {
    const source = sides(from);
    const target = sides(to);
    // A packet to the own address never leaves the task's namespace.
    if (source.endpoint !== undefined && source.endpoint === target.endpoint) return ownAddress;
    const version = versionOf(packet, source.version, target.version);
    const flow = flowOf(addressOf(source, from, version), addressOf(target, to, version), packet);
    if (source.host !== undefined && target.on === source.host.name) return ownHost;

    const chain = chainsOf(source, version).outbound;
    if (target.host !== undefined && source.on === target.host.name) {
      const outbound = toOwnHost(target.host, flow, version, felix) ?? chain.decide(flow, false);
      return { allow: outbound.allow, outbound, inbound: unpoliced('inbound') };
    }
    const outbound = chain.decide(flow, false);
    const together = source.on !== undefined && source.on === target.on;
    const marked = together && outbound.allow && chain.marks?.(flow) === true;
    const seenFrom = source.on === undefined ? undefined : seenAs?.(hosts.get(source.on), flow, version);
    // On the same host policy is asked before the address is changed.
    const arriving = seenFrom === undefined || together ? flow : { ...flow, from: seenFrom.address };
    const inbound = chainsOf(target, version).inbound.decide(arriving, marked);
    const decision = { allow: outbound.allow && inbound.allow, outbound, inbound };
    const told = seenFrom === undefined ? decision : { ...decision, seenFrom: seenFrom.text };
    const dies = decision.allow && deaf !== undefined && [source.on, target.on].some((on) => on && deaf.has(on));
    return dies ? { ...told, repliesDie: true } : told;
  };
  return { state, decide, allows: (from, to, packet) => decide(from, to, packet).allow };
}

/** Hosts that drop what Felix hands back to their FORWARD chain; undefined where there is none. */
function deafHosts({ hosts = [] }: PolicyState, { quirks }: Felix): ReadonlySet<string> | undefined {
  if (!quirks.has('established-returns')) return undefined;
  const dropping = hosts.filter(({ forward }) => forward === 'DROP');
  return dropping.length === 0 ? undefined : new Set(dropping.map(({ name }) => name));
}

/** Compiles the state for one question; many questions are for one `compileState`. */
export function evaluate(
  state: PolicyState,
  from: string,
  to: string,
  packet: AnyPacket,
  felix: Felix = plainFelix,
): Decision {
  return compileState(state, felix).decide(from, to, packet);
}

/** Everybody who can be asked for, by name and by address. */
function sidesOf(state: PolicyState, felix: Felix): (name: string) => Side {
  const sides = new Map<string, Side>();
  const sixes = new Map<bigint, Side>();
  const chains = chainsFor(state, felix);
  const carried = carriedBy(state, felix);
  const add = (name: string, side: Side) => {
    if (!sides.has(name)) sides.set(name, side);
  };
  const add6 = (address: bigint, side: Side) => {
    if (!sixes.has(address)) sixes.set(address, side);
  };
  const byId = state.endpoints.map((endpoint): Side => {
    const { id, address6 } = endpoint;
    const side: Side = {
      address: addressNumber(endpoint.address),
      address6: address6 === undefined ? undefined : addressNumber6(address6),
      version: undefined,
      endpoint,
      on: endpoint.host,
      host: undefined,
      ...chains(carried(endpoint)),
    };
    add(id, side);
    return side;
  });
  // An id wins over an address, should an endpoint be called like another's address.
  for (const side of byId) {
    add(side.endpoint!.address, { ...side, version: 4 });
    if (side.address6 !== undefined) add6(side.address6, { ...side, version: 6 });
  }
  for (const host of state.hosts ?? []) {
    const numbers = host.addresses.map((address) => addressNumber(address) ?? addressNumber6(address));
    const address = numbers.find((one) => typeof one === 'number');
    const address6 = numbers.find((one) => typeof one === 'bigint');
    add(host.name, { ...outside, address, address6, host });
    for (const [index, one] of numbers.entries()) {
      if (typeof one === 'bigint') add6(one, { ...outside, address6: one, version: 6, host });
      else add(host.addresses[index]!, { ...outside, address: one, version: 4, host });
    }
  }
  return (name) => sides.get(name) ?? stranger(name, sixes, state);
}

/** By address, for who is in no table by that text: an IPv6 address can be written in many ways. */
function stranger(name: string, sixes: ReadonlyMap<bigint, Side>, state: PolicyState): Side {
  const address = addressNumber(name);
  if (address !== undefined) return { ...outside, address, version: 4 };
  const address6 = addressNumber6(name);
  if (address6 !== undefined) return sixes.get(address6) ?? { ...outside, address6, version: 6 };
  const near = hint(name, [...state.endpoints.map(({ id }) => id), ...(state.hosts ?? []).map((host) => host.name)]);
  throw new Refusal([
    {
      code: 'unknown-endpoint',
      what: `"${name}" is neither an endpoint nor a host nor an address.${near}`,
      rule: 'A side of a flow is the id of an endpoint, the name of a host, or an address.',
      example: '192.168.0.1',
    },
  ]);
}

/** Endpoints with the same tiers and profiles share their chains. */
function chainsFor(state: PolicyState, felix: Felix): (carried: CarriedBy) => Pick<Side, 'chains' | 'chains6'> {
  const world = worldOf(state, felix);
  const made = new Map<string, Pick<Side, 'chains' | 'chains6'>>();
  return (carried) => {
    if (carried.inactive) return inactive;
    const known = made.get(carried.key);
    if (known !== undefined) return known;
    const of = (version: IpVersion): Chains => ({
      inbound: chainOf(world, carried, 'inbound', version),
      outbound: chainOf(world, carried, 'outbound', version),
    });
    let six: Chains | undefined;
    const both = { chains: of(4), chains6: () => (six ??= of(6)) };
    made.set(carried.key, both);
    return both;
  };
}

function chainsOf(side: Side, version: IpVersion): Chains {
  return version === 4 ? side.chains : side.chains6();
}

function versionOf(packet: AnyPacket, source: IpVersion | undefined, target: IpVersion | undefined): IpVersion {
  const { ipVersion, protocol } = packet;
  const asked = source ?? target ?? ipVersion;
  const version = asked ?? (protocol === 'icmpv6' ? 6 : 4);
  const other = [target, ipVersion].find((one) => one !== undefined && one !== version);
  if (other !== undefined || protocol === (version === 4 ? 'icmpv6' : 'icmp')) {
    throw new Refusal([
      {
        code: 'mixed-ip-versions',
        what: `The packet is one of ${protocol}, and not everything about it is IPv${version}.`,
        rule: 'Both addresses of a packet are of one IP version; icmp is IPv4 and icmpv6 is IPv6.',
      },
    ]);
  }
  return version;
}

function addressOf(side: Side, name: string, version: IpVersion): Address {
  const address = version === 4 ? side.address : side.address6;
  if (address !== undefined) return address;
  throw new Refusal([
    {
      code: 'no-address',
      what: `"${name}" has no IPv${version} address.`,
      rule: 'Both ends of a flow have an address of its IP version.',
    },
  ]);
}

/** One literal and no spreads: this runs for every question, and objects of one shape are ten times as fast. */
function flowOf(from: Address, to: Address, packet: AnyPacket): Flow {
  const protocol = protocolNumber(packet.protocol);
  const ported = isPorted(packet);
  const icmp = isIcmp(packet);
  if (!ported && !icmp && protocolNames.some((name) => protocolNumber(name) === protocol)) throw unfinished(protocol);
  return {
    from,
    to,
    protocol,
    sourcePort: ported ? packet.sourcePort : -1,
    port: ported ? packet.port : -1,
    type: icmp ? packet.type : -1,
    code: icmp ? packet.code : -1,
  };
}

function unfinished(protocol: number): Refusal {
  return new Refusal([
    {
      code: 'unfinished-packet',
      what: `Protocol ${protocol} has ports or ICMP types, and the packet says nothing of them.`,
      rule: 'A packet of a protocol with ports says them, one of ICMP its type and code.',
    },
  ]);
}

const own = { allow: true, because: { kind: 'own address' } } as const;
const ownAddress: Decision = {
  allow: true,
  outbound: { direction: 'outbound', ...own },
  inbound: { direction: 'inbound', ...own },
};

const fromHost = { allow: true, because: { kind: 'own host' } } as const;
const ownHost: Decision = {
  allow: true,
  outbound: { direction: 'outbound', ...fromHost },
  inbound: { direction: 'inbound', ...fromHost },
};

const noEndpoint = { allow: true, because: { kind: 'not an endpoint' } } as const;
const free: Readonly<Record<Direction, SideDecision>> = {
  inbound: { direction: 'inbound', ...noEndpoint },
  outbound: { direction: 'outbound', ...noEndpoint },
};
const unpoliced = (direction: Direction): SideDecision => free[direction];

const freeChains: Chains = {
  inbound: { decide: () => free.inbound },
  outbound: { decide: () => free.outbound },
};
const outside: Side = {
  address: undefined,
  address6: undefined,
  version: undefined,
  endpoint: undefined,
  on: undefined,
  host: undefined,
  chains: freeChains,
  chains6: () => freeChains,
};

const closed: Chains = {
  inbound: closedChain('inbound', { kind: 'inactive' }),
  outbound: closedChain('outbound', { kind: 'inactive' }),
};
const inactive = { chains: closed, chains6: () => closed };
