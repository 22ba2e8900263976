/** The ways to the nodes of a cluster: over SSH to hosts and to machines of Vagrant, or into the hosts of a lab. */
import { resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { hostsOf, type Host } from '../hosts/login.ts';
import type { Remote } from '../hosts/ssh.ts';
import type { Lab } from '../lab/lab.ts';
import type { Bed } from './doctor.ts';

const limitMs = 120_000;

/** Who can be logged in to, as the description says; undefined on targets that keep that to their state. */
export function loginsOf(cluster: Cluster): readonly Host[] | undefined {
  const { target, nodes, file } = cluster;
  if (target.kind === 'hosts') return hostsOf(cluster);
  if (target.kind !== 'vagrant') return undefined;
  const { provider } = target;
  return nodes.map((node) => ({
    node,
    login: {
      name: node.name,
      address: node.address ?? '',
      user: 'vagrant',
      port: 22,
      key: resolve(`.vagrant/machines/${node.name}/${provider}/private_key`),
      bastion: undefined,
      knownHosts: undefined,
      file,
    },
  }));
}

export const overSsh = (hosts: readonly Host[], remote: Remote): readonly Bed[] =>
  hosts.map(({ node, login }) => ({
    node,
    address: node.address ?? login.address,
    run: async (script, words, signal) => {
      let came: number | undefined;
      const onLine = (_: string, at: number): void => void (came ??= at);
      const order = { script, words, limitMs, what: 'the look at it', onLine, ...(signal && { signal }) };
      const outcome = await remote.run(login, order);
      return outcome.ok ? { stdout: outcome.stdout, came: came ?? Date.now() } : { problem: outcome.problem };
    },
  }));

/** Its hosts are network namespaces, on which BIRD and etcd are real. */
export async function inLab(cluster: Cluster, lab: Lab): Promise<readonly Bed[]> {
  const { topology, hosts } = await lab.call('status', {});
  return topology.hosts.map(({ name, role, address }) => {
    const processes = hosts.find((host) => host.name === name)?.processes ?? {};
    return {
      node: { name, role, containerizers: cluster.nodes.find((node) => node.name === name)?.containerizers ?? [] },
      address,
      programs: Object.fromEntries(Object.entries(processes).map(([program, { running }]) => [program, running])),
      words: ['only=network', `bird=/run/lab/bird/${name}.ctl`],
      run: async (script, words) => {
        const said = await lab.call('exec', {
          namespace: name,
          command: ['sh', '-s', ...words],
          input: script,
          timeoutMs: limitMs,
        });
        if (said.code === 0) return { stdout: said.stdout, came: Date.now() };
        return {
          problem: {
            code: 'doctor-unreached',
            what: `${name}: the look at it failed: ${said.stderr.trim().slice(-200)}.`,
          },
        };
      },
    };
  });
}
