/**
 * A second opinion on what Calico does: a slow first-match interpreter, written from the prose of the data model and from
 * nothing else. It shares no code with modules/policy but the types, reads addresses as strings of bits, and looks
 * everything up again for every packet.
 */
import type {
  AnyPacket,
  Endpoint,
  IcmpMatch,
  PeerMatch,
  Policy,
  PolicyState,
  Rule,
} from '../../../modules/policy/model.ts';

/**
 * `client inbound 2 allow`, `tier/policy inbound 1 deny`, `end of TIER`, `missing NAME`, `default`, `empty`, `inactive`,
 * `outsider`, `self`, `own host`, `to own host DNS`.
 */
export interface Opinion {
  readonly allow: boolean;
  readonly outbound: string;
  readonly inbound: string;
}

type Rules = Pick<Policy, 'inbound' | 'outbound'>;

/** A question, with all that a rule can look at. */
interface Asked {
  readonly state: PolicyState;
  /** `plain`, or a version of Felix. */
  readonly felix: string;
  readonly from: string;
  readonly to: string;
  readonly packet: AnyPacket;
}

/** `from` and `to` are addresses of one IP version. */
export function naive(state: PolicyState, from: string, to: string, packet: AnyPacket, felix = 'plain'): Opinion {
  const asked: Asked = { state, felix, from, to, packet };
  const [source, target] = [owner(state, from), owner(state, to)];
  if (source !== undefined && source === target) return { allow: true, outbound: 'self', inbound: 'self' };
  const hostOf = (address: string) => state.hosts?.find(({ addresses }) => addresses.includes(address));
  if (target?.host !== undefined && hostOf(from)?.name === target.host) {
    return { allow: true, outbound: 'own host', inbound: 'own host' };
  }
  const passes = (verdict: string) => verdict === 'outsider' || verdict.endsWith(' allow');
  if (source?.host !== undefined && hostOf(to)?.name === source.host) {
    const special = before(asked, hostOf(to)?.endpointToHost ?? 'RETURN');
    const outbound = special ?? walk(asked, 'outbound', source, false).verdict;
    const allow = special === undefined ? passes(outbound) : special !== 'to own host DROP';
    return { allow, outbound, inbound: 'outsider' };
  }
  const sent = walk(asked, 'outbound', source, false);
  const together = source?.host !== undefined && source.host === target?.host;
  const { verdict: inbound } = walk(asked, 'inbound', target, together && passes(sent.verdict) && sent.marked);
  return { allow: passes(sent.verdict) && passes(inbound), outbound: sent.verdict, inbound };
}

function owner(state: PolicyState, address: string): Endpoint | undefined {
  return state.endpoints.find((one) => one.address === address || one.address6 === address);
}

const isPython = (felix: string) => felix.startsWith('1.');
const isGo = (felix: string) => felix.startsWith('2.');

/** What felix-INPUT says before the rules of the task. */
function before({ packet, felix, from }: Asked, action: string): string | undefined {
  const six = from.includes(':');
  if (packet.protocol === 'icmpv6' && [130, 131, 132, 133, 135, 136].includes(packet.type)) {
    return 'to own host neighbour discovery';
  }
  if (isPython(felix) && packet.protocol === 'udp') {
    if (packet.sourcePort === (six ? 546 : 68) && packet.port === (six ? 547 : 67)) return 'to own host DHCP';
    if (packet.port === 53) return 'to own host DNS';
  }
  return action === 'DROP' ? 'to own host DROP' : undefined;
}

function walk(
  asked: Asked,
  direction: 'inbound' | 'outbound',
  endpoint: Endpoint | undefined,
  carried: boolean,
): { readonly verdict: string; readonly marked: boolean } {
  const { state, felix } = asked;
  let marked = carried;
  const said = (verdict: string) => ({ verdict, marked });
  if (endpoint === undefined) return said('outsider');
  if (endpoint.state === 'inactive') return said('inactive');
  const rank = (one: { readonly name: string; readonly order?: number }) => one.order ?? Number.MAX_VALUE;
  const sorted = <T extends { readonly name: string; readonly order?: number }>(list: readonly T[]) =>
    [...list].sort((a, b) => rank(a) - rank(b) || (a.name > b.name ? 1 : -1));
  for (const tier of felix === '1.3.0' ? [] : sorted(state.tiers ?? [])) {
    const policies = sorted(tier.policies).filter(
      (policy) =>
        felixTakes(policy, felix) &&
        selects(policy.selector, labels(state, endpoint)) &&
        // Only the last Felix asks for less than both directions.
        (policy.directions?.includes(direction) !== false || (felix !== 'plain' && felix !== '2.6.8')),
    );
    if (policies.length === 0) continue;
    marked = false;
    for (const policy of policies) {
      if (marked) break;
      for (const [index, rule] of policy[direction].entries()) {
        const outcome = holds(asked, rule);
        if (outcome === 'no' || outcome === 'absent' || (rule.action === 'log' && outcome !== 'drop')) continue;
        const action = outcome === 'drop' ? 'deny' : rule.action;
        if (action === 'next-tier') marked = true;
        else return said(`${tier.name}/${policy.name} ${direction} ${index + 1} ${action}`);
        break;
      }
    }
    if (!marked) return said(`end of ${tier.name}`);
  }
  if (endpoint.profiles.length === 0) return said('empty');
  for (const name of endpoint.profiles) {
    const profile = state.profiles.get(name);
    if (profile === undefined || !felixTakes(profile, felix)) return said(`missing ${name}`);
    let position = 0;
    for (const rule of profile[direction]) {
      position += 1;
      const outcome = holds(asked, rule);
      if (outcome === 'absent' || (rule.action === 'log' && outcome !== 'drop')) continue;
      const matched = outcome !== 'no';
      if (rule.action === 'next-tier' && outcome !== 'drop') {
        if (matched) marked = true;
        if (marked) break;
      } else if (matched) {
        return said(`${name} ${direction} ${position} ${outcome === 'drop' ? 'deny' : rule.action}`);
      }
    }
  }
  return said('default');
}

const numbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132, udplite: 136 };
const numberOf = (protocol: string | number | undefined) =>
  typeof protocol === 'string' ? numbers[protocol] : protocol;

/** One bad rule in either direction makes the whole profile invalid, and an invalid profile counts as missing. */
function felixTakes(rules: Rules, felix: string): boolean {
  return [...rules.inbound, ...rules.outbound].every((rule) => {
    const peers = [rule.from, rule.to, rule.from.not, rule.to.not].filter((peer) => peer !== undefined);
    const negated = rule.not !== undefined || rule.from.not !== undefined || rule.to.not !== undefined;
    const tiersToo = rule.action === 'next-tier' || peers.some((peer) => peer.selector !== undefined);
    if (felix === '1.3.0' && tiersToo) return false;
    if (['1.3.0', '1.4.0b1'].includes(felix) && negated) return false;
    if (['1.3.0', '1.4.0b1', '1.4.0b2'].includes(felix) && rule.action === 'log') return false;
    const ports = peers.flatMap((peer) => peer.ports ?? []);
    const ported = isPython(felix) ? [6, 17, 33, 132, 136] : [6, 17];
    // Python also minds a list of ports that is empty.
    const lists = peers.some((peer) => peer.ports !== undefined);
    if ((isPython(felix) ? lists : ports.length > 0) && !ported.includes(numberOf(rule.protocol) ?? 0)) return false;
    if (ports.some((range) => range.from > range.to || range.from < 0 || range.to > 65535)) return false;
    if (isGo(felix) && ports.some((range) => range.from === 0)) return false;
    const icmps = [rule.icmp, rule.not?.icmp].filter((icmp) => icmp !== undefined);
    if (icmps.length > 0 && !isPython(felix) && ![1, 58].includes(numberOf(rule.protocol) ?? 0)) return false;
    if (icmps.some(({ type }) => type > (isPython(felix) ? 255 : 254))) return false;
    if (rule.ipVersion === undefined || isGo(felix)) return true;
    const six = rule.ipVersion === 6;
    if (rule.protocol === (six ? 'icmp' : 'icmpv6')) return false;
    return peers.every((peer) => peer.cidr === undefined || peer.cidr.includes(':') === six);
  });
}

/** `absent`: the rule is not in the chain of this IP version. `drop`: a drop of everything stands in its place. */
function holds(asked: Asked, rule: Rule): 'yes' | 'no' | 'absent' | 'drop' {
  const { felix, from, to, packet } = asked;
  const six = from.includes(':');
  if (rule.ipVersion !== undefined && (rule.ipVersion === 6) !== six) return 'absent';
  const peers = [rule.from, rule.to, rule.from.not, rule.to.not].filter((peer) => peer !== undefined);
  const icmps = [rule.icmp, rule.not?.icmp].filter((icmp) => icmp !== undefined);
  if (isPython(felix)) {
    const ported = peers.some((peer) => (peer.ports ?? []).length > 0);
    if (ported && rule.protocol !== 'tcp' && rule.protocol !== 'udp') return 'drop';
    if (icmps.some(({ type }) => type === 255)) return 'drop';
    if (six && icmps.length > 0 && rule.protocol !== 'icmpv6') return 'drop';
  } else {
    if (peers.some((peer) => peer.cidr !== undefined && peer.cidr.includes(':') !== six)) return 'absent';
    if (icmps.length > 0 && numberOf(rule.protocol) !== (six ? 58 : 1)) return 'absent';
  }
  const seesIcmp = !isPython(felix) || rule.protocol === (six ? 'icmpv6' : 'icmp');
  const wanted: boolean[] = [];
  const banned: boolean[] = [];
  for (const [list, part] of [
    [wanted, rule],
    [banned, rule.not ?? {}],
  ] as const) {
    if (part.protocol !== undefined) list.push(numberOf(part.protocol) === numberOf(packet.protocol));
    if (part.icmp !== undefined && seesIcmp) list.push(isIcmp(packet, part.icmp));
  }
  wanted.push(...facts(asked, rule.from, from, 'sourcePort'), ...facts(asked, rule.to, to, 'port'));
  banned.push(...facts(asked, rule.from.not ?? {}, from, 'sourcePort'), ...facts(asked, rule.to.not ?? {}, to, 'port'));
  return wanted.includes(false) || banned.includes(true) ? 'no' : 'yes';
}

function isIcmp(packet: AnyPacket, icmp: IcmpMatch): boolean {
  if (!('type' in packet)) return false;
  return packet.type === icmp.type && (icmp.code === undefined || icmp.code === packet.code);
}

/** Each match of the peer, true or false. */
function facts({ state, packet }: Asked, peer: PeerMatch, address: string, key: 'sourcePort' | 'port'): boolean[] {
  const list: boolean[] = [];
  const carrier = owner(state, address);
  if (peer.tag !== undefined) {
    const { tag } = peer;
    list.push((carrier?.profiles ?? []).some((name) => state.profiles.get(name)?.tags.includes(tag)));
  }
  if (peer.selector !== undefined) {
    list.push(carrier !== undefined && selects(peer.selector, labels(state, carrier)));
  }
  // A CIDR of the other IP version is not there: the rule was given up before, or Python lost it.
  const { cidr = '' } = peer;
  if (cidr !== '' && cidr.includes(':') === address.includes(':')) list.push(contains(cidr, address));
  if (peer.ports !== undefined && peer.ports.length > 0) {
    const port = key in packet ? (packet as Readonly<Record<typeof key, number>>)[key] : NaN;
    list.push(peer.ports.some((range) => port >= range.from && port <= range.to));
  }
  return list;
}

function labels(state: PolicyState, endpoint: Endpoint): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const name of endpoint.profiles) {
    for (const [key, value] of Object.entries(state.profiles.get(name)?.labels ?? {})) all.set(key, value);
  }
  for (const [key, value] of Object.entries(endpoint.labels ?? {})) all.set(key, value);
  return all;
}

/** Reduces the text: every comparison to T or F, then brackets, "!", "&&" and "||" until one letter is left. */
function selects(selector: string, has: ReadonlyMap<string, string>): boolean {
  const letter = (truth: boolean) => (truth ? 'T' : 'F');
  const among = (label: string, list: string) =>
    has.has(label) && [...list.matchAll(/"([^"]*)"/g)].some(([, value]) => value === has.get(label));
  let text = (selector.trim() || 'all()')
    .replace(/([\w./-]+)\s*==\s*("[^"]*")/g, (_, label: string, list: string) => letter(among(label, list)))
    .replace(/([\w./-]+)\s*!=\s*("[^"]*")/g, (_, label: string, list: string) => letter(!among(label, list)))
    .replace(/([\w./-]+)\s+not\s+in\s*{([^}]*)}/g, (_, label: string, list: string) => letter(!among(label, list)))
    .replace(/([\w./-]+)\s+in\s*{([^}]*)}/g, (_, label: string, list: string) => letter(among(label, list)))
    .replace(/has\(([^)]*)\)/g, (_, label: string) => letter(has.has(label.trim())))
    .replaceAll('all()', 'T')
    .replace(/\s/g, '');
  for (let last = ''; last !== text;) {
    last = text;
    text = text
      .replace(/!T/g, 'F')
      .replace(/!F/g, 'T')
      .replace(/\(([TF])\)/g, '$1');
    if (text !== last) continue;
    text = text.replace(/([TF])&&([TF])/, (_, a: string, b: string) => letter(a === 'T' && b === 'T'));
    if (text !== last) continue;
    text = text.replace(/(?<!&)([TF])\|\|([TF])(?!&)/, (_, a: string, b: string) => letter(a === 'T' || b === 'T'));
  }
  if (text !== 'T' && text !== 'F') throw new Error(`${selector} comes to ${text}`);
  return text === 'T';
}

function contains(cidr: string, address: string): boolean {
  const [network, length] = cidr.split('/') as [string, string];
  return bits(address).startsWith(bits(network).slice(0, Number(length)));
}

function bits(address: string): string {
  if (!address.includes(':')) {
    const number = address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
    return number.toString(2).padStart(32, '0');
  }
  const [head = '', tail] = address.split('::');
  const words = (part: string) => part.split(':').filter((word) => word !== '');
  const [left, right] = [words(head), words(tail ?? '')];
  const middle = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].map((word) => parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}
