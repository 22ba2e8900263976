/**
 * Which packets of a rule are left for it by those before it, in any state: a rule with none left never decides.
 *
 *     uselessRules(rules, felix)              -> the rules that never decide, and which of those before them are to blame
 *     leftFor(rule, earlier, version, felix)  -> packets that reach and match the rule; undefined if there are none
 *
 * A rule matches a box: spans on the lines of protocols, ports, ICMP and addresses, and tags and selectors that hold or do
 * not. Taking one box out of another leaves boxes, so that what is left is found exactly. Tags and selectors are taken as
 * independent: who wrote `role == "a"` and `has(role)` is told less than could be told, and never too much.
 */
import { parseNet } from './address.ts';
import { parseNet6 } from './address6.ts';
import { joined } from './cut.ts';
import type { Felix } from './felix.ts';
import type { IcmpMatch, IpVersion, Peer, PeerMatch, PortRange, Rule, RuleProtocol } from './model.ts';
import { protocolNumber } from './protocol.ts';
import { render } from './render.ts';

interface Span {
  readonly from: bigint;
  readonly to: bigint;
}

/** Sorted, without overlaps. */
type Line = readonly Span[];

/** Packets of one IP version. */
export interface Box {
  /** Protocol, ICMP (type times 256, and code), source port, port, source, destination. */
  readonly lines: readonly Line[];
  /** `from tag web`, `to selector …`: whether it holds. What is not named may be either. */
  readonly names: ReadonlyMap<string, boolean>;
}

export interface Useless {
  readonly index: number;
  /** As few rules before it as match together all that it matches; none for a rule that matches nothing at all. */
  readonly because: readonly number[];
  /** They give the answer that it would give. */
  readonly same: boolean;
}

const versions: readonly IpVersion[] = [4, 6];

/** A list that needs more steps than this for one rule is not spoken of. */
const patience = 2000;

export function uselessRules(rules: readonly Rule[], felix: Felix): readonly Useless[] {
  const chains = versions.map((version) => rules.map((rule) => ready(rule, version, felix)));
  return rules.flatMap((_, index): readonly Useless[] => {
    const because = new Set<number>();
    let same = true;
    for (const chain of chains) {
      const { box, action } = chain[index] ?? {};
      if (box === undefined) continue;
      const before = chain.slice(0, index).flatMap((one, at) => (decides(one, box) ? [{ ...one, at }] : []));
      if (left(box, before) !== undefined) return [];
      for (const one of fewest(box, before)) {
        because.add(one.at);
        same &&= one.action === action;
      }
    }
    return [{ index, because: [...because].sort((a, b) => a - b), same }];
  });
}

export function leftFor(rule: Rule, earlier: readonly Rule[], version: IpVersion, felix: Felix): Box | undefined {
  const box = ready(rule, version, felix)?.box;
  if (box === undefined) return undefined;
  const before = earlier.map((one) => ready(one, version, felix)).filter((one) => decides(one, box));
  return left(box, before);
}

interface Ready {
  readonly action: Rule['action'];
  /** Undefined for a rule that nothing can match. */
  readonly box: Box | undefined;
}

interface Earlier extends Ready {
  readonly box: Box;
}

/** As it stands in the chain of that version, if it does. */
function ready(rule: Rule, version: IpVersion, felix: Felix): Ready | undefined {
  const rendered = render(rule, version, felix)?.rule;
  return rendered && { action: rendered.action, box: boxOf(rendered, version) };
}

/** Whether something of the box ends at this rule. */
function decides(one: Ready | undefined, box: Box): one is Earlier {
  return one?.box !== undefined && one.action !== 'log' && overlap(one.box, box);
}

function fewest<T extends Earlier>(box: Box, earlier: readonly T[]): readonly T[] {
  let needed = earlier;
  // From the last one: of two that would do, the first is blamed.
  for (const one of earlier.toReversed()) {
    const fewer = needed.filter((other) => other !== one);
    if (left(box, fewer) === undefined) needed = fewer;
  }
  return needed;
}

/** Some packets of the box that none of the others has; undefined if there are none. Out of patience, the box itself. */
function left(box: Box, others: readonly Earlier[]): Box | undefined {
  let steps = 0;
  const search = (part: Box, from: number): Box | undefined => {
    const at = others.findIndex((other, index) => index >= from && overlap(other.box, part));
    if (at < 0 || ++steps > patience) return part;
    for (const piece of without(part, others[at]!.box)) {
      const found = search(piece, at + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(box, 0);
}

function overlap(a: Box, b: Box): boolean {
  for (const [index, line] of a.lines.entries()) if (common(line, b.lines[index]!).length === 0) return false;
  for (const [name, holds] of a.names) if ((b.names.get(name) ?? holds) !== holds) return false;
  return true;
}

/** What of the box is not in the other, which it overlaps, in parts that do not. */
function without(box: Box, other: Box): readonly Box[] {
  const parts: Box[] = [];
  let rest = box;
  for (const [index, line] of other.lines.entries()) {
    const outside = common(rest.lines[index]!, complement(line, ends[index]!));
    if (outside.length > 0) parts.push({ ...rest, lines: rest.lines.with(index, outside) });
    rest = { ...rest, lines: rest.lines.with(index, common(rest.lines[index]!, line)) };
  }
  for (const [name, holds] of other.names) {
    if (rest.names.has(name)) continue;
    parts.push({ ...rest, names: new Map(rest.names).set(name, !holds) });
    rest = { ...rest, names: new Map(rest.names).set(name, holds) };
  }
  return parts;
}

const lastAddress = (1n << 128n) - 1n;
/** The last of each line; that of IPv4 addresses only has to be high enough. */
const ends: readonly bigint[] = [255n, 65535n, 65535n, 65535n, lastAddress, lastAddress];

/** Undefined for a rule that nothing can match: a tag and not the tag, ports and not the ports. */
function boxOf({ protocol, icmp, from, to, not }: Rule, version: IpVersion): Box | undefined {
  const end = version === 4 ? (1n << 32n) - 1n : lastAddress;
  const all: Line = [{ from: 0n, to: end }];
  const lines = [
    wanted(protocolLine(protocol), protocolLine(not?.protocol), ends[0]!),
    wanted(icmpLine(icmp), icmpLine(not?.icmp), ends[1]!),
    wanted(portLine(from.ports), portLine(from.not?.ports), ends[2]!),
    wanted(portLine(to.ports), portLine(to.not?.ports), ends[3]!),
    common(all, wanted(netLine(from.cidr, end), netLine(from.not?.cidr, end), end)),
    common(all, wanted(netLine(to.cidr, end), netLine(to.not?.cidr, end), end)),
  ];
  if (lines.some((line) => line.length === 0)) return undefined;
  const names = new Map<string, boolean>();
  for (const [side, peer] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (!named(names, side, peer)) return undefined;
  }
  return { lines, names };
}

/** False where one name is wanted and excluded. */
function named(names: Map<string, boolean>, side: string, peer: Peer): boolean {
  const list = ({ tag, selector }: PeerMatch): readonly string[] => [
    ...(tag === undefined ? [] : [`${side} tag ${tag}`]),
    ...(selector === undefined ? [] : [`${side} selector ${selector}`]),
  ];
  for (const name of list(peer)) names.set(name, true);
  for (const name of list(peer.not ?? {})) {
    if (names.has(name)) return false;
    names.set(name, false);
  }
  return true;
}

/** Undefined stands for no match: everything is wanted, nothing is excluded. */
function wanted(line: Line | undefined, excluded: Line | undefined, end: bigint): Line {
  const rest = excluded === undefined ? [{ from: 0n, to: end }] : complement(excluded, end);
  return line === undefined ? rest : common(line, rest);
}

function protocolLine(protocol: RuleProtocol | undefined): Line | undefined {
  return protocol === undefined ? undefined : [span(protocolNumber(protocol))];
}

function icmpLine(icmp: IcmpMatch | undefined): Line | undefined {
  if (icmp === undefined) return undefined;
  const { type, code } = icmp;
  return [code === undefined ? span(type * 256, type * 256 + 255) : span(type * 256 + code)];
}

function portLine(ports: readonly PortRange[] | undefined): Line | undefined {
  return ports === undefined || ports.length === 0 ? undefined : joined(ports).map(({ from, to }) => span(from, to));
}

function netLine(cidr: string | undefined, end: bigint): Line | undefined {
  if (cidr === undefined) return undefined;
  const net = parseNet(cidr);
  if (net === undefined) {
    const { base, mask } = parseNet6(cidr)!;
    return [{ from: base, to: base | (~mask & end) }];
  }
  return [span(net.base >>> 0, (net.base | ~net.mask) >>> 0)];
}

function span(from: number, to = from): Span {
  return { from: BigInt(from), to: BigInt(to) };
}

function common(a: Line, b: Line): Line {
  const result: Span[] = [];
  for (const one of a) {
    for (const other of b) {
      const from = one.from > other.from ? one.from : other.from;
      const to = one.to < other.to ? one.to : other.to;
      if (from <= to) result.push({ from, to });
    }
  }
  return result;
}

function complement(line: Line, end: bigint): Line {
  const result: Span[] = [];
  let next = 0n;
  for (const { from, to } of line) {
    if (from > next) result.push({ from: next, to: from - 1n });
    next = to + 1n;
  }
  if (next <= end) result.push({ from: next, to: end });
  return result;
}
