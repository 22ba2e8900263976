/** How to log in to each host: the description's general way, with what a machine says of its own. Pure. */
import type { Cluster, HostsTarget, Node } from '../cluster/cluster.ts';

/** One sshd, and who logs in there. */
export interface Door {
  readonly address: string;
  readonly user: string;
  readonly port: number;
  /** Path as written; undefined means what ssh itself would use. */
  readonly key: string | undefined;
}

export interface Login extends Door {
  /** The machine's name in the description. */
  readonly name: string;
  readonly bastion: Door | undefined;
  /** File with host keys, as written; undefined means the user's own. */
  readonly knownHosts: string | undefined;
  /** The description that it stands in: paths are relative to it. */
  readonly file: string;
}

/** What runs on the host runs as root: who is not, needs sudo. */
export const needsSudo = ({ user }: Login): boolean => user !== 'root';

/** A host as a sentence names it: `a1 (centos@192.0.2.11)`. */
export function spoken({ name, user, address, port }: Login): string {
  return `${name} (${user}@${address}${port === 22 ? '' : ` port ${port}`})`;
}

/** A node of a cluster on hosts of one's own, and the way to it. */
export interface Host {
  readonly node: Node;
  readonly login: Login;
}

/**
 * All hosts in the order of the nodes: masters first.
 * @throws TypeError when the cluster is on another target.
 */
export function hostsOf(cluster: Cluster): readonly Host[] {
  const { target } = cluster;
  if (target.kind !== 'hosts') throw new TypeError(`${cluster.name} is on ${target.kind}`);
  return cluster.nodes.map((node) => ({ node, login: login(cluster.file, target, node.name) }));
}

function login(file: string, { machines, ssh }: HostsTarget, name: string): Login {
  const machine = machines[name]!;
  const own = machine.ssh ?? {};
  return {
    name,
    address: own.address ?? machine.address,
    user: own.user ?? ssh.user,
    port: own.port ?? ssh.port,
    key: own.key ?? ssh.key,
    bastion: ssh.bastion,
    knownHosts: ssh.knownHosts,
    file,
  };
}

/** `host` or `[host]:port`, as files with host keys name one. */
export const knownAs = ({ address, port }: Door): string => (port === 22 ? address : `[${address}]:${port}`);
