/** What a stack hands over when it stands: to the person who deployed it, and to the programs that work on the cluster. */
import type { Cluster } from '../cluster/cluster.ts';
import { ports } from '../node/members.ts';

/** Addresses of a running cluster, as far as a plan can tell them: agents come and go in their groups. */
export interface Inventory {
  readonly target: 'aws' | 'gce';
  readonly cluster: string;
  readonly region: string;
  /** Who logs in. */
  readonly user: 'core';
  readonly masters: readonly InventoryMaster[];
  readonly pools: readonly InventoryPool[];
}

export interface InventoryMaster {
  readonly name: string;
  readonly zone: string;
  /** IPv4 address in the network between the machines. */
  readonly address: string;
  /** IPv4 address for the outside; null where there is none. */
  readonly publicAddress: string | null;
}

export interface InventoryPool {
  readonly name: string;
  readonly count: number;
  /** The group of machines that the cloud keeps for the pool, by its name there. */
  readonly group: string;
}

/** The same of machines that are described one by one, and of how to log in to each. */
export interface MachineInventory {
  readonly target: 'hosts' | 'vagrant';
  readonly cluster: string;
  readonly machines: Readonly<Record<string, InventoryMachine>>;
}

export interface InventoryMachine {
  readonly role: 'master' | 'agent';
  /** Of an agent. */
  readonly pool?: string;
  /** IPv4 address in the network between the machines. */
  readonly address: string;
  readonly ssh: InventoryDoor & { readonly knownHosts?: string; readonly bastion?: InventoryDoor };
}

interface InventoryDoor {
  readonly address: string;
  readonly user: string;
  readonly port: number;
  /** Path of the private key. */
  readonly key?: string;
}

/** Outputs by name, of described machines. `ssh`: the command of each that logs in there. */
export function machinesHandover(
  inventory: MachineInventory,
  ssh: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const first = Object.values(inventory.machines).find(({ role }) => role === 'master')!;
  return {
    ssh,
    mesos: `http://${first.address}:${ports.mesosMaster}`,
    marathon: `http://${first.address}:${ports.marathon}`,
    next: `npm run verify ${inventory.cluster}`,
    inventory,
  };
}

/** Outputs by name. Strings may be references that only Terraform resolves. */
export function handover(cluster: Cluster, inventory: Inventory): Readonly<Record<string, unknown>> {
  const first = inventory.masters[0]!;
  const reached = ({ address, publicAddress }: InventoryMaster): string => publicAddress ?? address;
  return {
    ssh: Object.fromEntries(
      inventory.masters.map((master) => [master.name, `ssh ${inventory.user}@${reached(master)}`]),
    ),
    mesos: `http://${reached(first)}:${ports.mesosMaster}`,
    marathon: `http://${reached(first)}:${ports.marathon}`,
    // Mesos sends a browser on to its leader and to agents at addresses of the network inside: a proxy there finds them all.
    proxy: `ssh -N -D 1080 ${inventory.user}@${reached(first)}`,
    next: `npm run verify ${cluster.name}`,
    inventory: { ...inventory, masters: inventory.masters.map(written) },
  };
}

/** cdktf stops at a null inside an output; Terraform evaluates this text to one. */
const written = (master: InventoryMaster): InventoryMaster => ({
  ...master,
  publicAddress: master.publicAddress ?? '${null}',
});
