/**
 * Profiles and policies with their rules made ready for whole classes at once.
 *
 *     readyRules(rules, peers, kinds)  -> ReadyRules
 *     again(ready, touches, peers)     -> the same with other sets where a rule names something that has moved
 *     Kinds                            -> what rules ask of the traffic, each kind once, with a number
 *
 * A further match on a peer is one more set in `asked`; a further match on the traffic is one more field of a kind.
 */
import { add, and, has, minus, noBits, type Bits } from './bits.ts';
import type { BothRules } from './scope.ts';
import type { AnyPacket, Direction, Peer, PeerMatch, PortRange, Rule } from '../model.ts';
import { inPorts } from '../syntax/ports.ts';
import { isIcmp, isPorted, protocolNumber } from '../protocol.ts';
import { anyPacketOf, type AnyTraffic } from '../traffic.ts';

export interface ReadyRule {
  readonly rule: Rule;
  readonly action: Rule['action'];
  /** The kind of traffic it is about. */
  readonly kind: number;
  /** The classes that match as peer, and those that match as the endpoint; undefined for all. */
  readonly peer: Bits | undefined;
  readonly own: Bits | undefined;
}

/** One direction of a profile or policy. */
export interface Half {
  readonly rules: readonly ReadyRule[];
  /** True when a rule asks something of the endpoint's own side, so that its answer is not the same for all. */
  readonly particular: boolean;
  /** The rules before the first `next-tier`; the same list where there is none. */
  readonly unmarked: readonly ReadyRule[];
}

export type ReadyRules = Readonly<Record<Direction, Half>>;

/** The classes that something a rule names holds for. */
export interface Peers {
  readonly tag: (tag: string) => Bits;
  readonly cidr: (cidr: string) => Bits;
  readonly selector: (selector: string) => Bits;
  readonly all: Bits;
}

/** Rules as `renderedRules` gives them. */
export function readyRules(rules: BothRules, peers: Peers, kinds: Kinds): ReadyRules {
  const ready = (direction: Direction): Half =>
    halfOf(
      rules[direction].map((rule) => ({
        ...setsOf(rule, direction, peers),
        rule,
        action: rule.action,
        kind: kinds.of(rule),
      })),
    );
  return { inbound: ready('inbound'), outbound: ready('outbound') };
}

/** The other rules stay the very same. */
export function again(ready: ReadyRules, touches: (peer: PeerMatch) => boolean, peers: Peers): ReadyRules {
  const half = (direction: Direction): Half => {
    const { rules } = ready[direction];
    const either = (peer: Peer): boolean => touches(peer) || (peer.not !== undefined && touches(peer.not));
    const touched = ({ from, to }: Rule): boolean => either(from) || either(to);
    if (!rules.some(({ rule }) => touched(rule))) return ready[direction];
    return halfOf(rules.map((one) => (touched(one.rule) ? { ...one, ...setsOf(one.rule, direction, peers) } : one)));
  };
  const [inbound, outbound] = [half('inbound'), half('outbound')];
  return inbound === ready.inbound && outbound === ready.outbound ? ready : { inbound, outbound };
}

/** The rules over other classes; the very same where that changes no set. */
export function widenedRules(ready: ReadyRules, widened: (bits: Bits) => Bits): ReadyRules {
  const half = (old: Half): Half => {
    const rules = old.rules.map((rule) => {
      const [peer, own] = [rule.peer && widened(rule.peer), rule.own && widened(rule.own)];
      return peer === rule.peer && own === rule.own ? rule : { ...rule, peer, own };
    });
    return rules.every((rule, index) => rule === old.rules[index]) ? old : halfOf(rules);
  };
  const [inbound, outbound] = [half(ready.inbound), half(ready.outbound)];
  return inbound === ready.inbound && outbound === ready.outbound ? ready : { inbound, outbound };
}

function halfOf(rules: readonly ReadyRule[]): Half {
  const next = rules.findIndex(({ action }) => action === 'next-tier');
  return {
    rules,
    particular: rules.some(({ own }) => own !== undefined),
    unmarked: next < 0 ? rules : rules.slice(0, next),
  };
}

function setsOf({ from, to }: Rule, direction: Direction, peers: Peers): Pick<ReadyRule, 'peer' | 'own'> {
  const [peer, own] = direction === 'inbound' ? [from, to] : [to, from];
  return { peer: asked(peer, peers), own: asked(own, peers) };
}

/** The classes that the peer matches; undefined when it asks nothing of the endpoint. */
function asked({ not, ...own }: Peer, peers: Peers): Bits | undefined {
  const wanted = matched(own, peers);
  const unwanted = matched(not ?? {}, peers);
  if (wanted.length + unwanted.length === 0) return undefined;
  // Each of the negated matches excludes by itself.
  return unwanted.reduce(minus, wanted.reduce(and, peers.all));
}

function matched({ tag, selector, cidr }: PeerMatch, peers: Peers): readonly Bits[] {
  return [
    ...(tag === undefined ? [] : [peers.tag(tag)]),
    ...(selector === undefined ? [] : [peers.selector(selector)]),
    ...(cidr === undefined ? [] : [peers.cidr(cidr)]),
  ];
}

/** What a rule asks of the traffic, and nothing else. */
type Kind = Pick<Rule, 'protocol' | 'icmp' | 'from' | 'to' | 'not'>;

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

  of({ protocol, icmp, from, to, not }: Rule): number {
    const lists = [from.ports, to.ports, from.not?.ports, to.not?.ports].map(listKey).join(' ');
    const negated = not === undefined ? '' : `${not.protocol} ${not.icmp?.type}/${not.icmp?.code}`;
    const key = `${protocol} ${icmp?.type}/${icmp?.code} ${lists} ${negated}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const kind: Kind = {
        ...(protocol === undefined ? {} : { protocol }),
        ...(icmp === undefined ? {} : { icmp }),
        from: portsOnly(from),
        to: portsOnly(to),
        ...(not === undefined ? {} : { not }),
      };
      number = this.#kinds.push(kind) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** The kinds that match the traffic. */
  active(traffic: AnyTraffic): Bits {
    const packet = anyPacketOf(traffic);
    const bits = noBits(this.#kinds.length);
    for (const [number, kind] of this.#kinds.entries()) if (matches(kind, packet)) add(bits, number);
    return bits;
  }

  /** A rule for each of these kinds, to tell classes of traffic by. */
  rules(used: Bits): readonly Rule[] {
    return this.#kinds.flatMap((kind, number): Rule[] => (has(used, number) ? [{ action: 'allow', ...kind }] : []));
  }
}

/** The kinds that some of these rules have. */
export function usedKinds(all: Iterable<ReadyRules>, kinds: Kinds): Bits {
  const bits = noBits(kinds.size);
  for (const { inbound, outbound } of all) {
    for (const { kind } of inbound.rules) add(bits, kind);
    for (const { kind } of outbound.rules) add(bits, kind);
  }
  return bits;
}

function portsOnly({ ports, not }: Peer): Peer {
  return {
    ...(ports === undefined ? {} : { ports }),
    ...(not?.ports === undefined ? {} : { not: { ports: not.ports } }),
  };
}

function listKey(ports: readonly PortRange[] | undefined): string {
  return ports === undefined ? '' : ports.map(({ from, to }) => `${from}:${to}`).join();
}

function matches({ protocol, icmp, from, to, not }: Kind, packet: AnyPacket): boolean {
  const is = (wanted: Rule['protocol']): boolean => protocolNumber(wanted!) === protocolNumber(packet.protocol);
  const isOf = (wanted: Rule['icmp']): boolean =>
    isIcmp(packet) && wanted!.type === packet.type && (wanted!.code ?? packet.code) === packet.code;
  if (protocol !== undefined && !is(protocol)) return false;
  if (icmp !== undefined && !isOf(icmp)) return false;
  if (not?.protocol !== undefined && is(not.protocol)) return false;
  if (not?.icmp !== undefined && isOf(not.icmp)) return false;
  const [source, target] = isPorted(packet) ? [packet.sourcePort, packet.port] : [-1, -1];
  return onPort(from, source) && onPort(to, target);
}

function onPort({ ports = [], not }: Peer, port: number): boolean {
  return (ports.length === 0 || inPorts(ports, port)) && !inPorts(not?.ports ?? [], port);
}
