/** What the plan of a host with a package manager has beside files and units. */
import type { Cluster } from '../cluster/cluster.ts';
import type { HostOs, Repository } from '../release/host-os.ts';
import type { Download } from '../release/artifact.ts';
import { mirrored } from '../release/artifact.ts';
import type { NodeGroup } from './group.ts';
import { openings } from './ports.ts';

/** A package that must be there. */
export interface PackageSpec {
  readonly name: string;
  /** Of this version and no other; undefined where any will do. */
  readonly version?: string | undefined;
  /** No upgrade of the whole system takes it along. */
  readonly hold?: true;
  /** A file to install in place of what the package manager would find. */
  readonly file?: Download;
}

/** A download as the script of templates/host/fetch.sh takes it. */
export interface DownloadSpec extends Download {
  readonly what: string;
  /** `tree` unpacks a whole archive without its first folder. */
  readonly kind: 'file' | 'tar' | 'tree';
  readonly target: string;
  /** Members of a `tar`. */
  readonly members?: readonly string[];
}

/** One port or protocol that firewalld lets in, from a list of addresses and ranges. */
export interface Gate {
  readonly zone: 'mesos-calico' | 'mesos-admin' | 'mesos-tasks';
  /** `2379/tcp`, or `ipip`. */
  readonly open: string;
}

export interface FirewallPlan {
  readonly mode: 'open' | 'mask' | 'leave';
  /** Addresses and ranges of each zone that is told by them. */
  readonly sources: Readonly<Record<'mesos-calico' | 'mesos-admin', readonly string[]>>;
  readonly gates: readonly Gate[];
  /** Packets that are passed on need a policy of firewalld. */
  readonly policies: boolean;
}

export interface HostPlan {
  readonly cluster: string;
  readonly os: HostOs;
  readonly address: string;
  /** Whether packages of another version may be changed for ours. */
  readonly upgrade: boolean;
  readonly repositories: readonly Repository[];
  readonly packages: readonly PackageSpec[];
  readonly downloads: readonly DownloadSpec[];
  readonly firewall: FirewallPlan;
  /** What is started and watched, in the order of their start: units of ours, and of packages that we only set up. */
  readonly services: readonly string[];
  /** Text of templates/host/engine.sh: the part of the script that is the same for all. */
  readonly engine: string;
}

/** The repositories of an operating system, by way of the mirror. A key that the host has stays where it is. */
export const repositories = (os: HostOs, mirror: string | undefined): readonly Repository[] =>
  os.repositories.map((each) => ({
    ...each,
    url: mirrored(each.url, mirror),
    key: each.key.startsWith('file:') ? each.key : mirrored(each.key, mirror),
  }));

/**
 * firewalld of a node. Zones that are told by addresses come before those of interfaces, so that nodes and administrators
 * meet these gates and nobody else does. What a task may send to its own host is in a zone of its own: the port of the agent
 * for executors, names, and no etcd.
 */
export function firewall(cluster: Cluster, { role }: NodeGroup, os: HostOs): FirewallPlan {
  const { target, access } = cluster;
  const nodes = target.kind === 'vagrant' ? [target.network] : cluster.nodes.flatMap(({ address }) => address ?? []);
  const own = openings(cluster).filter(({ to }) => to.includes(role));
  const gates = (zone: Gate['zone'], picked: typeof own): readonly Gate[] =>
    picked.flatMap(({ protocol, ports }) =>
      // firewalld lets ICMP in by itself.
      protocol === 'icmp' ? [] : [{ zone, open: ports === undefined ? 'ipip' : `${span(ports)}/${protocol}` }],
    );
  const tasks = role === 'agent' ? ['mesos-agent'] : ['dns', 'dns-udp'];
  return {
    mode: target.kind === 'hosts' || target.kind === 'vagrant' ? target.firewall : 'leave',
    sources: { 'mesos-calico': nodes, 'mesos-admin': access.adminCidrs.filter((cidr) => !cidr.includes(':')) },
    gates: [
      ...gates('mesos-calico', own),
      ...(access.adminCidrs.length === 0
        ? []
        : gates(
            'mesos-admin',
            own.filter(({ from }) => from.includes('admin')),
          )),
      ...gates(
        'mesos-tasks',
        own.filter(({ name }) => tasks.includes(name)),
      ),
    ],
    policies: os.firewalld === 'policies',
  };
}

const span = ([first, last]: readonly [number, number]): string => (first === last ? `${first}` : `${first}-${last}`);
