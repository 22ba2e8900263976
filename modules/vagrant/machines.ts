/** The machines of a cluster under Vagrant, as the Vagrantfile and the stack read them. */
import { createHash } from 'node:crypto';
import type { Box, Cluster, VagrantTarget } from '../cluster/cluster.ts';
import { range } from '../cluster/range.ts';
import type { Host } from '../node/hosts.ts';
import type { MachineInventory } from '../terraform/handover.ts';

/** A cluster that is to stand under Vagrant. */
export type VagrantCluster = Cluster & { readonly target: VagrantTarget };

export interface Machines {
  readonly cluster: string;
  readonly file: string;
  readonly provider: VagrantTarget['provider'];
  readonly box: Box;
  /** Masters first: agents wait for them. */
  readonly machines: readonly Machine[];
}

export interface Machine {
  readonly name: string;
  readonly role: 'master' | 'agent';
  readonly pool: string;
  readonly address: string;
  readonly netmask: string;
  readonly cpus: number;
  /** MiB. */
  readonly memory: number;
  /** Words for its script: a master that others must join does not wait for its services, or nobody would ever come up. */
  readonly words: readonly string[];
  /** SHA-256 of the script that makes it a node. */
  readonly digest: string;
  readonly script: string;
}

/** `scripts`: of each node, by its name. */
export function machines(cluster: VagrantCluster, scripts: ReadonlyMap<string, Host>): Machines {
  const { name, file, target, nodes } = cluster;
  const netmask = netmaskOf(target.network);
  return {
    cluster: name,
    file,
    provider: target.provider,
    box: target.box,
    machines: nodes.map(({ name: node, role, pool, address }, index): Machine => {
      const { machine } = role === 'master' ? cluster.masters : cluster.agents[pool]!;
      if (machine.kind !== 'virtual' || address === undefined) throw new Error(`${node} is no machine of Vagrant`);
      const { script } = scripts.get(node)!;
      const digest = createHash('sha256').update(script).digest('hex');
      const words = index + 1 < cluster.masters.count ? ['--wait', '0'] : [];
      const { cpus, memory } = machine;
      return { name: node, role, pool, address, netmask, cpus, memory, words, digest, script };
    }),
  };
}

/** @throws Error for a cluster on another target. */
export function onVagrant(cluster: Cluster): VagrantCluster {
  const { target } = cluster;
  if (target.kind !== 'vagrant') throw new Error(`${cluster.name} is on ${target.kind}`);
  return { ...cluster, target };
}

/** `255.255.255.0` of `192.168.56.0/24`. */
function netmaskOf(network: string): string {
  const bits = (0xffff_ffff << (32 - range(network).prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/** Boxes have the user `vagrant`, and Vagrant puts a key of its own in the place of the one that all boxes share. */
export const inventory = ({ cluster, provider, machines: all }: Machines): MachineInventory => ({
  target: 'vagrant',
  cluster,
  machines: Object.fromEntries(
    all.map(({ name, role, pool, address }) => [
      name,
      {
        role,
        ...(role === 'agent' && { pool }),
        address,
        ssh: { address, user: 'vagrant', port: 22, key: `.vagrant/machines/${name}/${provider}/private_key` },
      },
    ]),
  ),
});

/** The command of each machine that logs in there. */
export const ssh = ({ file, machines: all }: Machines): Readonly<Record<string, string>> =>
  Object.fromEntries(all.map(({ name }) => [name, `CLUSTER=${file} vagrant ssh ${name}`]));
