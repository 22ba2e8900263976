/**
 * One rule of policy as lines of an iptables chain. Pure.
 *
 * A rule that allows, or goes on to the next tier, is two lines: one marks what matches, one goes back with what is
 * marked. A rule that only logs is none: the kernel's log is one for the whole machine, which the lab leaves alone.
 *
 * Two things iptables refuses in one line, a network and another one that is negated, and likewise two protocols: the
 * connection's first packet, which is the only one that gets here, is asked for the negated one. Felix writes both, and
 * the kernel never gets that chain.
 *
 * Source: Felix 1.4 `fiptgenerator.py`, `_rule_to_iptables_fragments`.
 */
import { plainFelix } from '../../policy/felix.ts';
import type { IcmpMatch, IpVersion, PeerMatch, PortRange, Rule } from '../../policy/model.ts';
import { protocolNumber } from '../../policy/protocol.ts';
import { render } from '../../policy/render.ts';
import { selectorSetName, setName } from './names.ts';

/** The mark of a packet that a rule allowed, and of one that goes on to the next tier. */
export const accepted = '0x1000000';
export const passed = '0x2000000';

export const marked = (mark: string): string => `-m mark --mark ${mark}/${mark}`;
export const unmarked = (mark: string): string => `-m mark --mark 0x0/${mark}`;
export const clear = (mark: string): string => `-j MARK --set-xmark 0x0/${mark}`;

export function ruleLines(rule: Rule, version: IpVersion): string[] {
  const rendered = render(rule, version, plainFelix)?.rule;
  if (rendered === undefined || rendered.action === 'log') return [];
  const matches = ruleMatches(rendered, version);
  if (rendered.action === 'deny') return matches.map((match) => `${match}-j DROP`);
  const mark = rendered.action === 'allow' ? accepted : passed;
  return matches.flatMap((match) => [`${match}-j MARK --set-xmark ${mark}/${mark}`, `${marked(mark)} -j RETURN`]);
}

const ends = {
  src: { net: '-s', original: '--ctorigsrc', ports: '--source-ports' },
  dst: { net: '-d', original: '--ctorigdst', ports: '--destination-ports' },
} as const;
type End = keyof typeof ends;
type No = '' | '! ';

/** The matches of a rule; several when its ports do not fit into one. */
function ruleMatches({ protocol, icmp, from, to, not }: Rule, version: IpVersion): string[] {
  const fixed: string[] = [];
  if (protocol !== undefined) fixed.push(`-p ${protocol}`);
  if (icmp !== undefined) fixed.push(icmpMatch(icmp, version, ''));
  for (const [end, peer] of [
    ['src', from],
    ['dst', to],
  ] as const) {
    if (peer.cidr !== undefined) fixed.push(`${ends[end].net} ${peer.cidr}`);
    fixed.push(...setMatches(peer, end, version, ''));
  }
  if (not?.protocol !== undefined) {
    const number = protocolNumber(not.protocol);
    fixed.push(protocol === undefined ? `! -p ${number}` : `-m conntrack ! --ctproto ${number}`);
  }
  if (not?.icmp !== undefined) fixed.push(icmpMatch(not.icmp, version, '! '));
  for (const [end, peer] of [
    ['src', from],
    ['dst', to],
  ] as const) {
    if (peer.not !== undefined) fixed.push(...excludedMatches(peer.not, end, version, peer.cidr !== undefined));
  }
  const match = fixed.map((part) => `${part} `).join('');
  return portMatches(from.ports, 'src', '').flatMap((source) =>
    portMatches(to.ports, 'dst', '').map((target) => `${match}${source}${target}`),
  );
}

function icmpMatch({ type, code }: IcmpMatch, version: IpVersion, no: No): string {
  const text = `${type}${code === undefined ? '' : `/${code}`}`;
  return version === 4 ? `-m icmp ${no}--icmp-type ${text}` : `-m icmp6 ${no}--icmpv6-type ${text}`;
}

/** None of it may hold. `netted`: the line has a network already. */
function excludedMatches(peer: PeerMatch, end: End, version: IpVersion, netted: boolean): string[] {
  const { cidr, ports } = peer;
  // iptables of nf_tables refuses what is in no network at all, `! -s 0.0.0.0/0`; its match of connections does not.
  const roundabout = netted || cidr?.endsWith('/0') === true;
  const net = roundabout ? `-m conntrack ! ${ends[end].original}` : `! ${ends[end].net}`;
  // Many of them can stand in one line, and then all must hold: none of these ports, and none of those.
  const excluded = portMatches(ports, end, '! ').map((one) => one.trim());
  return [
    ...(cidr === undefined ? [] : [`${net} ${cidr}`]),
    ...setMatches(peer, end, version, '! '),
    ...excluded.filter((one) => one !== ''),
  ];
}

function setMatches({ tag, selector }: PeerMatch, end: End, version: IpVersion, no: No): string[] {
  const names = [
    ...(tag === undefined ? [] : [setName(tag, version)]),
    ...(selector === undefined ? [] : [selectorSetName(selector, version)]),
  ];
  return names.map((name) => `-m set ${no}--match-set ${name} ${end}`);
}

/** One multiport match takes 15 slots, a range two of them. An empty list means every port, also where it is negated. */
function portMatches(ports: readonly PortRange[] | undefined, end: End, no: No): string[] {
  if (!ports || ports.length === 0) return [''];
  const groups: string[][] = [[]];
  let slots = 0;
  for (const { from, to } of ports) {
    const need = from === to ? 1 : 2;
    if (slots + need > 15) {
      groups.push([]);
      slots = 0;
    }
    slots += need;
    groups.at(-1)!.push(from === to ? String(from) : `${from}:${to}`);
  }
  return groups.map((group) => `-m multiport ${no}${ends[end].ports} ${group.join(',')} `);
}
