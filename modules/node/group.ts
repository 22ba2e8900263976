import type { Cluster, Node } from '../cluster/cluster.ts';
import type { Containerizer } from '../release/channel.ts';

/**
 * Nodes that boot from one payload: each master by itself (it has an address and a place in the ensembles of its own),
 * all agents of a pool together on a cloud, where a group of machines is made of one template; each host by itself.
 */
export interface NodeGroup {
  /** `master-1`; on a cloud the pool's name; on hosts the machine's. Unique in the cluster. */
  readonly name: string;
  readonly role: 'master' | 'agent';
  /** The agent pool, or `masters`. */
  readonly pool: string;
  readonly containerizers: readonly Containerizer[];
  /** IPv4 address of the node; undefined where only the machine learns it. */
  readonly address: string | undefined;
  readonly zone: string | undefined;
  /** Position among the masters, from 1; undefined for agents. */
  readonly number: number | undefined;
}

/** All groups of a cluster: masters first, then agents in the order of the description. */
export function groups(cluster: Cluster): readonly NodeGroup[] {
  const cloud = cluster.target.kind === 'aws' || cluster.target.kind === 'gce';
  const masters = cluster.nodes.filter((node) => node.role === 'master');
  const agents = cluster.nodes.filter((node) => node.role === 'agent');
  return [
    ...masters.map((node, index) => alone(node, index + 1)),
    ...(cloud
      ? Object.values(cluster.agents).map((pool) => ({
          name: pool.name,
          role: 'agent' as const,
          pool: pool.name,
          containerizers: pool.containerizers,
          address: undefined,
          zone: undefined,
          number: undefined,
        }))
      : agents.map((node) => alone(node, undefined))),
  ];
}

function alone({ name, role, pool, containerizers, address, zone }: Node, number: number | undefined): NodeGroup {
  return { name, role, pool, containerizers, address, zone, number };
}
