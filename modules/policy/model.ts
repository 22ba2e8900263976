/**
 * The Calico v1 policy model: tiers of policies and ordered profiles, of ordered rules, on endpoints.
 *
 * Everything that states policy compiles to these types; everything that answers questions reads them. They are plain
 * data, so they can be compared, printed and sent to another process. Which of it a Felix knows, and what it makes of
 * the rest, is felix.ts' business.
 *
 * Source: libcalico `pycalico/datastore.py` and Felix 1.3 to 2.6 (the etcd v1 data model).
 */

/** Protocols that a calicoctl rule can name and a probe can send over IPv4. */
export type Protocol = 'tcp' | 'udp' | 'icmp';

/** Protocols of a rule: by name, or a number from 1 to 255. */
export type RuleProtocol = Protocol | 'icmpv6' | 'sctp' | 'udplite' | number;

export type IpVersion = 4 | 6;

/** Ports `from` to `to`, both included, 0 to 65535. A single port has `from === to`. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface PeerMatch {
  /** Holds for every address of every endpoint with a profile that carries the tag. An unknown tag holds for nobody. */
  readonly tag?: string;
  /** Holds for every address of every endpoint whose labels it matches; selector.ts has the grammar. */
  readonly selector?: string;
  /** An IPv4 or IPv6 network in CIDR form, `10.0.0.0/8`. */
  readonly cidr?: string;
  /** Needs a protocol with ports. An empty list means: every port. */
  readonly ports?: readonly PortRange[];
}

/** What a rule asks of one end of a packet. All matches present must hold; a list of ports ORs inside. */
export interface Peer extends PeerMatch {
  /** None of these must hold, each by itself: `!src_tag` and `!src_net` in etcd. */
  readonly not?: PeerMatch;
}

/** ICMP type 0 to 254, and code 0 to 255. */
export interface IcmpMatch {
  readonly type: number;
  readonly code?: number;
}

export interface Rule {
  /** `next-tier` leaves the tier, or the profile, without a verdict; `log` decides nothing. */
  readonly action: 'allow' | 'deny' | 'next-tier' | 'log';
  /** Without it the rule is for both. */
  readonly ipVersion?: IpVersion;
  readonly protocol?: RuleProtocol;
  /** Needs protocol `icmp` or `icmpv6`. */
  readonly icmp?: IcmpMatch;
  readonly from: Peer;
  readonly to: Peer;
  /** The ICMP type and code are negated as a pair. */
  readonly not?: { readonly protocol?: RuleProtocol; readonly icmp?: IcmpMatch };
}

/** The direction as seen from the endpoint: `inbound` polices what goes to it, `outbound` what comes from it. */
export type Direction = 'inbound' | 'outbound';

export type Labels = Readonly<Record<string, string>>;

export interface Profile {
  readonly name: string;
  /** Each tag names the set of all addresses of all endpoints that have a profile with it. */
  readonly tags: readonly string[];
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
  /** Inherited by every endpoint with the profile. */
  readonly labels?: Labels;
  /** Why there are no rules that Felix would take, where it is not to be seen from them. Tags and labels stay good. */
  readonly fault?: string;
}

/** Rules for all endpoints that a selector matches. */
export interface Policy {
  readonly name: string;
  /** The lowest comes first; without one it is last. Equals go by name. */
  readonly order?: number;
  readonly selector: string;
  /** Those that it speaks of; in the other one it is not there. Default: both. Felix 2.6 and later. */
  readonly directions?: readonly Direction[];
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
}

/** Policies that are asked together: what none of them lets through or passes on is dropped. */
export interface Tier {
  readonly name: string;
  /** As of a policy. */
  readonly order?: number;
  readonly policies: readonly Policy[];
}

/** One network interface of one task. */
export interface Endpoint {
  /** Unique in the cluster; the verifier uses the task's name. */
  readonly id: string;
  /** The IPv4 address, without prefix length. */
  readonly address: string;
  /** The IPv6 address, if it has one. */
  readonly address6?: string;
  /** Names of profiles, in the order in which Felix walks them. */
  readonly profiles: readonly string[];
  /** Its own; they override what it inherits from its profiles. */
  readonly labels?: Labels;
  /** Name of the host it runs on. */
  readonly host?: string;
  /** An inactive one is cut off, and still counts in tags and selectors. Default: active. */
  readonly state?: 'active' | 'inactive';
}

/** What Felix does with a packet from a task to its own host: `DefaultEndpointToHostAction`. */
export type HostAction = 'DROP' | 'RETURN' | 'ACCEPT';

export interface Host {
  readonly name: string;
  /** IPv4 and IPv6; with IP-in-IP the tunnel's too. The first one of a version is what masquerading shows. */
  readonly addresses: readonly string[];
  /** Felix' own default is DROP, but libcalico writes RETURN for every host (`pycalico/datastore.py`); so does this. */
  readonly endpointToHost?: HostAction;
  /** Policy of its FORWARD chain. Docker from 1.13 on makes it DROP where it is the one to switch forwarding on. */
  readonly forward?: 'ACCEPT' | 'DROP';
}

/** Addresses of tasks. */
export interface Pool {
  readonly cidr: string;
  /** Packets to addresses in no pool leave the host with the host's address. */
  readonly masquerade?: boolean;
}

/** All that decides: profiles by name, the endpoints that carry them, and what else a cluster may have. */
export interface PolicyState {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly endpoints: readonly Endpoint[];
  readonly tiers?: readonly Tier[];
  readonly hosts?: readonly Host[];
  readonly pools?: readonly Pool[];
}

/** One packet that opens a flow over IPv4; replies are conntrack's business, before any policy. */
export type Packet =
  | { readonly protocol: 'tcp' | 'udp'; readonly sourcePort: number; readonly port: number }
  | { readonly protocol: 'icmp'; readonly type: number; readonly code: number };

/** Any packet that opens a flow. Its IP version is that of the addresses asked for, or else that of `ipVersion`. */
export type AnyPacket = (
  | Packet
  | { readonly protocol: 'sctp' | 'udplite'; readonly sourcePort: number; readonly port: number }
  | { readonly protocol: 'icmpv6'; readonly type: number; readonly code: number }
  /** A protocol of which nothing is known but its number. */
  | { readonly protocol: number }
) & { readonly ipVersion?: IpVersion };

/** Why one side of a flow decided as it did. Positions count from 1, as calicoctl's `--at` does. */
export type Because =
  | {
      readonly kind: 'rule';
      readonly profile: string;
      readonly position: number;
      readonly rule: Rule;
      /** What this Felix makes of the rule, by its name in felix.ts, where the packet was not decided by what it says. */
      readonly quirk?: string;
    }
  | {
      readonly kind: 'policy rule';
      readonly tier: string;
      readonly policy: string;
      readonly position: number;
      readonly rule: Rule;
      readonly quirk?: string;
    }
  | { readonly kind: 'no policy passed'; readonly tier: string; readonly policies: readonly string[] }
  | { readonly kind: 'no rule matched'; readonly profiles: readonly string[] }
  | { readonly kind: 'no profile' }
  | { readonly kind: 'missing profile'; readonly profile: string }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'not an endpoint' }
  | { readonly kind: 'own address' }
  /** From a host to its own task: never policed. */
  | { readonly kind: 'own host' }
  /** From a task to its own host, before or instead of its rules. */
  | { readonly kind: 'to own host'; readonly what: 'DROP' | 'DNS' | 'DHCP' | 'neighbour discovery' };

/** What one chain (one direction of one endpoint) says of a packet. */
export interface SideDecision {
  readonly direction: Direction;
  readonly allow: boolean;
  readonly because: Because;
}

/** A flow is allowed when the outbound chain of its source AND the inbound chain of its destination allow it. */
export interface Decision {
  readonly allow: boolean;
  readonly outbound: SideDecision;
  readonly inbound: SideDecision;
  /** The source address that the receiver sees, where masquerading hides the task's own. */
  readonly seenFrom?: string;
  /** What is allowed gets there, and no answer comes back: felix.ts, `established-returns`. */
  readonly repliesDie?: true;
}

/**
 * A class of packets that no rule tells apart, with one packet to stand for it. A prober may take any source port of
 * `sourcePorts`, and should take a fresh one for each probe.
 */
export type Traffic =
  | {
      readonly protocol: 'tcp' | 'udp';
      /** Short and unique in its matrix: `tcp 9000`, `udp other`. */
      readonly name: string;
      /** The destination port that stands for the class. */
      readonly port: number;
      /** All destination ports of the class. */
      readonly ports: readonly PortRange[];
      readonly sourcePorts: PortRange;
    }
  | { readonly protocol: 'icmp'; readonly name: string; readonly type: number; readonly code: number };
