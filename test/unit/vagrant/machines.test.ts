/** What the Vagrantfile and the stack read of a cluster under Vagrant. */
import { createHash } from 'node:crypto';
import { App } from 'cdktf';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { inventory, machines, onVagrant, ssh } from '../../../modules/vagrant/machines.ts';
import { VagrantStack } from '../../../stacks/vagrant.ts';
import { expectFolder } from '../../golden-folder.ts';
import { clusterOf, hostScenarios, hostsOf, treeOf } from '../../scenarios.ts';

const scenarios = hostScenarios.filter((name) => clusterOf(name).target.kind === 'vagrant');
const several = 'vagrant-three-masters';
const allOf = (name: string) => machines(onVagrant(clusterOf(name)), hostsOf(name));

describe('the machines and the stack are as they were', () => {
  test('of both providers, with several masters, and with several pools', () => {
    const clusters = scenarios.map(clusterOf);
    expect(new Set(scenarios.map((name) => allOf(name).provider))).toEqual(new Set(['virtualbox', 'libvirt']));
    expect(clusters.some(({ masters }) => masters.count > 1)).toBe(true);
    expect(clusters.some(({ agents }) => Object.keys(agents).length > 1)).toBe(true);
  });

  test.each(scenarios)('%s', async (name) => {
    const all = allOf(name);
    const stack = new VagrantStack(new App({ stackTraces: false }), clusterOf(name), hostsOf(name));
    stack.prepareStack();
    const text = (value: unknown): string => `${JSON.stringify(value, without, 2)}\n`;
    // The scripts are goldens of their own; where a file lies, and when a script differs, is no matter here.
    const without = (key: string, value: unknown): unknown =>
      key === 'script' && typeof value === 'string' && value.startsWith('#!') ? 'install.sh of the node' : value;
    const plain = (written: string): string =>
      all.machines.reduce(
        (now, { name: node, digest }) => now.replaceAll(digest, `digest of ${node}`),
        written.replaceAll(all.file, `${name}.yaml`),
      );
    const files = new Map([
      ['terraform/machines.json', plain(text(all))],
      ['terraform/cdk.tf.json', plain(text(stack.toTerraform()))],
    ]);
    await expectFolder(treeOf(name), files, (path) => path.startsWith('terraform/'));
  });
});

test('masters first; all but the last master do not wait for their services, which need the others', () => {
  const words = allOf(several).machines.map((machine) => [machine.name, machine.words.join(' ')]);
  expect(words).toEqual([
    ['master-1', '--wait 0'],
    ['master-2', '--wait 0'],
    ['master-3', ''],
    ['batch-1', ''],
    ['general-1', ''],
    ['general-2', ''],
  ]);
});

test('each machine has the size of its own pool', () => {
  const sizes = allOf(several).machines.map(({ name, pool, cpus, memory }) => `${name} ${pool} ${cpus} ${memory}`);
  expect(sizes).toEqual([
    ...['master-1 masters 1 1536', 'master-2 masters 1 1536', 'master-3 masters 1 1536'],
    ...['batch-1 batch 4 8192', 'general-1 general 2 4096', 'general-2 general 2 4096'],
  ]);
});

test('each machine has its own script, and the sum of it', () => {
  const { machines: all } = allOf(several);
  for (const { name, script, digest } of all) {
    expect(script).toContain(`# The node ${name} `);
    expect(digest).toBe(createHash('sha256').update(script).digest('hex'));
  }
  expect(new Set(all.map(({ digest }) => digest)).size).toBe(all.length);
});

test.each([
  ['192.168.56.0/24', '255.255.255.0'],
  ['192.168.120.0/26', '255.255.255.192'],
  ['10.8.0.0/13', '255.248.0.0'],
])('the netmask of %s is %s', (network, netmask) => {
  const cluster = onVagrant(clusterOf(several));
  const moved = { ...cluster, target: { ...cluster.target, network } };
  expect(machines(moved, hostsOf(several)).machines[0]!.netmask).toBe(netmask);
});

test('an inventory names the key that Vagrant makes for each machine, by the provider that makes it', () => {
  const { machines: found } = inventory(allOf(several));
  expect(Object.keys(found)).toHaveLength(6);
  expect(found['master-2']).toEqual({
    role: 'master',
    address: '192.168.120.3',
    ssh: {
      address: '192.168.120.3',
      user: 'vagrant',
      port: 22,
      key: '.vagrant/machines/master-2/libvirt/private_key',
    },
  });
  expect(found['batch-1']).toMatchObject({ role: 'agent', pool: 'batch' });
  expect(ssh(allOf(several))['general-2']).toBe(`CLUSTER=${allOf(several).file} vagrant ssh general-2`);
});

test('a cluster on another target is a bug of the caller', () => {
  const other: Cluster = clusterOf('debian-12');
  expect(() => onVagrant(other)).toThrow('debian-12 is on hosts');
});
