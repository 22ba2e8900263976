/**
 * Traffic classes: packets that no rule tells apart are one class, with one packet to stand for all of it. What is probed
 * and what is computed are the same classes.
 *
 *     trafficClasses(profiles) -> readonly Traffic[]: tcp, then udp, then icmp; named ports first, `other` last
 *     packetOf(traffic)        -> the Packet that stands for the class
 *     probeable(traffic)       -> false for ICMP that a prober cannot send (all but echo request)
 *
 * Hand in the profiles of all steps that shall be compared: a class is then a class in each of them.
 */
import { cutPorts, joined } from './cut.ts';
import type { Packet, PortRange, Profile, Rule, Traffic } from './model.ts';
import { formatPorts, inPorts } from './ports.ts';
import { profileFault } from './valid.ts';

/** Linux' net.ipv4.ip_local_port_range: where a client's port comes from when no rule asks for one. */
export const ephemeral: PortRange = { from: 32768, to: 60999 };

/** Stands for a class that names no port: upstream's Star probe listens on it. */
const usualPort = 9000;
/** Below it a listener needs privileges. */
const firstFreePort = 1024;

export function trafficClasses(profiles: Iterable<Profile>): readonly Traffic[] {
  // An invalid profile drops everything, whatever its rules say.
  const valid = [...profiles].filter((profile) => profileFault(profile) === undefined);
  const rules = valid.flatMap(({ inbound, outbound }) => [...inbound, ...outbound]);
  return [...portClasses('tcp', rules), ...portClasses('udp', rules), ...icmpClasses(rules)];
}

export function packetOf(traffic: Traffic): Packet {
  return traffic.protocol === 'icmp'
    ? { protocol: 'icmp', type: traffic.type, code: traffic.code }
    : { protocol: traffic.protocol, sourcePort: traffic.sourcePorts.from, port: traffic.port };
}

export function probeable(traffic: Traffic): boolean {
  if (traffic.protocol === 'icmp') return traffic.type === 8 && traffic.code === 0;
  // Port 0 cannot be bound; a class that is only port 0 exists for who names it.
  return traffic.port > 0 && traffic.sourcePorts.to > 0;
}

function portClasses(protocol: 'tcp' | 'udp', rules: readonly Rule[]): readonly Traffic[] {
  const specs = distinct(
    rules
      .filter((rule) => rule.protocol === protocol)
      .map(({ from, to }) => ({ from: listed(from.ports), to: listed(to.ports) }))
      .filter(({ from, to }) => from !== undefined || to !== undefined),
  );
  const named = specs.flatMap(({ to }) => to ?? []);
  const sources = cutPorts(specs.map(({ from }) => from));
  const classes = sources.flatMap((source) => {
    const active = specs.filter((_, index) => source.active.has(index));
    const sourceName = active.some(({ from }) => from !== undefined) && sources.length > 1;
    const targets = cutPorts(active.map(({ to }) => to));
    return targets.map((target) => {
      const naming = active.some(({ to }, index) => to !== undefined && target.active.has(index));
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

function icmpClasses(rules: readonly Rule[]): readonly Traffic[] {
  const specs = distinct(
    rules.flatMap(({ protocol, icmp }) => (protocol === 'icmp' && icmp !== undefined ? [icmp] : [])),
  );
  const types = [...new Set(specs.map(({ type }) => type))].sort((a, b) => a - b);
  // Every combination that some rule could tell from the others, echo request first: it is what a prober can send.
  const points: IcmpPoint[] = [{ type: 8, code: 0 }];
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
    .map(({ type, code, label }) => ({
      protocol: 'icmp',
      name: classes.size === 1 ? 'icmp' : `icmp ${label}`,
      type,
      code,
    }));
}

/** The lowest number that none of these is; undefined when all 256 are named. */
function unnamed(numbers: readonly number[]): number | undefined {
  for (let number = 0; number < 256; number++) if (!numbers.includes(number)) return number;
  return undefined;
}
