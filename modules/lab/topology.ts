/** What a lab is made of, worked out from the cluster before anything is started. Pure. */
import { createHash } from 'node:crypto';
import { Address4 } from 'ip-address';
import type { Cluster } from '../cluster/cluster.ts';

/** Everything the lab's process needs to build the machines; plain JSON. */
export interface Topology {
  readonly name: string;
  /** The network that joins the hosts. Its gateway gives each host the default route that proxy ARP needs. */
  readonly fabric: { readonly cidr: string; readonly prefix: number; readonly gateway: string };
  readonly hosts: readonly LabHost[];
  readonly pool: string;
  readonly asNumber: number;
  /** Of the tasks' interfaces, bytes. */
  readonly mtu: number;
}

export interface LabHost {
  /** The node's name; its network namespace is called the same. */
  readonly name: string;
  readonly role: 'master' | 'agent';
  readonly address: string;
  /** The /26 of the pool that this host hands out addresses from, and that its BIRD announces. */
  readonly block: string;
}

/** Addresses in one block of Calico's IPAM. Source: libcalico `block.py`, BLOCK_PREFIXLEN 26. */
export const blockSize = 64;

export function topology(cluster: Cluster): Topology {
  if (cluster.target.kind !== 'lab') throw new Error(`${cluster.name} is no lab`);
  const fabric = new Address4(cluster.target.fabric);
  const first = fabric.startAddress().bigInt();
  const pool = cluster.calico.ipPools[0];
  if (!pool) throw new Error(`${cluster.name} has no IP pool`);
  const poolStart = new Address4(pool.cidr).startAddress().bigInt();
  return {
    name: cluster.name,
    fabric: {
      cidr: cluster.target.fabric,
      prefix: fabric.subnetMask,
      gateway: Address4.fromBigInt(fabric.endAddress().bigInt() - 1n).correctForm(),
    },
    hosts: cluster.nodes.map((node, index) => ({
      name: node.name,
      role: node.role,
      address: Address4.fromBigInt(first + BigInt(index + 1)).correctForm(),
      block: `${Address4.fromBigInt(poolStart + BigInt(index * blockSize)).correctForm()}/26`,
    })),
    pool: pool.cidr,
    asNumber: cluster.calico.asNumber,
    mtu: cluster.calico.mtu,
  };
}

/** A stand-in for the random ids of Docker and Mesos: 64 hex digits that are the same in every run. */
export const stableId = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex');

/** The nth address of a block, counted from 0. */
export const nthAddress = (block: string, n: number): string =>
  Address4.fromBigInt(new Address4(block).startAddress().bigInt() + BigInt(n)).correctForm();
