/**
 * Where the machines of a cluster are: told by a file, by the outputs of its stack, or by its own description. What a
 * stack hands over is in modules/terraform/handover.ts.
 */
import { resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { hostsOf, type Door, type Login } from '../hosts/login.ts';
import type { Problem } from '../problem/problem.ts';
import type { Inventory, InventoryMachine, MachineInventory } from '../terraform/handover.ts';
import type { Ground } from './seats.ts';

export type Read = { readonly ok: true; readonly ground: Ground } | { readonly ok: false; readonly problem: Problem };

/** Hosts of one's own are in the description itself. */
export function described(cluster: Cluster): Ground {
  const all = hostsOf(cluster).map(({ node, login }) => ({
    node,
    machine: { login, address: node.address ?? login.address },
  }));
  return {
    masters: all.flatMap(({ node, machine }) => (node.role === 'master' ? [{ name: node.name, ...machine }] : [])),
    agents: new Map(all.flatMap(({ node, machine }) => (node.role === 'agent' ? [[node.name, machine] as const] : []))),
    login: undefined,
  };
}

/** Machines of Vagrant, as `vagrant up` makes them: it puts a key of its own in the place of the one that all boxes share. */
export function ofNodes({ name: cluster, nodes }: Cluster, provider: string): Ground {
  const machines = nodes.map(({ name, role, pool, address = '' }): [string, InventoryMachine] => {
    const key = resolve(`.vagrant/machines/${name}/${provider}/private_key`);
    const ssh = { address, user: 'vagrant', port: 22, key };
    return [name, { role, ...(role === 'agent' && { pool }), address, ssh }];
  });
  return ofMachines({ target: 'vagrant', cluster, machines: Object.fromEntries(machines) }, 'Vagrantfile');
}

/** `text`: an inventory by itself, or among the outputs of a stack, as `terraform output -json` prints them. */
export function readInventory(text: string, file: string, cluster: Cluster): Read {
  const bad = (what: string): Read => ({
    ok: false,
    problem: {
      code: 'inventory-form',
      at: { file },
      what,
      rule: 'an inventory is the output of that name of a stack; docs/verification.md has the form.',
      remedy: `in cdktf.out/stacks/${cluster.name}: terraform output -json inventory`,
    },
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return bad(`it is no JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const found = within(value);
  if (found === undefined) return bad('there is no inventory in it.');
  if (found.cluster !== cluster.name)
    return bad(`it is the inventory of the cluster "${found.cluster}", not of ${cluster.name}.`);
  const ground = 'machines' in found ? ofMachines(found, file) : ofCloud(found, file);
  if (ground.masters.length === 0) return bad('it names no master.');
  if (ground.login === undefined && ground.agents.size === 0) return bad('it names no agent.');
  return { ok: true, ground };
}

/** The inventory, or a value of that name around it. */
function within(value: unknown): Inventory | MachineInventory | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  if ('inventory' in fields) return within(fields['inventory']);
  if ('value' in fields) return within(fields['value']);
  if (typeof fields['cluster'] !== 'string') return undefined;
  if (Array.isArray(fields['masters']) && fields['masters'].every(hasAddress)) return fields as unknown as Inventory;
  const machines = fields['machines'];
  if (typeof machines !== 'object' || machines === null || !Object.values(machines).every(isMachine)) return undefined;
  return fields as unknown as MachineInventory;
}

const hasAddress = (one: unknown): boolean =>
  typeof one === 'object' && one !== null && typeof (one as { address?: unknown }).address === 'string';

const isMachine = (one: unknown): boolean => {
  const { role, ssh } = (one ?? {}) as { role?: unknown; ssh?: { user?: unknown } };
  return hasAddress(one) && (role === 'master' || role === 'agent') && hasAddress(ssh) && typeof ssh?.user === 'string';
};

function ofMachines({ machines }: MachineInventory, file: string): Ground {
  const all = Object.entries(machines).map(([name, machine]) => ({
    name,
    machine,
    login: loginOf(name, machine, file),
  }));
  return {
    masters: all.flatMap(({ name, machine, login }) =>
      machine.role === 'master' ? [{ name, login, address: machine.address }] : [],
    ),
    agents: new Map(
      all.flatMap(({ name, machine, login }) =>
        machine.role === 'agent' ? [[name, { login, address: machine.address }] as const] : [],
      ),
    ),
    login: undefined,
  };
}

const doorOf = (ssh: { address: string; user: string; port?: number; key?: string }): Door => ({
  address: ssh.address,
  user: ssh.user,
  port: ssh.port ?? 22,
  key: ssh.key,
});

const loginOf = (name: string, { ssh }: InventoryMachine, file: string): Login => ({
  ...doorOf(ssh),
  name,
  bastion: ssh.bastion && doorOf(ssh.bastion),
  knownHosts: ssh.knownHosts,
  file,
});

/** Agents of a cloud have no address outside, as a rule: the way to them is through a master that has one. */
function ofCloud({ masters, user }: Inventory, file: string): Ground {
  const outside = masters.filter(({ publicAddress }) => typeof publicAddress === 'string');
  const login = (name: string, address: string, open: readonly string[] = []): Login => {
    const door = outside.find((master) => open.includes(master.name)) ?? outside[0];
    return {
      name,
      address,
      user,
      port: 22,
      key: undefined,
      bastion: door && { address: door.publicAddress!, user, port: 22, key: undefined },
      knownHosts: undefined,
      file,
    };
  };
  return {
    masters: masters.map(({ name, address, publicAddress }) => ({
      name,
      address,
      login: publicAddress === null ? login(name, address) : { ...login(name, publicAddress), bastion: undefined },
    })),
    agents: new Map(),
    login,
  };
}
