/** What a lab is made of, worked out from the cluster before anything is started. Pure. */
import { createHash } from 'node:crypto';
import { Address4 } from 'ip-address';
import type { Cluster } from '../cluster/cluster.ts';
import type { PolicyHost } from '../policy/network.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import { compare } from '../release/version.ts';

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
  /** A Docker engine on each agent, with the plugin of the release; without, every task is a namespace of the lab's. */
  readonly engines?: EnginePlan;
}

export interface EnginePlan {
  /** Which of Calico's two Docker plugins. */
  readonly dialect: 'python' | 'go';
  /** Of containers; `host` is the agent's own address, as to plugin 0.8. */
  readonly gateway: '169.254.1.1' | 'host';
  readonly ipamDriver: string;
  /** Tells this lab's control groups apart. */
  readonly id: string;
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

/** Throws a Refusal when the hosts do not fit: blocks would overlap what is not the pool's, or addresses the gateway's. */
export function topology(cluster: Cluster): Topology {
  if (cluster.target.kind !== 'lab') throw new Error(`${cluster.name} is no lab`);
  const fabric = new Address4(cluster.target.fabric);
  const first = fabric.startAddress().bigInt();
  // The lab speaks IPv4, and takes all its blocks from one pool.
  const pool = cluster.calico.ipPools.find(({ cidr }) => !cidr.includes(':'));
  if (!pool) throw new Error(`${cluster.name} has no IPv4 pool`);
  const poolRange = new Address4(pool.cidr);
  const poolStart = poolRange.startAddress().bigInt();
  const count = cluster.nodes.length;
  const problems: Problem[] = [];
  const blocks = Math.floor(2 ** (32 - poolRange.subnetMask) / blockSize);
  if (blocks < count) {
    problems.push({
      code: 'lab-pool-too-small',
      at: { file: cluster.file, path: `calico.ipPools.${pool.name}.cidr` },
      what: `${pool.cidr} has room for ${blocks} blocks of ${blockSize} addresses, and there are ${count} hosts.`,
      rule: 'each host of the lab has a block of the first IPv4 pool for its own.',
      remedy: `a prefix of /${26 - Math.ceil(Math.log2(count))} or shorter`,
    });
  }
  // The first address names the network, the last one everybody on it, and the one before is the gateway.
  const addresses = 2 ** (32 - fabric.subnetMask) - 3;
  if (addresses < count) {
    problems.push({
      code: 'lab-fabric-too-small',
      at: { file: cluster.file, path: 'target.lab.fabric' },
      what: `${cluster.target.fabric} has ${Math.max(0, addresses)} addresses for ${count} hosts.`,
      rule: 'each host needs an address, and the gateway, the network and the broadcast have one each.',
      remedy: `a prefix of /${32 - Math.ceil(Math.log2(count + 3))} or shorter`,
    });
  }
  if (problems.length > 0) throw new Refusal(problems);
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

/** The engines of a cluster's release. `id`: of the lab. */
export function enginePlan({ release }: Cluster, id: string): EnginePlan {
  const { profileName, ipamDriver } = release.docker;
  const version = release.software['docker-plugin']?.version ?? '';
  const python = profileName === 'network id';
  const old = python && version !== '' && compare(version, '0.9') < 0;
  return { dialect: python ? 'python' : 'go', gateway: old ? 'host' : '169.254.1.1', ipamDriver, id };
}

/** Addresses of the lab's hosts, for profiles that name them. */
export function hostsOf(cluster: Cluster): (node: string) => PolicyHost {
  const addresses = new Map(topology(cluster).hosts.map((host) => [host.name, host.address]));
  return (node) => ({ name: node, address: addresses.get(node)! });
}

/** A stand-in for the random ids of Docker and Mesos: 64 hex digits that are the same in every run. */
export const stableId = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex');
