/**
 * A second opinion on what Calico does: a slow first-match interpreter, written from the prose of the data model and from
 * nothing else. It shares no code with modules/policy but the types, reads addresses as strings of bits, and looks
 * everything up again for every packet.
 */
import type { Packet, PolicyState, Profile, Rule } from '../../../modules/policy/model.ts';

/** `client inbound 2 allow`, `missing NAME`, `default`, `empty`, `outsider`, `self`. */
export interface Opinion {
  readonly allow: boolean;
  readonly outbound: string;
  readonly inbound: string;
}

/** `from` and `to` are addresses. */
export function naive(state: PolicyState, from: string, to: string, packet: Packet): Opinion {
  if (from === to && state.endpoints.some((endpoint) => endpoint.address === from)) {
    return { allow: true, outbound: 'self', inbound: 'self' };
  }
  const outbound = walk(state, 'outbound', from, from, to, packet);
  const inbound = walk(state, 'inbound', to, from, to, packet);
  const passes = (verdict: string) => verdict === 'outsider' || verdict.endsWith(' allow');
  return { allow: passes(outbound) && passes(inbound), outbound, inbound };
}

function walk(
  state: PolicyState,
  direction: 'inbound' | 'outbound',
  whose: string,
  from: string,
  to: string,
  packet: Packet,
): string {
  const endpoint = state.endpoints.find(({ address }) => address === whose);
  if (endpoint === undefined) return 'outsider';
  if (endpoint.profiles.length === 0) return 'empty';
  for (const name of endpoint.profiles) {
    const profile = state.profiles.get(name);
    if (profile === undefined || !felixTakes(profile)) return `missing ${name}`;
    let position = 0;
    for (const rule of profile[direction]) {
      position += 1;
      if (holds(state, rule, from, to, packet)) return `${name} ${direction} ${position} ${rule.action}`;
    }
  }
  return 'default';
}

/** One bad rule in either direction makes the whole profile invalid, and an invalid profile counts as missing. */
function felixTakes(profile: Profile): boolean {
  return [...profile.inbound, ...profile.outbound].every((rule) => {
    const ports = [...(rule.from.ports ?? []), ...(rule.to.ports ?? [])];
    if (ports.length > 0 && rule.protocol !== 'tcp' && rule.protocol !== 'udp') return false;
    if (ports.some((range) => range.from > range.to || range.from < 0 || range.to > 65535)) return false;
    return rule.icmp === undefined || rule.protocol === 'icmp';
  });
}

function holds(state: PolicyState, rule: Rule, from: string, to: string, packet: Packet): boolean {
  const wanted: boolean[] = [];
  if (rule.protocol) wanted.push(rule.protocol === packet.protocol);
  if (rule.icmp) wanted.push(packet.protocol === 'icmp' && packet.type === rule.icmp.type);
  if (rule.icmp?.code !== undefined) wanted.push(packet.protocol === 'icmp' && packet.code === rule.icmp.code);
  if (rule.from.tag !== undefined) wanted.push(carries(state, from, rule.from.tag));
  if (rule.to.tag !== undefined) wanted.push(carries(state, to, rule.to.tag));
  if (rule.from.cidr !== undefined) wanted.push(contains(rule.from.cidr, from));
  if (rule.to.cidr !== undefined) wanted.push(contains(rule.to.cidr, to));
  const lists = [
    [rule.from.ports, 'sourcePort'],
    [rule.to.ports, 'port'],
  ] as const;
  for (const [list, key] of lists) {
    if (list === undefined || list.length === 0) continue;
    const port = packet.protocol === 'icmp' ? NaN : packet[key];
    wanted.push(list.some((range) => port >= range.from && port <= range.to));
  }
  return !wanted.includes(false);
}

function carries(state: PolicyState, address: string, tag: string): boolean {
  for (const endpoint of state.endpoints) {
    if (endpoint.address !== address) continue;
    for (const name of endpoint.profiles) if (state.profiles.get(name)?.tags.includes(tag)) return true;
  }
  return false;
}

function contains(cidr: string, address: string): boolean {
  const [network, length] = cidr.split('/') as [string, string];
  return bits(address).startsWith(bits(network).slice(0, Number(length)));
}

function bits(address: string): string {
  const number = address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  return number.toString(2).padStart(32, '0');
}
