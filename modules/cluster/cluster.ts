/**
 * The completed form of a cluster description: every default filled in, every name resolved, nothing optional that a
 * reader would have to guess. It is what every other module takes; only `modules/cluster` knows the user's form.
 */
import type { Containerizer, ReleaseChannel } from '../release/channel.ts';

export interface Cluster {
  /** 1 to 32 of `[a-z0-9-]`, a letter first: it becomes part of host names and of cloud resource names. */
  readonly name: string;
  /** The file that it was read from, as the user named it. */
  readonly file: string;
  readonly target: Target;
  readonly release: ReleaseChannel;
  readonly masters: { readonly count: number };
  readonly agents: Readonly<Record<string, AgentPool>>;
  /** Masters first, then agents pool by pool, in the order in which they are written. */
  readonly nodes: readonly Node[];
  readonly networks: Readonly<Record<string, Network>>;
  readonly calico: Calico;
  readonly access: Access;
  /** Policy files in the order in which they apply; paths relative to the working directory. */
  readonly policies: readonly string[];
  /** Hand-written expectations, as written. */
  readonly expect: readonly string[];
}

/** Each target has what only it needs; `kind` tells them apart. */
export type Target = LabTarget | AwsTarget | GceTarget | VagrantTarget | HostsTarget;

export interface LabTarget {
  readonly kind: 'lab';
  /** The network between the lab's hosts, inside the lab only. IPv4 CIDR. */
  readonly fabric: string;
}
export interface AwsTarget {
  readonly kind: 'aws';
  readonly region: string;
  readonly zones: readonly string[];
}
export interface GceTarget {
  readonly kind: 'gce';
  readonly project: string;
  readonly region: string;
  readonly zones: readonly string[];
}
export interface VagrantTarget {
  readonly kind: 'vagrant';
  readonly network: string;
  readonly provider: 'virtualbox' | 'libvirt';
}
export interface HostsTarget {
  readonly kind: 'hosts';
  readonly machines: Readonly<Record<string, { readonly address: string; readonly role: 'master' | 'agent' }>>;
}

export interface AgentPool {
  readonly name: string;
  readonly count: number;
  readonly containerizers: readonly Containerizer[];
}

export interface Node {
  /** Unique in the cluster: `master-1`, `general-2`. */
  readonly name: string;
  readonly role: 'master' | 'agent';
  /** The agent pool, or `masters`. */
  readonly pool: string;
  readonly containerizers: readonly Containerizer[];
}

/** A Docker network or a net-group: the containerizer decides the form. */
export interface Network {
  readonly name: string;
  readonly containerizer: Containerizer;
}

export interface Calico {
  readonly ipPools: readonly IpPool[];
  readonly asNumber: number;
  /** MTU of a task's interface, bytes. */
  readonly mtu: number;
}

export interface IpPool {
  readonly cidr: string;
  readonly encapsulation: 'none' | 'ipip' | 'ipip-cross-subnet';
  readonly natOutgoing: boolean;
}

export interface Access {
  readonly adminCidrs: readonly string[];
  readonly sshPublicKey: string | undefined;
}
