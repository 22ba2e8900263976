/**
 * Whether a list of rules lets something through that neither of two others does, or drops what both let through, with
 * any endpoints whatever.
 *
 *     strays('opens', now, ends, about, last)  -> true when `now` alone lets a packet through that one of `about` matches
 *     strays('closes', now, ends, about, last) -> true when `now` alone does not
 *
 * It tries every packet that the rules can tell apart. Which tags an address has is free, and no more of them need be
 * tried than stand in the three rules that decide. Where that would be too many, and for networks that are not IPv4, the
 * answer is yes.
 */
import { parseNet } from '../address.ts';
import type { Peer, PortRange, Rule } from '../model.ts';
import { lastPort } from '../syntax/ports.ts';

export interface Ends {
  readonly before: readonly Rule[];
  readonly after: readonly Rule[];
}

const mostPoints = 300_000;

/** `last`: no profile comes after this one on any endpoint, so that what no rule matches is dropped. */
export function strays(
  how: 'opens' | 'closes',
  now: readonly Rule[],
  ends: Ends,
  about: readonly Rule[],
  last: boolean,
): boolean {
  const all = [...now, ...ends.before, ...ends.after];
  const cells = cellsOf(all);
  if (cells === undefined) return true;
  let budget = mostPoints;
  for (const suspect of about) {
    const packets = packetsOf(all).filter((packet) => ofPacket(suspect, packet));
    const from = cells.filter((cell) => inCell(suspect.from, cell));
    const to = cells.filter((cell) => inCell(suspect.to, cell));
    const tags = tagsOf(how, now, ends, suspect);
    if (tags === undefined) return true;
    budget -= packets.length * from.length * to.length * tags.length;
    if (budget < 0) return true;
    for (const carried of tags) {
      for (const source of from) {
        for (const target of to) {
          const match = (rule: Rule) =>
            inCell(rule.from, source) &&
            inCell(rule.to, target) &&
            (rule.from.tag === undefined || carried.from.has(rule.from.tag)) &&
            (rule.to.tag === undefined || carried.to.has(rule.to.tag));
          const lists = [now, ends.before, ends.after].map((rules) => rules.filter(match));
          for (const packet of packets) {
            const [here, first, second] = lists.map((rules) => verdict(rules, packet, last));
            if (first === here || second === here) continue;
            // What the one list leaves to the next profile, an end that allows it lets through anyway.
            if (
              how === 'opens' &&
              (here === 'deny' || (here === 'pass' && (first === 'allow' || second === 'allow')))
            ) {
              continue;
            }
            if (how === 'closes' && (here === 'allow' || first === 'deny' || second === 'deny')) continue;
            return true;
          }
        }
      }
    }
  }
  return false;
}

type Verdict = 'allow' | 'deny' | 'pass';

function verdict(rules: readonly Rule[], packet: Sample, last: boolean): Verdict {
  const rule = rules.find((one) => ofPacket(one, packet));
  if (rule === undefined) return last ? 'deny' : 'pass';
  return rule.action === 'allow' ? 'allow' : 'deny';
}

interface Carried {
  readonly from: ReadonlySet<string>;
  readonly to: ReadonlySet<string>;
}

function tagsOf(
  how: 'opens' | 'closes',
  now: readonly Rule[],
  { before, after }: Ends,
  suspect: Rule,
): readonly Carried[] | undefined {
  const pairs = (rules: readonly Rule[], action: Rule['action']) => [
    ...new Map(
      [{ from: {}, to: {} }, ...rules.filter((rule) => rule.action === action)].map(({ from, to }: PeerPair) => [
        JSON.stringify([from.tag, to.tag]),
        { from: from.tag, to: to.tag },
      ]),
    ).values(),
  ];
  const [mine, theirs] = how === 'opens' ? (['allow', 'deny'] as const) : (['deny', 'allow'] as const);
  const [through, first, second] = [pairs(now, mine), pairs(before, theirs), pairs(after, theirs)] as const;
  if (through.length * first.length * second.length > mostPoints) return undefined;
  const found = new Map<string, Carried>();
  for (const a of through) {
    for (const b of first) {
      for (const c of second) {
        const set = (side: 'from' | 'to') =>
          new Set([suspect[side].tag, a[side], b[side], c[side]].filter((tag) => tag !== undefined));
        const carried = { from: set('from'), to: set('to') };
        found.set(JSON.stringify([[...carried.from].sort(), [...carried.to].sort()]), carried);
      }
    }
  }
  return [...found.values()];
}

interface PeerPair {
  readonly from: Peer;
  readonly to: Peer;
}

/** The CIDRs in which an address lies: those that contain the smallest of them. */
type Cell = ReadonlySet<string>;

/** Undefined where a network is not IPv4. A cell that its own parts fill up does no harm. */
function cellsOf(rules: readonly Rule[]): readonly Cell[] | undefined {
  const cidrs = [
    ...new Set(rules.flatMap(({ from, to }) => [from.cidr, to.cidr]).filter((cidr) => cidr !== undefined)),
  ];
  const nets = cidrs.map((cidr) => ({ cidr, net: parseNet(cidr) }));
  if (nets.some(({ net }) => net === undefined)) return undefined;
  const cells: Cell[] = [new Set()];
  for (const { net: small } of nets) {
    const around = nets.filter(
      ({ net: big }) => big!.mask >>> 0 <= small!.mask >>> 0 && (small!.base & big!.mask) === big!.base,
    );
    cells.push(new Set(around.map(({ cidr }) => cidr)));
  }
  return cells;
}

function inCell(peer: Peer, cell: Cell): boolean {
  return peer.cidr === undefined || cell.has(peer.cidr);
}

type Sample =
  | { readonly protocol: 'tcp' | 'udp'; readonly sourcePort: number; readonly port: number }
  | { readonly protocol: 'icmp'; readonly type: number; readonly code: number }
  | { readonly protocol: 'other' };

function packetsOf(rules: readonly Rule[]): readonly Sample[] {
  const ported = (['tcp', 'udp'] as const).flatMap((protocol): Sample[] => {
    const own = rules.filter((rule) => rule.protocol === protocol);
    const ports = starts(own.flatMap(({ to }) => to.ports ?? []));
    return starts(own.flatMap(({ from }) => from.ports ?? [])).flatMap((sourcePort) =>
      ports.map((port) => ({ protocol, sourcePort, port })),
    );
  });
  const icmp = rules.flatMap((rule) => (rule.icmp === undefined ? [] : [rule.icmp]));
  const codes = numbers(icmp.flatMap(({ code }) => (code === undefined ? [] : [code])));
  const icmps = numbers(icmp.map(({ type }) => type)).flatMap((type) =>
    codes.map((code): Sample => ({ protocol: 'icmp', type, code })),
  );
  return [...ported, ...icmps, { protocol: 'other' }];
}

/** The first port of every stretch that no range cuts. */
function starts(ranges: readonly PortRange[]): readonly number[] {
  return [...new Set([0, ...ranges.flatMap(({ from, to }) => [from, to + 1])])].filter((port) => port <= lastPort);
}

/** These, and one that is none of them if there is any. */
function numbers(named: readonly number[]): readonly number[] {
  const all = new Set(named);
  for (let number = 0; number < 256; number++) if (!all.has(number)) return [...all, number];
  return [...all];
}

function ofPacket({ protocol, icmp, from, to }: Rule, packet: Sample): boolean {
  if (protocol !== undefined && protocol !== packet.protocol) return false;
  if (packet.protocol === 'other') return true;
  if (packet.protocol === 'icmp') {
    return icmp === undefined || (icmp.type === packet.type && (icmp.code === undefined || icmp.code === packet.code));
  }
  return within(from.ports, packet.sourcePort) && within(to.ports, packet.port);
}

function within(ports: readonly PortRange[] | undefined, port: number): boolean {
  return ports === undefined || ports.length === 0 || ports.some(({ from, to }) => from <= port && port <= to);
}
