/**
 * Profiles with their rules made ready for whole classes at once.
 *
 *     readyProfile(profile, peers, kinds) -> ReadyProfile, or undefined for one that Felix would not take
 *     Kinds                               -> what rules ask of the traffic, each kind once, with a number
 *
 * A further match on a peer is one more set in `asked`; a further match on the traffic is one more field of a kind.
 */
import { and, has, noBits, add, type Bits } from './bits.ts';
import type { Direction, Packet, Peer, PortRange, Profile, Rule, Traffic } from './model.ts';
import { inPorts } from './ports.ts';
import { packetOf, trafficClasses } from './traffic.ts';
import { profileFault } from './valid.ts';

export interface ReadyRule {
  readonly rule: Rule;
  readonly allow: boolean;
  /** The kind of traffic it is about. */
  readonly kind: number;
  /** The classes that match as peer, and those that match as the endpoint; undefined for all. */
  readonly peer: Bits | undefined;
  readonly own: Bits | undefined;
}

/** One direction of a profile. */
interface Half {
  readonly rules: readonly ReadyRule[];
  /** True when a rule asks something of the endpoint's own side, so that its answer is not the same for all. */
  readonly particular: boolean;
}

export type ReadyProfile = Readonly<Record<Direction, Half>>;

/** The classes that something a rule names holds for. */
export interface Peers {
  readonly tag: (tag: string) => Bits;
  readonly cidr: (cidr: string) => Bits;
}

export function readyProfile(profile: Profile, peers: Peers, kinds: Kinds): ReadyProfile | undefined {
  if (profileFault(profile) !== undefined) return undefined;
  const half = (direction: Direction): Half => {
    const rules = profile[direction].map((rule): ReadyRule => {
      const [peer, own] = direction === 'inbound' ? [rule.from, rule.to] : [rule.to, rule.from];
      return {
        rule,
        allow: rule.action === 'allow',
        kind: kinds.of(rule),
        peer: asked(peer, peers),
        own: asked(own, peers),
      };
    });
    return { rules, particular: rules.some(({ own }) => own !== undefined) };
  };
  return { inbound: half('inbound'), outbound: half('outbound') };
}

/** The classes that the peer matches; undefined when it asks nothing of the endpoint. */
function asked({ tag, cidr }: Peer, peers: Peers): Bits | undefined {
  const sets = [...(tag === undefined ? [] : [peers.tag(tag)]), ...(cidr === undefined ? [] : [peers.cidr(cidr)])];
  return sets.length === 0 ? undefined : sets.reduce(and);
}

/** The profile over other classes. */
export function widenedProfile({ inbound, outbound }: ReadyProfile, widened: (bits: Bits) => Bits): ReadyProfile {
  const half = ({ rules, particular }: Half): Half => ({
    rules: rules.map((rule) => ({
      ...rule,
      peer: rule.peer && widened(rule.peer),
      own: rule.own && widened(rule.own),
    })),
    particular,
  });
  return { inbound: half(inbound), outbound: half(outbound) };
}

/** What a rule asks of the traffic, and nothing else. */
type Kind = Pick<Rule, 'protocol' | 'icmp' | 'from' | 'to'>;

export class Kinds {
  readonly #kinds: Kind[];
  readonly #numbers: Map<string, number>;

  constructor(from?: Kinds) {
    this.#kinds = from === undefined ? [] : [...from.#kinds];
    this.#numbers = new Map(from === undefined ? [] : from.#numbers);
  }

  get size(): number {
    return this.#kinds.length;
  }

  of({ protocol, icmp, from, to }: Rule): number {
    const key = `${protocol} ${icmp?.type}/${icmp?.code} ${listKey(from.ports)} ${listKey(to.ports)}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const kind: Kind = {
        ...(protocol === undefined ? {} : { protocol }),
        ...(icmp === undefined ? {} : { icmp }),
        from: from.ports === undefined ? {} : { ports: from.ports },
        to: to.ports === undefined ? {} : { ports: to.ports },
      };
      number = this.#kinds.push(kind) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** The kinds that match the traffic. */
  active(traffic: Traffic): Bits {
    const packet = packetOf(traffic);
    const bits = noBits(this.#kinds.length);
    for (const [number, kind] of this.#kinds.entries()) if (matches(kind, packet)) add(bits, number);
    return bits;
  }

  /** The classes of traffic that these kinds tell apart. */
  traffic(used: Bits): readonly Traffic[] {
    const inbound = this.#kinds.flatMap((kind, number): Rule[] =>
      has(used, number) ? [{ action: 'allow', ...kind }] : [],
    );
    return trafficClasses([{ name: 'kinds', tags: [], inbound, outbound: [] }]);
  }
}

/** The kinds that some rule of these profiles has. */
export function usedKinds(profiles: Iterable<ReadyProfile>, kinds: Kinds): Bits {
  const bits = noBits(kinds.size);
  for (const { inbound, outbound } of profiles) {
    for (const { kind } of inbound.rules) add(bits, kind);
    for (const { kind } of outbound.rules) add(bits, kind);
  }
  return bits;
}

function listKey(ports: readonly PortRange[] | undefined): string {
  return ports === undefined ? '' : ports.map(({ from, to }) => `${from}:${to}`).join();
}

function matches(kind: Kind, packet: Packet): boolean {
  if (kind.protocol !== undefined && kind.protocol !== packet.protocol) return false;
  if (packet.protocol === 'icmp') {
    if (kind.icmp === undefined) return true;
    return kind.icmp.type === packet.type && (kind.icmp.code ?? packet.code) === packet.code;
  }
  return onPort(kind.from, packet.sourcePort) && onPort(kind.to, packet.port);
}

function onPort({ ports }: Peer, port: number): boolean {
  return ports === undefined || ports.length === 0 || inPorts(ports, port);
}
