/**
 * The Calico v1 policy model: ordered profiles of ordered rules, on endpoints.
 *
 * Everything that states policy compiles to these types; everything that answers questions reads them. They are plain
 * data, so they can be compared, printed and sent to another process.
 *
 * Source: libcalico `pycalico/datastore.py` and Felix 1.3 to 2.6 (the etcd v1 data model); IPv4, without the quirks of
 * single Felix versions.
 */

/** Protocols that a Calico v1 rule can name and a probe can send over IPv4. */
export type Protocol = 'tcp' | 'udp' | 'icmp';

/** Ports `from` to `to`, both included, 0 to 65535. A single port has `from === to`. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What a rule asks of one end of a packet. All matches present must hold; a list of ports ORs inside. */
export interface Peer {
  /** Holds for every address of every endpoint with a profile that carries the tag. An unknown tag holds for nobody. */
  readonly tag?: string;
  /** An IPv4 network in CIDR form, `10.0.0.0/8`. */
  readonly cidr?: string;
  /** Needs a protocol with ports. An empty list means: every port. */
  readonly ports?: readonly PortRange[];
}

export interface Rule {
  readonly action: 'allow' | 'deny';
  readonly protocol?: Protocol;
  /** ICMP type 0 to 254, and code 0 to 255; needs protocol `icmp`. */
  readonly icmp?: { readonly type: number; readonly code?: number };
  readonly from: Peer;
  readonly to: Peer;
}

/** The direction as seen from the endpoint: `inbound` polices what goes to it, `outbound` what comes from it. */
export type Direction = 'inbound' | 'outbound';

export interface Profile {
  readonly name: string;
  /** Each tag names the set of all addresses of all endpoints that have a profile with it. */
  readonly tags: readonly string[];
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
}

/** One network interface of one task. */
export interface Endpoint {
  /** Unique in the cluster; the verifier uses the task's name. */
  readonly id: string;
  /** The IPv4 address, without prefix length. */
  readonly address: string;
  /** Names of profiles, in the order in which Felix walks them. */
  readonly profiles: readonly string[];
}

/** All that decides: profiles by name, and the endpoints that carry them. */
export interface PolicyState {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly endpoints: readonly Endpoint[];
}

/** One packet that opens a flow; replies are conntrack's business, before any policy. */
export type Packet =
  | { readonly protocol: 'tcp' | 'udp'; readonly sourcePort: number; readonly port: number }
  | { readonly protocol: 'icmp'; readonly type: number; readonly code: number };

/** Why one side of a flow decided as it did. Positions count from 1, as calicoctl's `--at` does. */
export type Because =
  | { readonly kind: 'rule'; readonly profile: string; readonly position: number; readonly rule: Rule }
  | { readonly kind: 'no rule matched'; readonly profiles: readonly string[] }
  | { readonly kind: 'no profile' }
  | { readonly kind: 'missing profile'; readonly profile: string }
  | { readonly kind: 'not an endpoint' }
  | { readonly kind: 'own address' };

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
