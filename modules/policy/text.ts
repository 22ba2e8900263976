/**
 * Any rule in words. What calicoctl can say stands as it says it (`formatRule`); the rest stands as in Go's
 * libcalico (`model.Rule.String`): `allow ipv6 !tcp from selector "has(x)" !cidr 10.0.0.0/8`.
 */
import type { IcmpMatch, Peer, PeerMatch, Rule } from './model.ts';
import { formatPorts } from './syntax/ports.ts';

export function ruleText(rule: Rule): string {
  const { action, ipVersion, protocol, icmp, from, to, not } = rule;
  const words: string[] = [action];
  if (ipVersion !== undefined) words.push(`ipv${ipVersion}`);
  if (protocol !== undefined) words.push(`${protocol}`);
  words.push(...icmpWords(icmp, ''));
  if (not?.protocol !== undefined) words.push(`!${not.protocol}`);
  words.push(...icmpWords(not?.icmp, '!'), ...sideWords('from', from), ...sideWords('to', to));
  return words.join(' ');
}

function icmpWords(icmp: IcmpMatch | undefined, sign: '' | '!'): readonly string[] {
  if (icmp === undefined) return [];
  return [`${sign}type`, `${icmp.type}`, ...(icmp.code === undefined ? [] : [`${sign}code`, `${icmp.code}`])];
}

function sideWords(side: 'from' | 'to', peer: Peer): readonly string[] {
  const words = [...matchWords(peer, ''), ...(peer.not === undefined ? [] : matchWords(peer.not, '!'))];
  return words.length === 0 ? [] : [side, ...words];
}

function matchWords({ ports, tag, selector, cidr }: PeerMatch, sign: '' | '!'): readonly string[] {
  const words: string[] = [];
  // An empty list of ports means every port, also where it is negated.
  if (ports !== undefined && ports.length > 0) words.push(`${sign}ports`, formatPorts(ports));
  if (tag !== undefined) words.push(`${sign}tag`, tag);
  if (selector !== undefined) words.push(`${sign}selector`, JSON.stringify(selector));
  if (cidr !== undefined) words.push(`${sign}cidr`, cidr);
  return words;
}
