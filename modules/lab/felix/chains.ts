/**
 * Felix's structure in iptables and ipset, rendered from the mirror of the datastore. Pure.
 *
 * FORWARD → felix-FORWARD → felix-FROM-ENDPOINT / felix-TO-ENDPOINT → one chain per endpoint and direction → one chain
 * per profile and direction; one ipset per tag; an accepted packet carries mark 0x1000000 back through RETURN.
 * Source: Felix 1.3 to 1.4 `frules.py`, `endpoint.py`, `profilerules.py`.
 */
import { createHash } from 'node:crypto';
import type { EndpointValue } from '../../datastore/calico.ts';
import type { Direction, PortRange, Profile, Rule } from '../../policy/model.ts';
import type { FelixState } from './state.ts';

/** What the kernel should hold for one host. */
export interface Dataplane {
  /** Members by set name. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
  /** Rules by chain, in order; the chain's own name is not repeated in them. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Interface and address of each local endpoint: a route and a few sysctls each. */
  readonly endpoints: readonly { readonly interface: string; readonly address: string }[];
}

const mark = '0x1000000/0x1000000';

export function dataplane(state: FelixState): Dataplane {
  const chains = new Map<string, string[]>();
  const tags = new Set<string>();
  const endpoints = [...state.local.values()].sort((a, b) => (a.interface < b.interface ? -1 : 1));

  chains.set('felix-FORWARD', [
    '-m conntrack --ctstate INVALID -j DROP',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-i cali+ -j felix-FROM-ENDPOINT',
    '-o cali+ -j felix-TO-ENDPOINT',
    '-i cali+ -j ACCEPT',
    '-o cali+ -j ACCEPT',
  ]);
  // A task may talk to its own host if its outbound rules say so: calicoctl sets DefaultEndpointToHostAction=RETURN,
  // because Mesos executors must reach their agent.
  chains.set('felix-INPUT', [
    '! -i cali+ -j RETURN',
    '-m conntrack --ctstate INVALID -j DROP',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-j felix-FROM-ENDPOINT',
  ]);
  chains.set('felix-FROM-ENDPOINT', dispatch(endpoints, 'from'));
  chains.set('felix-TO-ENDPOINT', dispatch(endpoints, 'to'));

  const used = new Set<string>();
  for (const endpoint of endpoints) {
    const suffix = endpoint.interface.slice('cali'.length);
    chains.set(`felix-to-${suffix}`, endpointChain(endpoint, 'inbound', []));
    chains.set(
      `felix-from-${suffix}`,
      // A foreign source address never gets here: rp_filter is strict on the interface.
      endpointChain(endpoint, 'outbound', [`-m mac ! --mac-source ${endpoint.mac} -j DROP`]),
    );
    for (const profile of endpoint.profiles) used.add(profile);
  }
  for (const name of [...used].sort()) {
    const profile = state.profile(name);
    for (const direction of ['inbound', 'outbound'] as const) {
      chains.set(profileChain(name, direction), profile ? profileRules(profile, direction, tags) : ['-j DROP']);
    }
  }
  return {
    sets: new Map([...tags].sort().map((tag) => [setName(tag), state.members(tag)])),
    chains,
    endpoints: endpoints.flatMap((endpoint) =>
      endpoint.addresses.map((address) => ({ interface: endpoint.interface, address })),
    ),
  };
}

/** `iptables-restore --noflush` text that replaces every chain of Felix in one transaction, and drops `stale` ones. */
export function restoreText(chains: Dataplane['chains'], stale: readonly string[], hooks: boolean): string {
  const lines = ['*filter'];
  for (const chain of [...chains.keys(), ...stale]) lines.push(`:${chain} - [0:0]`);
  if (hooks) lines.push('-I INPUT 1 -j felix-INPUT', '-I FORWARD 1 -j felix-FORWARD');
  for (const [chain, rules] of chains) for (const rule of rules) lines.push(`-A ${chain} ${rule}`);
  for (const chain of stale) lines.push(`-X ${chain}`);
  return `${lines.join('\n')}\nCOMMIT\n`;
}

/** `ipset restore` text: each changed set is built aside and swapped in, so that no packet sees a half-filled one. */
export function setText(changed: ReadonlyMap<string, readonly string[]>): string {
  const lines: string[] = [];
  for (const [name, members] of changed) {
    const next = name.replace('felix-v4-', 'felix-tmp-v4-');
    lines.push(
      `create ${name} hash:ip family inet -exist`,
      `create ${next} hash:ip family inet -exist`,
      `flush ${next}`,
      ...members.map((address) => `add ${next} ${address}`),
      `swap ${name} ${next}`,
      `destroy ${next}`,
    );
  }
  return lines.length > 0 ? `${lines.join('\n')}\n` : '';
}

/** An ipset's name holds 31 characters, and the one built aside, which no tag may be able to spell, is four longer. */
export const setName = (tag: string): string => `felix-v4-${short(tag, 18)}`;

/** A chain's name holds 28 characters. */
export const profileChain = (profile: string, direction: Direction): string =>
  `felix-p-${short(profile, 16)}-${direction === 'inbound' ? 'i' : 'o'}`;

/** Felix's `uniquely_shorten`: the name itself if it fits, else an underscore and the start of its hash. */
function short(name: string, length: number): string {
  if (name.length <= length) return name;
  return `_${createHash('sha1')
    .update(name)
    .digest('hex')
    .slice(0, length - 1)}`;
}

function dispatch(endpoints: readonly EndpointValue[], way: 'from' | 'to'): string[] {
  const flag = way === 'from' ? '-i' : '-o';
  return [
    ...endpoints.map(
      (endpoint) => `${flag} ${endpoint.interface} -g felix-${way}-${endpoint.interface.slice('cali'.length)}`,
    ),
    '-j DROP',
  ];
}

function endpointChain(endpoint: EndpointValue, direction: Direction, first: readonly string[]): string[] {
  return [
    ...first,
    `-j MARK --set-xmark 0x0/0x1000000`,
    ...endpoint.profiles.flatMap((profile) => [
      `-j ${profileChain(profile, direction)}`,
      `-m mark --mark ${mark} -j RETURN`,
    ]),
    '-j DROP',
  ];
}

function profileRules(profile: Profile, direction: Direction, tags: Set<string>): string[] {
  return profile[direction].flatMap((rule) => {
    const matches = ruleMatches(rule, tags);
    if (rule.action === 'deny') return matches.map((match) => `${match}-j DROP`);
    return matches.flatMap((match) => [`${match}-j MARK --set-xmark ${mark}`, `-m mark --mark ${mark} -j RETURN`]);
  });
}

/** The matches of a rule; several when its ports do not fit into one. */
function ruleMatches(rule: Rule, tags: Set<string>): string[] {
  const fixed: string[] = [];
  if (rule.protocol) fixed.push(`-p ${rule.protocol}`);
  if (rule.icmp)
    fixed.push(`-m icmp --icmp-type ${rule.icmp.type}${rule.icmp.code === undefined ? '' : `/${rule.icmp.code}`}`);
  for (const [peer, net, set] of [
    [rule.from, '-s', 'src'],
    [rule.to, '-d', 'dst'],
  ] as const) {
    if (peer.cidr !== undefined) fixed.push(`${net} ${peer.cidr}`);
    if (peer.tag !== undefined) {
      tags.add(peer.tag);
      fixed.push(`-m set --match-set ${setName(peer.tag)} ${set}`);
    }
  }
  const match = fixed.map((part) => `${part} `).join('');
  return portMatches(rule.from.ports, '--source-ports').flatMap((source) =>
    portMatches(rule.to.ports, '--destination-ports').map((destination) => `${match}${source}${destination}`),
  );
}

/** One multiport match takes 15 slots, a range two of them. An empty list means every port. */
function portMatches(ports: readonly PortRange[] | undefined, flag: string): string[] {
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
  return groups.map((group) => `-m multiport ${flag} ${group.join(',')} `);
}
