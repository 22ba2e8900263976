/**
 * What the software of a cluster needs open between machines, from its own documentation, and written down here without a
 * look at the table that the rules are made from.
 */
import type { Rule } from './reach.ts';

const tcp = (
  from: readonly string[],
  to: readonly string[],
  ...ports: (number | readonly [number, number])[]
): Rule[] =>
  ports.map((port) => ({ from, to, protocol: 'tcp', ports: typeof port === 'number' ? [port, port] : port }));

/** `admins` are the ranges of administrators. */
export function needs(admins: readonly string[]): readonly Rule[] {
  const all = ['master', 'agent'];
  const masters = ['master'];
  const agents = ['agent'];
  return [
    // Calico: BGP in a full mesh, with calico-node on every machine, and packets between tasks in IP-in-IP.
    ...tcp(all, all, 179),
    { from: all, to: all, protocol: 'ipip' },
    // "Fragmentation needed", without which large packets of tasks vanish.
    { from: all, to: all, protocol: 'icmp' },
    // etcd: https://etcd.io/docs/v3.5/op-guide/configuration: clients 2379, peers 2380. Each calico-node and dockerd is a client.
    ...tcp(all, masters, 2379),
    ...tcp(masters, masters, 2380),
    // ZooKeeper's administrator's guide: clients 2181, followers 2888, elections 3888.
    ...tcp(all, masters, 2181),
    ...tcp(masters, masters, 2888, 3888),
    // Mesos: master 5050, from agents, from other masters (replicated log, redirects) and from frameworks; agent 5051, from masters.
    ...tcp(all, masters, 5050),
    ...tcp(masters, agents, 5051),
    // Marathon: the API of the leader, to which the others pass requests on; and the libprocess port of its scheduler, to which
    // the leading Mesos master connects back, and agents for messages of executors (DC/OS gives it 15101).
    ...tcp(masters, masters, 8080),
    ...tcp(all, masters, 15_101),
    // Ports of the host that Mesos offers tasks by default: health checks of Marathon come from masters, other tasks from agents.
    ...tcp(all, agents, [31_000, 32_000]),
    { from: all, to: agents, protocol: 'udp', ports: [31_000, 32_000] },
    // mesos-dns: resolvers of all machines, and its HTTP API.
    ...tcp(all, masters, 53, 8123),
    { from: all, to: masters, protocol: 'udp', ports: [53, 53] },
    // People: SSH everywhere, the UI and API of Mesos and Marathon, sandboxes that Mesos' UI fetches from the agents.
    ...tcp(admins, all, 22),
    ...tcp(admins, masters, 5050, 8080),
    ...tcp(admins, agents, 5051),
  ];
}
