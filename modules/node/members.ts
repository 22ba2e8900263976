/** Where the services of the masters are reached, as every node has to spell it. */
import type { Cluster } from '../cluster/cluster.ts';

/** Ports of the services, as their own documentation gives them. */
export const ports = {
  etcd: 2379,
  etcdPeer: 2380,
  zookeeper: 2181,
  zookeeperPeer: 2888,
  zookeeperElection: 3888,
  mesosMaster: 5050,
  mesosAgent: 5051,
  marathon: 8080,
  /** Of the Mesos driver inside Marathon: random unless LIBPROCESS_PORT says it. DC/OS takes the same. */
  marathonDriver: 15101,
  dns: 53,
  mesosDns: 8123,
  bgp: 179,
} as const;

/** The ZooKeeper node of the Mesos masters: agents, Marathon and mesos-dns must agree on it (upstream had three). */
export const mesosPath = '/mesos';

/**
 * The masters in their order, which is that of their numbers.
 * @throws Error when one has no address: preflight refuses such a cluster on every target that is built with payloads.
 */
export function masters(cluster: Cluster): readonly { readonly name: string; readonly address: string }[] {
  return cluster.nodes
    .filter((node) => node.role === 'master')
    .map(({ name, address }) => {
      if (address === undefined) throw new Error(`${name} has no address`);
      return { name, address };
    });
}

/** Addresses of the masters in their order. Throws as `masters` does. */
export const masterAddresses = (cluster: Cluster): readonly string[] => masters(cluster).map(({ address }) => address);

/** `http://10.0.0.16:2379` for each master. */
export const etcdEndpoints = (cluster: Cluster): readonly string[] =>
  masterAddresses(cluster).map((address) => `http://${address}:${ports.etcd}`);

/** `zk://10.0.0.16:2181,10.0.32.17:2181/mesos`. */
export const zookeeperUrl = (cluster: Cluster, path: string): string =>
  `zk://${masterAddresses(cluster)
    .map((address) => `${address}:${ports.zookeeper}`)
    .join(',')}${path}`;
