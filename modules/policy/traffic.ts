/**
 * Traffic classes: packets that no rule tells apart are one class, with one packet to stand for all of it. What is probed
 * and what is computed are the same classes.
 *
 *     trafficClasses(profiles, more?) -> readonly Traffic[]: tcp, then udp, then icmp; named ports first, `other` last
 *     probedClasses(rules)            -> the same of rules as they stand in the IPv4 chains
 *     wholeClasses(rules, version)    -> the classes of every protocol, for either IP version
 *     packetOf(traffic)               -> the packet that stands for the class; anyPacketOf for those of wholeClasses
 *     probeable(traffic)              -> false for ICMP that a prober cannot send (all but echo request)
 *
 * Hand in the profiles of all steps that shall be compared, and with `more` their tiers: a class is then a class in each
 * of them.
 */
import { renderedRules } from './matrix/scope.ts';
import { cutPorts, joined } from './cut.ts';
import { plainFelix, type Felix } from './felix.ts';
import type { AnyPacket, IcmpMatch, IpVersion, Packet, PortRange, Profile, Rule, Tier, Traffic } from './model.ts';
import { formatPorts, inPorts } from './syntax/ports.ts';
import { icmpNumber, protocolNames, protocolNumber } from './protocol.ts';
import { policyFault, profileFault } from './valid.ts';

/** Also what no probe speaks. Rules can ask nothing more of a protocol without ports and ICMP types than its number. */
export type AnyTraffic =
  | Traffic
  | { readonly protocol: 'icmpv6'; readonly name: string; readonly type: number; readonly code: number }
  | { readonly protocol: number; readonly name: string };

/** Linux' net.ipv4.ip_local_port_range: where a client's port comes from when no rule asks for one. */
export const ephemeral: PortRange = { from: 32768, to: 60999 };

/** Stands for a class that names no port: upstream's Star probe listens on it. */
const usualPort = 9000;
/** Below it a listener needs privileges. */
const firstFreePort = 1024;

interface More {
  readonly tiers?: readonly Tier[];
  readonly felix?: Felix;
}

export function trafficClasses(
  profiles: Iterable<Profile>,
  { tiers = [], felix = plainFelix }: More = {},
): readonly Traffic[] {
  // An invalid profile drops everything, whatever its rules say; an invalid policy is not there.
  const valid = [
    ...[...profiles].filter((profile) => profileFault(profile, felix) === undefined),
    ...tiers.flatMap(({ policies }) => policies.filter((policy) => policyFault(policy, felix) === undefined)),
  ];
  const rules = valid.map((one) => renderedRules(one, { version: 4, felix }));
  return probedClasses(rules.flatMap(({ inbound, outbound }) => [...inbound, ...outbound]));
}

export function probedClasses(rules: readonly Rule[]): readonly Traffic[] {
  const icmp = icmpClasses(rules, 4).map((point) => ({ protocol: 'icmp', ...point }) as const);
  return [...portClasses('tcp', rules), ...portClasses('udp', rules), ...icmp];
}

export function wholeClasses(rules: readonly Rule[], version: IpVersion): readonly AnyTraffic[] {
  const protocol = version === 4 ? 'icmp' : 'icmpv6';
  const icmp = icmpClasses(rules, version).map((point) => ({ protocol, ...point }) as const);
  return [...portClasses('tcp', rules), ...portClasses('udp', rules), ...icmp, ...otherClasses(rules)];
}

export function packetOf(traffic: Traffic): Packet {
  return traffic.protocol === 'icmp'
    ? { protocol: 'icmp', type: traffic.type, code: traffic.code }
    : { protocol: traffic.protocol, sourcePort: traffic.sourcePorts.from, port: traffic.port };
}

export function anyPacketOf(traffic: AnyTraffic): AnyPacket {
  const { protocol } = traffic;
  if (protocol === 'icmpv6') return { protocol, type: traffic.type, code: traffic.code };
  if (typeof protocol !== 'number') return packetOf(traffic);
  // These have ports, of which no rule can ask.
  const named = (['sctp', 'udplite'] as const).find((name) => protocolNumber(name) === protocol);
  return named === undefined ? { protocol } : { protocol: named, sourcePort: ephemeral.from, port: usualPort };
}

export function probeable(traffic: Traffic): boolean {
  if (traffic.protocol === 'icmp') return traffic.type === 8 && traffic.code === 0;
  // Port 0 cannot be bound; a class that is only port 0 exists for who names it.
  return traffic.port > 0 && traffic.sourcePorts.to > 0;
}

/** The ports that a rule asks for, and those that it excludes; undefined for none. */
interface Ports {
  readonly from: Listed;
  readonly notFrom: Listed;
  readonly to: Listed;
  readonly notTo: Listed;
}

type Listed = readonly PortRange[] | undefined;

function portsOf({ from, to }: Rule): Ports {
  return {
    from: listed(from.ports),
    notFrom: listed(from.not?.ports),
    to: listed(to.ports),
    notTo: listed(to.not?.ports),
  };
}

function portClasses(protocol: 'tcp' | 'udp', rules: readonly Rule[]): readonly Extract<Traffic, { port: number }>[] {
  const specs = distinct(
    rules
      .filter((rule) => rule.protocol !== undefined && protocolNumber(rule.protocol) === protocolNumber(protocol))
      .map(portsOf)
      .filter((ports) => Object.values(ports).some((list) => list !== undefined)),
  );
  const named = specs.flatMap(({ to, notTo }) => [...(to ?? []), ...(notTo ?? [])]);
  const sources = cutBoth(specs, ({ from, notFrom }) => [from, notFrom]);
  const classes = sources.flatMap((source) => {
    const sourceName = source.named && sources.length > 1;
    const targets = cutBoth(source.active, ({ to, notTo }) => [to, notTo]);
    return targets.map((target) => {
      const naming = target.named;
      const label = targets.length === 1 ? '' : naming ? ` ${short(target.ports)}` : ' other';
      return {
        order: [sourceName ? source.ports[0]!.from : -1, naming ? target.ports[0]!.from : Infinity],
        traffic: {
          protocol,
          name: `${protocol}${label}${sourceName ? ` from ${short(source.ports)}` : ''}`,
          port: naming && label !== '' ? lowest(target.ports) : neighbour(target.ports, named),
          ports: target.ports,
          sourcePorts: sourceRange(source.ports),
        },
      };
    });
  });
  return classes
    .sort((a, b) => a.order[0]! - b.order[0]! || compare(a.order[1]!, b.order[1]!))
    .map(({ traffic }) => traffic);
}

interface Side {
  readonly ports: readonly PortRange[];
  /** The rules that hold all over this part, as far as these ports go. */
  readonly active: readonly Ports[];
  /** Whether a rule names the ports, be it to exclude them. */
  readonly named: boolean;
}

/** The port line cut by the lists that rules ask for, and by those that they exclude. */
function cutBoth(
  specs: readonly Ports[],
  lists: (one: Ports) => readonly [wanted: Listed, not: Listed],
): readonly Side[] {
  const pairs = specs.map(lists);
  return cutPorts(pairs.flatMap(([wanted, not]) => [wanted, not ?? []])).map(({ ports, active }) => ({
    ports,
    active: specs.filter((_, index) => active.has(2 * index) && !active.has(2 * index + 1)),
    named: pairs.some(
      ([wanted], index) => (wanted !== undefined && active.has(2 * index)) || active.has(2 * index + 1),
    ),
  }));
}

/** Infinity minus itself is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** An empty list means every port, as no list does. */
function listed(ports: readonly PortRange[] | undefined): readonly PortRange[] | undefined {
  return ports === undefined || ports.length === 0 ? undefined : joined(ports);
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** The first three ranges: classes of one protocol share no port, so that is unique. */
function short(ports: readonly PortRange[]): string {
  const more = ports.length - 3;
  return more > 0 ? `${formatPorts(ports.slice(0, 3))}+${more}` : formatPorts(ports);
}

/** The lowest port that needs no privileges, else the lowest that is not 0. */
function lowest(ports: readonly PortRange[]): number {
  return firstFrom(ports, firstFreePort) ?? firstFrom(ports, 1) ?? 0;
}

function firstFrom(ports: readonly PortRange[], least: number): number | undefined {
  const range = ports.find(({ to }) => to >= least);
  return range && Math.max(range.from, least);
}

/** For "everything else": just beside a named port, where a rule that is off by one would show. */
function neighbour(ports: readonly PortRange[], named: readonly PortRange[]): number {
  const beside = [...named.map(({ to }) => to + 1), ...named.map(({ from }) => from - 1)].sort((a, b) => b - a);
  const good = (port: number) => port >= firstFreePort && port < ephemeral.from && inPorts(ports, port);
  return beside.find(good) ?? (inPorts(ports, usualPort) ? usualPort : lowest(ports));
}

/** One range of source ports for the prober: what clients really use, else what needs no privileges. */
function sourceRange(ports: readonly PortRange[]): PortRange {
  const within = (bounds: PortRange): PortRange | undefined =>
    ports
      .map(({ from, to }) => ({ from: Math.max(from, bounds.from), to: Math.min(to, bounds.to) }))
      .filter(({ from, to }) => from <= to)
      .sort((a, b) => b.to - b.from - (a.to - a.from))[0];
  return within(ephemeral) ?? within({ from: firstFreePort, to: 65535 }) ?? within({ from: 1, to: 65535 }) ?? ports[0]!;
}

interface IcmpPoint {
  readonly type: number;
  readonly code: number;
}

function icmpClasses(rules: readonly Rule[], version: IpVersion): readonly (IcmpPoint & { readonly name: string })[] {
  const own = ({ protocol }: Rule): boolean =>
    protocol !== undefined && protocolNumber(protocol) === icmpNumber(version);
  const specs: readonly IcmpMatch[] = distinct(
    rules.filter(own).flatMap(({ icmp, not }) => [icmp, not?.icmp].filter((match) => match !== undefined)),
  );
  const echo = version === 4 ? 8 : 128;
  const word = version === 4 ? 'icmp' : 'icmpv6';
  const types = [...new Set(specs.map(({ type }) => type))].sort((a, b) => a - b);
  // Every combination that some rule could tell from the others, echo request first: it is what a prober can send.
  const points: IcmpPoint[] = [{ type: echo, code: 0 }];
  for (const type of types) {
    const codes = specs.flatMap((spec) => (spec.type === type && spec.code !== undefined ? [spec.code] : []));
    for (const code of [...codes].sort((a, b) => a - b)) points.push({ type, code });
    const rest = unnamed(codes);
    if (rest !== undefined) points.push({ type, code: rest });
  }
  const rest = unnamed(types);
  if (rest !== undefined) points.push({ type: rest, code: 0 });

  const classes = new Map<string, IcmpPoint & { readonly label: string }>();
  for (const { type, code } of points) {
    const active = specs.filter((spec) => spec.type === type && (spec.code === undefined || spec.code === code));
    const exact = active.some((spec) => spec.code !== undefined);
    const label = active.length === 0 ? 'other' : exact ? `${type}/${code}` : `${type}`;
    if (!classes.has(label)) classes.set(label, { type, code, label });
  }
  const last = ({ label }: { readonly label: string }) => (label === 'other' ? 1 : 0);
  return [...classes.values()]
    .sort((a, b) => last(a) - last(b) || a.type - b.type || a.code - b.code)
    .map(({ type, code, label }) => ({ name: classes.size === 1 ? word : `${word} ${label}`, type, code }));
}

/** Protocols other than tcp, udp and both ICMPs: those that rules name, and one that stands for all the rest. */
function otherClasses(rules: readonly Rule[]): readonly { readonly protocol: number; readonly name: string }[] {
  const usual = (['tcp', 'udp', 'icmp', 'icmpv6'] as const).map(protocolNumber);
  const named = rules
    .flatMap(({ protocol, not }) => [protocol, not?.protocol])
    .flatMap((protocol) => (protocol === undefined ? [] : protocolNumber(protocol)));
  const own = [...new Set(named)].filter((number) => !usual.includes(number)).sort((a, b) => a - b);
  const rest = unnamed([0, ...usual, ...own, ...protocolNames.map(protocolNumber)]);
  return [
    ...own.map((protocol) => ({
      protocol,
      name: protocolNames.find((name) => protocolNumber(name) === protocol) ?? `protocol ${protocol}`,
    })),
    ...(rest === undefined ? [] : [{ protocol: rest, name: 'other protocols' }]),
  ];
}

/** The lowest number that none of these is; undefined when all 256 are named. */
function unnamed(numbers: readonly number[]): number | undefined {
  for (let number = 0; number < 256; number++) if (!numbers.includes(number)) return number;
  return undefined;
}
