/**
 * Who must reach what: one table, from which the security groups of AWS, the firewall rules of Google Cloud and those of
 * firewalld are made. What is not in it stays shut.
 */
import type { Cluster } from '../cluster/cluster.ts';
import { ports } from './members.ts';

/** `admin` is everybody in `access.adminCidrs`; the others are all nodes of that role. */
export type From = 'master' | 'agent' | 'admin';

export interface Opening {
  /** Unique among the openings, `[a-z-]`, at most 20 characters: it becomes part of the names of rules. */
  readonly name: string;
  /** `ipip` is IP protocol 4. */
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'ipip';
  /** First and last, both included; undefined where the protocol has none. ICMP means all types. */
  readonly ports: readonly [number, number] | undefined;
  /** Each of these reaches each of `to`. */
  readonly from: readonly From[];
  readonly to: readonly ('master' | 'agent')[];
  /** A few words without quotes: it is shown in the console of the cloud. */
  readonly why: string;
}

const nodes = ['master', 'agent'] as const;

/**
 * In a fixed order; a new one never renames another.
 *
 * Mesos' own messages need no range of ports. Masters and agents talk on 5050 and 5051 in both directions, and an executor
 * talks to the agent of its own machine only. The one ephemeral port that crosses machines is that of Marathon's driver, to
 * which masters and agents answer: `LIBPROCESS_PORT` fixes it.
 *
 * etcd and ZooKeeper ask nobody who they are, so administrators reach them through SSH only.
 */
export function openings(cluster: Cluster): readonly Opening[] {
  const wrapped = cluster.calico.ipPools.some((pool) => pool.encapsulation !== 'none');
  return [
    tcp('ssh', 22, ['admin'], nodes, 'administrators log in'),
    tcp('bgp', ports.bgp, nodes, nodes, 'Calico tells routes'),
    ...(wrapped ? [plain('ipip', 'ipip', nodes, nodes, 'packets between tasks, wrapped')] : []),
    plain('icmp', 'icmp', nodes, nodes, 'path MTU discovery, and ping'),
    tcp('etcd', ports.etcd, nodes, ['master'], 'Calico and Docker keep their state in etcd'),
    tcp('etcd-peer', ports.etcdPeer, ['master'], ['master'], 'members of etcd'),
    tcp('zookeeper', ports.zookeeper, nodes, ['master'], 'Mesos and Marathon find their leaders'),
    tcp('zookeeper-peer', ports.zookeeperPeer, ['master'], ['master'], 'followers of ZooKeeper'),
    tcp('zookeeper-vote', ports.zookeeperElection, ['master'], ['master'], 'elections of ZooKeeper'),
    tcp('mesos-master', ports.mesosMaster, [...nodes, 'admin'], ['master'], 'Mesos masters: agents, frameworks, UI'),
    tcp('mesos-agent', ports.mesosAgent, ['master', 'admin'], ['agent'], 'Mesos agents: masters, sandboxes in the UI'),
    tcp('marathon', ports.marathon, ['master', 'admin'], ['master'], 'Marathon: API and UI, passed on to the leader'),
    tcp('marathon-driver', ports.marathonDriver, nodes, ['master'], 'Mesos answers the driver of Marathon'),
    tcp('dns', ports.dns, nodes, ['master'], 'mesos-dns'),
    { ...tcp('dns-udp', ports.dns, nodes, ['master'], 'mesos-dns'), protocol: 'udp' },
    tcp('mesos-dns', ports.mesosDns, nodes, ['master'], 'API of mesos-dns'),
    tcp('tasks', taskPorts, nodes, ['agent'], 'ports of the host that tasks are given, health checks'),
    { ...tcp('tasks-udp', taskPorts, nodes, ['agent'], 'ports of the host that tasks are given'), protocol: 'udp' },
  ];
}

/** What the agents offer as `ports`: the default of Mesos. */
export const taskPorts = [31_000, 32_000] as const;

function tcp(
  name: string,
  port: number | readonly [number, number],
  from: Opening['from'],
  to: Opening['to'],
  why: string,
): Opening {
  return { name, protocol: 'tcp', ports: typeof port === 'number' ? [port, port] : port, from, to, why };
}

function plain(
  name: string,
  protocol: 'icmp' | 'ipip',
  from: Opening['from'],
  to: Opening['to'],
  why: string,
): Opening {
  return { name, protocol, ports: undefined, from, to, why };
}
