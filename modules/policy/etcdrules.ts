/** Rules in etcd: JSON in which every match is a key of its own, negated with "!" before it. */
import { canonicalNet } from './address6.ts';
import { versionOf } from './cidrs.ts';
import type { Felix } from './felix.ts';
import type { Direction, IcmpMatch, Peer, PeerMatch, PortRange, Rule, RuleProtocol } from './model.ts';
import { mostRules, sidesOf, type Nets } from './nets.ts';
import { isProtocol } from './protocol.ts';

type Rules = Readonly<Record<Direction, readonly Rule[]>>;
type Json = Readonly<Record<string, unknown>>;

const matchKeys = [
  ...['protocol', 'icmp_type', 'icmp_code'],
  ...['tag', 'selector', 'net', 'ports'].flatMap((key) => [`src_${key}`, `dst_${key}`]),
];
const knownKeys = new Set(['action', 'ip_version', ...matchKeys, ...matchKeys.map((key) => `!${key}`)]);

/** Why a rule is invalid; it never leaves this file. */
class Invalid extends Error {}

/** Lists of networks, which only the last versions of Go's Felix know. */
const listKeys = new Set(['src_nets', 'dst_nets', '!src_nets', '!dst_nets']);

/** `ignored`: this Felix reads past it, or may. `not shown`: it does not, and what is read here says less than it. */
export type Told = (effect: 'ignored' | 'not shown', reason: string) => void;

/** Why the rules of this object are invalid, or the rules. */
export function inboundAndOutbound(value: unknown, felix: Felix, told: Told): Rules | string {
  if (!isRecord(value)) return 'it is no object';
  const read = (direction: Direction): readonly Rule[] => {
    const rules = value[`${direction}_rules`];
    if (rules === undefined && !felix.quirks.has('outbound-rules-required')) return [];
    if (!Array.isArray(rules)) {
      throw new Invalid(`${direction}_rules is ${rules === undefined ? 'missing' : 'no list'}`);
    }
    return rules.flatMap((rule: unknown, index) => {
      const at = `${direction} rule ${index + 1}`;
      return readRule(rule, at, felix, (key) => told('ignored', `${at}: the key "${key}" is unknown, and not seen`));
    });
  };
  try {
    return { inbound: read('inbound'), outbound: read('outbound') };
  } catch (error) {
    if (error instanceof Invalid) return error.message;
    throw error;
  }
}

export function rulesToEtcd({ inbound, outbound }: Rules): object {
  return { inbound_rules: inbound.map(ruleToEtcd), outbound_rules: outbound.map(ruleToEtcd) };
}

/** Several rules where one has lists of networks. */
function readRule(value: unknown, at: string, felix: Felix, ignored: (key: string) => void): readonly Rule[] {
  const wrong = (fault: string) => new Invalid(`${at}: ${fault}`);
  if (!isRecord(value)) throw wrong('it is no object');
  // Made of its entries, so that "__proto__" is a key like any other.
  const json: Json = Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
  for (const key of Object.keys(json)) {
    if (knownKeys.has(key) || (key === 'log_prefix' && felix.knows.log)) continue;
    if (listKeys.has(key) && felix.knows.netLists) continue;
    if (!felix.quirks.has('lenient-json')) throw wrong(`the key "${key}" is unknown`);
    ignored(key);
  }
  const { action = 'allow', ip_version: ipVersion, log_prefix: prefix } = json;
  if (prefix !== undefined && typeof prefix !== 'string') {
    throw wrong(`log_prefix is ${JSON.stringify(prefix)}, which is no text`);
  }
  if (action !== 'allow' && action !== 'deny' && action !== 'next-tier' && action !== 'log') {
    throw wrong(`there is no action ${JSON.stringify(action)}`);
  }
  if (ipVersion !== undefined && ipVersion !== 4 && ipVersion !== 6) {
    throw wrong(`there is no IP version ${JSON.stringify(ipVersion)}`);
  }
  const reader: Matches = { json, felix, wrong };
  const not = { ...readProtocol(reader, '!'), ...readIcmp(reader, '!') };
  const rule: Rule = {
    action,
    ...(ipVersion === undefined ? {} : { ipVersion }),
    ...readProtocol(reader, ''),
    ...readIcmp(reader, ''),
    from: readPeer(reader, 'src'),
    to: readPeer(reader, 'dst'),
    ...(Object.keys(not).length === 0 ? {} : { not }),
  };
  return felix.knows.netLists ? withLists(rule, reader) : [rule];
}

/** Each IP version sees the networks of its own in a list, and has no rule where it sees none. */
function withLists(rule: Rule, reader: Matches): readonly Rule[] {
  const lists = ['src_nets', '!src_nets', 'dst_nets', '!dst_nets'].map((key) => readNets(reader, key));
  if (lists.every((list) => list === undefined)) return [rule];
  const rules = ([4, 6] as const).flatMap((version): readonly Rule[] => {
    const own = lists.map((list) => list?.filter((net) => versionOf(net) === version));
    if (own.some((list) => list?.length === 0)) return [];
    const ends = (any: Nets['any'], none: Nets['none']): Nets => ({ ...(any && { any }), ...(none && { none }) });
    const [from, to] = [sidesOf(rule.from, ends(own[0], own[1])), sidesOf(rule.to, ends(own[2], own[3]))];
    if (from.length * to.length > mostRules) throw reader.wrong(`it would be more than ${mostRules} rules here`);
    return from.flatMap((source) => to.map((target) => ({ ...rule, from: source, to: target })));
  });
  return rules;
}

/** An empty list is as good as none. */
function readNets({ json, wrong }: Matches, key: string): readonly string[] | undefined {
  const value = json[key];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrong(`${key} is no list`);
  const nets = value.map((net: unknown) => {
    const canonical = typeof net === 'string' ? canonicalNet(net) : undefined;
    if (canonical === undefined) throw wrong(`${JSON.stringify(net)} in ${key} is no network`);
    return canonical;
  });
  return nets.length === 0 ? undefined : [...new Set(nets)];
}

/** A rule of which the matches are read one by one. */
interface Matches {
  readonly json: Json;
  readonly felix: Felix;
  readonly wrong: (fault: string) => Invalid;
}

function readProtocol({ json, felix, wrong }: Matches, sign: '' | '!'): { readonly protocol?: RuleProtocol } {
  const value = json[`${sign}protocol`];
  if (value === undefined) return {};
  const numeric = typeof value === 'string' && /^[1-9]\d*$/.test(value) && felix.quirks.has('text-protocol-numbers');
  const protocol = numeric ? Number(value) : value;
  if (!isProtocol(protocol)) throw wrong(`there is no protocol ${JSON.stringify(value)}`);
  return { protocol };
}

function readIcmp({ json, wrong }: Matches, sign: '' | '!'): { readonly icmp?: IcmpMatch } {
  const { [`${sign}icmp_type`]: type, [`${sign}icmp_code`]: code } = json;
  if (type === undefined && code === undefined) return {};
  if (type === undefined) throw wrong('an ICMP code needs a type');
  if (typeof type !== 'number') throw wrong(`the ICMP type ${JSON.stringify(type)} is no number`);
  if (code === undefined) return { icmp: { type } };
  if (typeof code !== 'number') throw wrong(`the ICMP code ${JSON.stringify(code)} is no number`);
  return { icmp: { type, code } };
}

function readPeer(reader: Matches, end: 'src' | 'dst'): Peer {
  const not = readMatch(reader, `!${end}`);
  return { ...readMatch(reader, end), ...(Object.keys(not).length === 0 ? {} : { not }) };
}

function readMatch({ json, felix, wrong }: Matches, end: string): PeerMatch {
  const text = (key: string): string | undefined => {
    const value = json[`${end}_${key}`];
    if (value === undefined || (value === '' && felix.quirks.has('lenient-json'))) return undefined;
    if (typeof value !== 'string') throw wrong(`${end}_${key} is ${JSON.stringify(value)}, which is no text`);
    return value;
  };
  const [tag, selector, cidr] = [text('tag'), text('selector'), text('net')];
  const ports = json[`${end}_ports`];
  if (ports !== undefined && !Array.isArray(ports)) throw wrong(`${end}_ports is no list`);
  const ranges = ports?.map((item: unknown) => {
    const range = readRange(item, felix);
    if (range !== undefined) return range;
    throw wrong(`${JSON.stringify(item)} in ${end}_ports is no port and no range of ports`);
  });
  return {
    ...(tag === undefined ? {} : { tag }),
    ...(selector === undefined ? {} : { selector }),
    ...(cidr === undefined ? {} : { cidr }),
    ...(ranges === undefined ? {} : { ports: ranges }),
  };
}

function readRange(item: unknown, { quirks }: Felix): PortRange | undefined {
  if (typeof item === 'number') return { from: item, to: item };
  const match = typeof item === 'string' ? /^(\d+)(?::(\d+))?$/.exec(item) : null;
  if (match === null) return undefined;
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  return from === to && quirks.has('one-port-range-invalid') ? undefined : { from, to };
}

function ruleToEtcd({ action, ipVersion, protocol, icmp, from, to, not }: Rule): Json {
  return {
    action,
    ...(ipVersion === undefined ? {} : { ip_version: ipVersion }),
    ...(protocol === undefined ? {} : { protocol }),
    ...icmpToEtcd(icmp, ''),
    ...(not?.protocol === undefined ? {} : { '!protocol': not.protocol }),
    ...icmpToEtcd(not?.icmp, '!'),
    ...peerToEtcd(from, 'src'),
    ...peerToEtcd(to, 'dst'),
    ...(from.not === undefined ? {} : peerToEtcd(from.not, '!src')),
    ...(to.not === undefined ? {} : peerToEtcd(to.not, '!dst')),
  };
}

function icmpToEtcd(icmp: IcmpMatch | undefined, sign: '' | '!'): Json {
  if (icmp === undefined) return {};
  return { [`${sign}icmp_type`]: icmp.type, ...(icmp.code === undefined ? {} : { [`${sign}icmp_code`]: icmp.code }) };
}

function peerToEtcd({ tag, selector, cidr, ports }: PeerMatch, end: string): Json {
  return {
    ...(tag === undefined ? {} : { [`${end}_tag`]: tag }),
    ...(selector === undefined ? {} : { [`${end}_selector`]: selector }),
    ...(cidr === undefined ? {} : { [`${end}_net`]: cidr }),
    ...(ports === undefined
      ? {}
      : { [`${end}_ports`]: ports.map(({ from, to }) => (from === to ? from : `${from}:${to}`)) }),
  };
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
