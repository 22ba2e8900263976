/** Hosts of one's own as a stack hands them over: where they are, and the commands that log in to them. Pure. */
import { dirname, isAbsolute, join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import type { InventoryMachine, MachineInventory } from '../terraform/handover.ts';
import { hostsOf, type Door, type Login } from './login.ts';

export function hostsInventory(cluster: Cluster): MachineInventory {
  const machines = hostsOf(cluster).map(({ node, login }): [string, InventoryMachine] => [
    node.name,
    {
      role: node.role,
      ...(node.role === 'agent' ? { pool: node.pool } : {}),
      address: node.address ?? login.address,
      ssh: {
        ...door(login, login),
        ...(login.knownHosts === undefined ? {} : { knownHosts: pathFrom(login, login.knownHosts) }),
        ...(login.bastion === undefined ? {} : { bastion: door(login, login.bastion) }),
      },
    },
  ]);
  return { target: 'hosts', cluster: cluster.name, machines: Object.fromEntries(machines) };
}

/** By name, to be typed where the description was named. */
export const sshCommands = (cluster: Cluster): Readonly<Record<string, string>> =>
  Object.fromEntries(hostsOf(cluster).map(({ node, login }) => [node.name, sshCommand(login)]));

function sshCommand(login: Login): string {
  const { bastion } = login;
  const known =
    login.knownHosts === undefined ? [] : ['-o', quote(`UserKnownHostsFile=${pathFrom(login, login.knownHosts)}`)];
  const words = (to: Door): string[] => [
    ...(to.key === undefined ? [] : ['-i', quote(pathFrom(login, to.key))]),
    ...(to.port === 22 ? [] : ['-p', String(to.port)]),
    ...known,
  ];
  // -J would take neither the key of a bastion nor the file of its host key.
  const through =
    bastion === undefined
      ? []
      : ['-o', quote(`ProxyCommand=ssh ${words(bastion).join(' ')} -W [%h]:%p ${bastion.user}@${bastion.address}`)];
  return ['ssh', ...words(login), ...through, `${login.user}@${login.address}`].join(' ');
}

const door = (login: Login, { address, user, port, key }: Door) => ({
  address,
  user,
  port,
  ...(key === undefined ? {} : { key: pathFrom(login, key) }),
});

/** A path of the description as the folder sees it in which the description was named; `~` stays for the shell. */
const pathFrom = ({ file }: Login, named: string): string =>
  named.startsWith('~/') || isAbsolute(named) ? named : join(dirname(file), named);

/** A word as a shell reads it, with `~` at its begin left to it. */
const quote = (word: string): string => (/^[\w.,:/@=+%~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
