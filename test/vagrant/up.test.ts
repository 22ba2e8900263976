/**
 * `vagrant up --provider=libvirt` for real: two machines of a box of Debian 12, made by this project's Vagrantfile under libvirt
 * and QEMU, become a master and an agent. What cannot be downloaded here comes from a mirror, as for the nodes under nspawn:
 * Mesos, Marathon and Calico are stand-ins; Docker, etcd, ZooKeeper, BIRD, systemd and the kernel are real.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { stringify } from 'yaml';
import { shell, type Output } from '../../modules/shell/shell.ts';
import { stock } from '../nodes/ground/cluster.ts';
import { folderShelf, openMirror } from '../nodes/ground/mirror.ts';
import { pluginShelf } from '../nodes/ground/plugin.ts';
import { openRegistry } from '../nodes/ground/registry.ts';
import { mirrorAt, registryAt } from './box.ts';
import { openHypervisor, type Hypervisor } from './hypervisor.ts';
import { projectIn } from './project.ts';
import type { Makings } from './setup.ts';
import { told } from './told.ts';

/** Emulated machines take minutes where others take seconds. */
const limitMs = 45 * 60_000;

const names = ['master-1', 'general-1'] as const;
type Name = (typeof names)[number];

/** What is to run on each. */
const units: Readonly<Record<Name, readonly string[]>> = {
  'master-1': [
    ...['host-address', 'kernel', 'docker', 'etcd', 'zookeeper', 'mesos-master', 'marathon', 'mesos-dns'],
    ...['calico-config', 'calico-node', 'mesos-calico.target'],
  ],
  'general-1': [
    ...['host-address', 'kernel', 'docker', 'calico-node', 'docker-networks', 'cni', 'mesos-slave'],
    'mesos-calico.target',
  ],
};

let place: string;
let folder: string;
let hypervisor: Hypervisor;
const closing: (() => unknown)[] = [];

const chosen = (): boolean => !('why' in inject('machines'));

/** Skips a test where machines cannot be made, or nobody asked for them. */
function need(skip: (note: string) => never): void {
  const found = inject('machines');
  if ('why' in found) skip(found.why);
}

beforeAll(async () => {
  if (!chosen()) return;
  // Where the run is ended, nobody else would end what waits for machines here, and the room with it.
  process.once('disconnect', () => process.exit(1));
  const { box, tree, folder: made } = inject('machines') as Makings;
  place = made;
  folder = projectIn(place);
  hypervisor = await openHypervisor(join(place, 'libvirt'));
  closing.unshift(() => hypervisor.close());
  const mirror = openMirror(hypervisor.room.network(), mirrorAt);
  closing.unshift(() => mirror.close());
  mirror.add(folderShelf('/boxes', dirname(box.file)));
  mirror.add(folderShelf('/debian', tree.packages));
  const registry = openRegistry(tree.busybox);
  mirror.add(registry.shelf);
  mirror.add(pluginShelf);
  const description = {
    name: 'real',
    target: {
      vagrant: {
        provider: 'libvirt',
        network: '192.168.57.0/24',
        os: 'debian-12',
        box: { name: 'debian-12', url: `${mirror.url}/boxes/${basename(box.file)}`, sha256: box.sha256 },
      },
    },
    release: {
      channel: 'current',
      mirror: mirror.url,
      registry: registryAt,
      override: await stock({ mirror, registry }),
    },
    masters: { count: 1, cpus: 1, memory: 1024 },
    agents: { general: { count: 1, cpus: 1, memory: 768, containerizers: ['docker', 'mesos'] } },
    networks: { client: { containerizer: 'docker' }, backend: { containerizer: 'mesos' } },
  };
  writeFileSync(join(folder, 'clusters/real.yaml'), stringify(description));
});
afterAll(async () => {
  for (const close of closing) await close();
});

const inRoom = (words: readonly string[]): string[] =>
  hypervisor.room.inside(['env', '-C', folder, 'vagrant', ...words]);
const env = (): NodeJS.ProcessEnv => ({
  CLUSTER: 'real',
  VAGRANT_HOME: join(place, 'home'),
  VAGRANT_CHECKPOINT_DISABLE: '1',
});

/** Runs it to its end, which has to be good; gives all that it said. */
async function done(...words: readonly string[]): Promise<string> {
  const begun = performance.now();
  const { code, stdout, stderr } = await told(inRoom(words), env(), limitMs);
  process.stderr.write(`vagrant ${words.join(' ')}: ${Math.round((performance.now() - begun) / 1000)} s\n`);
  expect(code, `${stdout.slice(-4000)}\n${stderr.slice(-4000)}`).toBe(0);
  return stdout;
}

/** What a script says to have changed, as Vagrant passes it on. */
const changesIn = (said: string): readonly string[] =>
  [...said.matchAll(/^ +[\w-]+: +changed: (.*)$/gm)].map(([, change]) => change!);

/** What Vagrant says of its own stands on lines before. */
async function tryOn(name: Name, script: string): Promise<Output> {
  const said = await shell.run(inRoom(['ssh', name, '--no-tty', '-c', script]), { timeoutMs: 180_000, env: env() });
  return { ...said, stdout: said.stdout.replaceAll(/^==> .*\n/gm, '').replaceAll('\r', '') };
}

async function on(name: Name, script: string): Promise<string> {
  const { code, stdout, stderr } = await tryOn(name, script);
  if (code !== 0) throw new Error(`${name}: ${script}: ${stdout}${stderr}`);
  return stdout.trim();
}

/** Longer than a unit that fails looks active each time that it is started again. */
const watched = 60;

/** Every service of the cluster on a machine is active and stays so, and nothing has failed. */
async function expectUp(name: Name): Promise<void> {
  const said = await on(
    name,
    `told() { for unit in ${units[name].join(' ')}; do
       systemctl show --property=ActiveState,NRestarts "$unit" | sort | sed "s/^/$unit /"
     done; }
     told >/tmp/before
     sleep ${watched}
     for unit in $(told | diff /tmp/before - | cut --delimiter=' ' --fields=2 | sort -u); do
       sudo journalctl --unit="$unit" --lines=25 --no-pager
     done
     grep ActiveState /tmp/before
     systemctl list-units --failed --plain --no-legend`,
  );
  expect(said.split('\n'), name).toEqual(units[name].map((unit) => `${unit} ActiveState=active`));
}

test('up makes a master and an agent, provisioned: every unit is active, and the agent reaches the master', async ({
  skip,
}) => {
  need(skip);
  const said = await done('up', '--provider=libvirt');
  // Masters first.
  expect([...said.matchAll(/==> (\S+): Running provisioner: node/g)].map(([, name]) => name)).toEqual(names);
  expect(changesIn(said)).toContain('/etc/systemd/system/calico-node.service');
  expect([...(await hypervisor.virsh('list', '--name'))].sort()).toEqual(['real-general-1', 'real-master-1']);
  for (const name of names) {
    await expectUp(name);
    expect(await on(name, 'hostname')).toBe(name);
  }
  expect(await on('general-1', 'curl -sf http://192.168.57.11:2379/health')).toContain('"health":"true"');
  expect(await on('general-1', 'sudo docker network ls --filter driver=calico --format "{{.Name}}"')).toBe('client');
});

test('provision, again and at once, as Terraform does it, changes nothing', async ({ skip }) => {
  need(skip);
  const said = await Promise.all(names.map((name) => done('provision', name)));
  expect(said.flatMap(changesIn)).toEqual([]);
});

test('both reboot at once, and every unit comes up by itself', async ({ skip }) => {
  need(skip);
  const boots = 'cat /proc/sys/kernel/random/boot_id';
  const before = new Map<Name, string>();
  for (const name of names) before.set(name, await on(name, boots));
  for (const name of names) await tryOn(name, 'sudo systemctl reboot');
  for (const name of names) {
    const deadline = performance.now() + 20 * 60_000;
    for (;;) {
      const { code, stdout, stderr } = await tryOn(name, `${boots}; systemctl is-system-running`);
      const [boot, state] = stdout.trim().split('\n');
      if (code === 0 && boot !== before.get(name) && state === 'running') break;
      if (performance.now() > deadline) throw new Error(`${name} is not up again: ${stdout}${stderr}`);
      await sleep(5000);
    }
    await expectUp(name);
  }
});

test('destroy, by two at once that take turns, leaves no machine, no disk of one, no network of theirs, no process', async ({
  skip,
}) => {
  need(skip);
  await Promise.all(names.map((name) => done('destroy', '-f', name)));
  expect(await hypervisor.virsh('list', '--all', '--name')).toEqual([]);
  const disks = (await hypervisor.virsh('vol-list', 'default')).map((line) => line.split(/\s+/)[0]!);
  // Boxes stay, as docs/vagrant.md says.
  expect(disks.filter((disk) => !disk.includes('_box_'))).toEqual([]);
  expect(await hypervisor.virsh('net-list', '--all', '--name')).toEqual([]);
  const { stdout } = await shell.run(hypervisor.room.inside(['pgrep', '-l', 'qemu']));
  expect(stdout).toBe('');
  for (const name of names) expect(existsSync(join(folder, '.vagrant/machines', name, 'libvirt/id'))).toBe(false);
});
