/**
 * The completed form of a cluster description: every default filled in, every name resolved, nothing optional that a
 * reader would have to guess. It is what every other module takes; only `modules/cluster` knows the user's form.
 */
import type { Containerizer, Encapsulation, ReleaseChannel } from '../release/channel.ts';
import type { HostOsName } from '../release/host-os.ts';
import type { Sources } from '../release/sources.ts';

export interface Cluster {
  /** 1 to 32 of `[a-z0-9-]`, a letter first: it becomes part of host names and of cloud resource names. */
  readonly name: string;
  /** The file that it was read from, as the user named it. */
  readonly file: string;
  readonly target: Target;
  /** With the description's overrides already in it. */
  readonly release: ReleaseChannel;
  readonly sources: Sources;
  readonly masters: { readonly count: number; readonly machine: Machine };
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
  /** `destroy` refuses while it is true. */
  readonly protect: boolean;
}

/** Each target has what only it needs; `kind` tells them apart. */
export type Target = LabTarget | AwsTarget | GceTarget | VagrantTarget | HostsTarget;

export interface LabTarget {
  readonly kind: 'lab';
  /** The network between the lab's hosts, inside the lab only. IPv4 CIDR. */
  readonly fabric: string;
}

export interface AwsTarget extends Flatcar {
  readonly kind: 'aws';
  readonly region: string;
  readonly zones: readonly string[];
  readonly network: CreatedNetwork | ExistingVpc;
  /** ARN or alias of the key that encrypts volumes; undefined means the account's own key. */
  readonly kmsKey: string | undefined;
  /** Given to no machine unless named: what a task can reach of it is the operator's to know. */
  readonly instanceProfile: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

export interface GceTarget extends Flatcar {
  readonly kind: 'gce';
  readonly project: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly network: CreatedNetwork | ExistingSubnetwork;
  /** MTU of the VPC network, bytes, 1300 to 8896. */
  readonly mtu: number;
  readonly kmsKey: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VagrantTarget {
  readonly kind: 'vagrant';
  /** The private network of the machines. IPv4 CIDR. */
  readonly network: string;
  readonly provider: 'virtualbox' | 'libvirt';
  readonly os: string;
  /** cgroup version that the box boots with; undefined for a box that the kit does not know. */
  readonly cgroup: 'v1' | 'v2' | undefined;
  readonly box: Box;
  readonly firewall: Firewall;
}

export interface HostsTarget {
  readonly kind: 'hosts';
  readonly os: HostOsName;
  readonly machines: Readonly<Record<string, HostMachine>>;
  readonly ssh: Ssh;
  /** MTU of the network between the hosts, bytes. */
  readonly mtu: number;
  readonly cgroup: 'v1' | 'v2';
  readonly firewall: Firewall;
  /** Software that is there already and is left alone; what is not named is found out by the survey. */
  readonly existing: Readonly<Partial<Record<ExistingSoftware, boolean>>>;
  readonly upgrade: boolean;
}

/** What the two clouds share: machines that run Flatcar, the successor of CoreOS. */
export interface Flatcar {
  readonly os: 'flatcar-stable' | 'flatcar-beta' | 'flatcar-alpha' | 'flatcar-lts';
  /** An image of one's own (AMI id, GCE image self link) in place of the looked-up one. */
  readonly image: string | undefined;
  readonly boot: 'cloud-config' | 'ignition';
  /** cgroup version that the machines boot with. */
  readonly cgroup: 'v1' | 'v2';
}

/** How machines reach the internet: with public addresses, through address translation, or not at all. */
type Egress = 'public' | 'nat' | 'none';

export interface CreatedNetwork {
  readonly kind: 'created';
  /** Address range of the network, cut into one subnet per zone on AWS. IPv4 CIDR. */
  readonly cidr: string;
  readonly egress: Egress;
}
interface ExistingVpc {
  readonly kind: 'existing';
  readonly vpc: string;
  /** Subnet id by zone. */
  readonly subnets: Readonly<Record<string, string>>;
  /** As the description tells it, for overlap checks; undefined means unknown. */
  readonly cidr: string | undefined;
}
interface ExistingSubnetwork {
  readonly kind: 'existing';
  readonly name: string;
  readonly subnetwork: string;
  readonly cidr: string | undefined;
}

export interface Box {
  readonly name: string;
  /** Direct address of the box; undefined means that Vagrant looks the name up. */
  readonly url: string | undefined;
  readonly version: string | undefined;
  readonly sha256: string | undefined;
}

/** `open` opens the ports that are needed, `mask` switches firewalld off for good, `leave` does not touch it. */
type Firewall = 'open' | 'mask' | 'leave';

type ExistingSoftware = 'mesos' | 'marathon' | 'zookeeper' | 'etcd' | 'docker' | 'calico';

export interface HostMachine {
  readonly address: string;
  readonly role: 'master' | 'agent';
  /** The agent pool, or `masters`. */
  readonly pool: string;
  /** How to log in to it, where that is not as to the others. */
  readonly ssh?: { readonly address?: string; readonly user?: string; readonly port?: number; readonly key?: string };
}

interface Ssh {
  readonly user: string;
  readonly port: number;
  /** Path of a private key; undefined means that the agent and the defaults of ssh decide. */
  readonly key: string | undefined;
  /** File with the host keys; undefined means the user's own. */
  readonly knownHosts: string | undefined;
  readonly bastion:
    | { readonly address: string; readonly user: string; readonly port: number; readonly key: string | undefined }
    | undefined;
}

/** What a machine is made of. `given` machines exist already, or need no size. Disks in GiB, memory in MiB. */
export type Machine =
  | {
      readonly kind: 'cloud';
      /** Machine type: `t3.large`, `e2-standard-2`. */
      readonly type: string;
      readonly disk: number;
      /** Volume of its own for etcd and ZooKeeper, kept when the machine is replaced; 0 on agents. */
      readonly dataDisk: number;
      readonly spot: boolean;
      readonly zones: readonly string[];
    }
  | { readonly kind: 'virtual'; readonly cpus: number; readonly memory: number }
  | { readonly kind: 'given' };

export interface AgentPool {
  readonly name: string;
  readonly count: number;
  readonly containerizers: readonly Containerizer[];
  readonly machine: Machine;
}

export interface Node {
  /** Unique in the cluster: `master-1`, `general-2`; on `hosts`, the machine's name in the description. */
  readonly name: string;
  readonly role: 'master' | 'agent';
  /** The agent pool, or `masters`. */
  readonly pool: string;
  readonly containerizers: readonly Containerizer[];
  /**
   * Its IPv4 address in the network between the machines, where the plan knows it: masters on a cloud, machines of Vagrant, and hosts.
   * undefined on a cloud's agents, who learn theirs at boot, and in the lab, which gives addresses out itself.
   */
  readonly address: string | undefined;
  /** The zone of a master on a cloud; an agent's is decided by its group. */
  readonly zone: string | undefined;
}

/** A Docker network or a net-group: the containerizer decides the form. */
export interface Network {
  readonly name: string;
  readonly containerizer: Containerizer;
  /** What Kubernetes calls a namespace. */
  readonly group: string;
  /** As written; the label `network` comes with the policy model. */
  readonly labels: Readonly<Record<string, string>>;
  /** IPv4 addresses of hosts whose proxy hands connections on to its tasks. */
  readonly proxies?: readonly string[];
}

export interface Calico {
  /** At least one of them is IPv4. */
  readonly ipPools: readonly IpPool[];
  readonly asNumber: number;
  /** MTU of a task's interface, bytes. */
  readonly mtu: number;
}

export interface IpPool {
  readonly name: string;
  readonly cidr: string;
  readonly encapsulation: Encapsulation;
  readonly natOutgoing: boolean;
}

export interface Access {
  readonly adminCidrs: readonly string[];
  /** A public key as written (`ssh-ed25519 AAAA…`), or the path of its file. */
  readonly sshPublicKey: string | undefined;
}
