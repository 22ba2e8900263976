/**
 * What each version of Felix knows of the policy model, and where it does something else than what stands there.
 *
 *     felix(version)        -> Felix, or undefined for a version that is not known here
 *     felixOf(channel)      -> the Felix of a release channel
 *     plainFelix            -> the model as it is meant, without any quirk: what is asked when no version is named
 *     without(felix, quirk) -> the same Felix without it, to see what the quirk changes
 *
 * Source: felix `calico/common.py` and `plugins/fiptgenerator.py` (1.3, 1.4), `rules/policy.go` and libcalico-go
 * `lib/backend/model/rule.go` (2.x). The case numbers are those of test/unit/policy/cases.test.ts, which shows each.
 */
import type { ReleaseChannel } from '../release/channel.ts';
import { compare } from '../release/version.ts';

/** What exists. What does not makes the object that uses it invalid; tiers that do not exist are not read. */
export interface Knows {
  /** Tiers of policies, labels, selectors and `next-tier`. */
  readonly tiers: boolean;
  readonly negation: boolean;
  readonly log: boolean;
  /** Policies for one direction only; others take them as for both. */
  readonly directions: boolean;
  /** Lists of networks in a rule. */
  readonly netLists: boolean;
}

/** What each quirk does, and the cases of test/unit/policy/cases.test.ts that show it. */
export const quirks = {
  'foreign-cidr-vanishes': {
    cases: [5, 6, 7],
    what: 'A CIDR of the other IP version vanishes from the rule, which then matches without it; otherwise the rule would be skipped.',
  },
  'icmp-type-drops-ipv6': {
    cases: [8],
    what: 'A rule with an ICMP type becomes a drop of everything in the IPv6 chain unless its protocol is icmpv6.',
  },
  'stray-icmp-type-vanishes': {
    cases: [],
    what: 'An ICMP type in a rule for another protocol, or for none, vanishes in the IPv4 chain; otherwise it would make the profile invalid.',
  },
  'icmp-type-255-drops': {
    cases: [10],
    what: 'A rule with ICMP type 255 becomes a drop of everything; otherwise it would make the profile invalid.',
  },
  'ports-drop-unless-tcp-udp': {
    cases: [11],
    what: 'A rule with ports and sctp, udplite or a number as its protocol becomes a drop of everything.',
  },
  'empty-ports-need-protocol': {
    cases: [14],
    what: 'An empty list of ports makes the profile invalid, unless the protocol is one that has ports; otherwise it is no match.',
  },
  'one-port-range-invalid': {
    cases: [12],
    what: 'A range of one port, "80:80", makes the profile invalid, and so does a port written as text, "80".',
  },
  'port-zero-invalid': { cases: [13], what: 'Port 0 makes the profile invalid.' },
  'text-protocol-numbers': { cases: [11], what: 'A protocol may be a number written as text, "6".' },
  'lenient-json': {
    cases: [16],
    what: 'An unknown key in a rule is not seen, so the rule matches without it; otherwise the profile would be invalid. An empty text is no match, a missing selector is all(), an order is a number.',
  },
  'outbound-rules-required': { cases: [17], what: 'A profile without one of its two lists of rules is invalid.' },
  'version-contradiction-invalid': {
    cases: [],
    what: 'A rule for one IP version with a CIDR or an ICMP of the other makes the profile invalid; otherwise it never matches.',
  },
  'next-tier-mark-leaks': {
    cases: [19, 20],
    what: 'The mark of next-tier is not cleared before the profiles, nor between two endpoints of one host, so a next-tier rule in a profile then ends the profile for every packet.',
  },
  'established-returns': {
    cases: [28],
    what: 'Packets of established connections are handed back to the FORWARD chain; where its policy is DROP, replies die.',
  },
  'dns-and-dhcp-to-own-host': {
    cases: [30],
    what: 'UDP to port 53, and DHCP, from a task to its own host is always allowed.',
  },
  'ipv6-not-masqueraded': {
    cases: [],
    what: 'Packets of IPv6 keep the address of their task, whatever the pool says.',
  },
  'profile-order-kept': {
    cases: [34],
    what: 'A change of only the order of an endpoint’s profiles is not programmed until something else changes.',
  },
} as const satisfies Record<string, { readonly cases: readonly number[]; readonly what: string }>;

export type Quirk = keyof typeof quirks;

export interface Felix {
  /** `1.4.0b1`, or `plain`. */
  readonly version: string;
  readonly knows: Knows;
  readonly quirks: ReadonlySet<Quirk>;
}

/** The model as Felix means it. The mark leaks there too: every Felix that knows tiers has it. */
export const plainFelix: Felix = {
  version: 'plain',
  knows: { tiers: true, negation: true, log: true, directions: true, netLists: true },
  quirks: new Set<Quirk>(['version-contradiction-invalid', 'next-tier-mark-leaks']),
};

const python: readonly Quirk[] = [
  'foreign-cidr-vanishes',
  'icmp-type-drops-ipv6',
  'stray-icmp-type-vanishes',
  'icmp-type-255-drops',
  'ports-drop-unless-tcp-udp',
  'empty-ports-need-protocol',
  'one-port-range-invalid',
  'text-protocol-numbers',
  'version-contradiction-invalid',
  'dns-and-dhcp-to-own-host',
  'ipv6-not-masqueraded',
  'profile-order-kept',
];
const go: readonly Quirk[] = ['port-zero-invalid', 'text-protocol-numbers', 'lenient-json', 'next-tier-mark-leaks'];

const nothing: Knows = { tiers: false, negation: false, log: false, directions: false, netLists: false };
const tiers: Knows = { ...nothing, tiers: true };
const negation: Knows = { ...tiers, negation: true };
const logged: Knows = { ...negation, log: true };
const everything: Knows = { ...logged, directions: true, netLists: true };

/**
 * Oldest first. 1.4.1 came as b1 and b2, in calico/node v0.21 and v0.22. Whether they still want both lists of rules was
 * not verified (case 17 is known for up to 1.4.0 and from 1.4.2 on); they are taken to, as that lets less through.
 */
const versions: readonly (readonly [version: string, knows: Knows, quirks: readonly Quirk[]])[] = [
  ['1.3.0', nothing, [...python, 'outbound-rules-required', 'established-returns']],
  ['1.4.0b1', tiers, [...python, 'outbound-rules-required', 'next-tier-mark-leaks', 'established-returns']],
  ['1.4.0b2', negation, [...python, 'outbound-rules-required', 'next-tier-mark-leaks', 'established-returns']],
  ['1.4.0', logged, [...python, 'outbound-rules-required', 'next-tier-mark-leaks']],
  ['1.4.1b1', logged, [...python, 'outbound-rules-required', 'next-tier-mark-leaks']],
  ['1.4.1b2', logged, [...python, 'outbound-rules-required', 'next-tier-mark-leaks']],
  ['1.4.2', logged, [...python, 'next-tier-mark-leaks']],
  ['1.4.4', logged, [...python, 'next-tier-mark-leaks']],
  ['2.0.0', logged, go],
  ['2.1.1', logged, go],
  ['2.6.8', everything, go],
];

const known: ReadonlyMap<string, Felix> = new Map(
  versions.map(([version, knows, list]) => [version, { version, knows, quirks: new Set(list) }]),
);

export const felixVersions: readonly string[] = [...known.keys()];

export function felix(version: string): Felix | undefined {
  return version === plainFelix.version ? plainFelix : known.get(version);
}

/** By version of calico/node, from which it is on; from the releases of calico-containers v0.17 to v0.23 and calico v2.x. */
const nodes = [
  ['1.0', '2.0.0'],
  ['0.23', '1.4.4'],
  ['0.22', '1.4.1b2'],
  ['0.21', '1.4.1b1'],
  ['0.20', '1.4.0b2'],
  ['0.18', '1.4.0b1'],
] as const;

/** Felix 2.0 to 2.6 are alike here; the newest is named where the channel has the newest Calico. */
export function felixOf(channel: Pick<ReleaseChannel, 'calico'>): Felix {
  const { calico } = channel;
  const version =
    compare(calico, '2.6') >= 0 ? '2.6.8' : (nodes.find(([from]) => compare(calico, from) >= 0)?.[1] ?? '1.3.0');
  return known.get(version)!;
}

export function without(one: Felix, quirk: Quirk): Felix {
  return { ...one, quirks: new Set([...one.quirks].filter((name) => name !== quirk)) };
}
