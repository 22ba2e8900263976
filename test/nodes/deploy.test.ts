/** `npm run deploy` of hosts, as a user runs it: the real Terraform, real SSH, the real scripts on Debian 12 with systemd. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { compiled } from '../../modules/root/root.ts';
import { shell } from '../../modules/shell/shell.ts';
import { kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';

let ground: Ground<'m1' | 'a1' | 'a2'> | undefined;
/** Where the user works: programs that are in the room's network only cannot work in the room's own folder. */
let place: string | undefined;
let file: string;
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2']);
  place = mkdtempSync(join(tmpdir(), 'mesos-calico-deploy-'));
  file = join(place, 'clusters/nodes.yaml');
  mkdirSync(join(place, 'clusters'));
  mkdirSync(join(place, 'keys'), { mode: 0o700 });
  cpSync((await kit(ground)).file, file);
  cpSync(ground.ssh.key, join(place, 'keys/user'));
  cpSync(ground.ssh.knownHosts, join(place, 'keys/known_hosts'));
  describe(({ target: { hosts } }) => {
    // The nodes have this machine's kernel.
    hosts.cgroup = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
    hosts.ssh = { user: 'admin', key: '../keys/user', knownHosts: '../keys/known_hosts' };
  });
});
afterAll(async () => {
  await ground?.close();
  if (place !== undefined) rmSync(place, { recursive: true });
});

function here(skip: (note: string) => never): NonNullable<typeof ground> {
  need(skip);
  return ground!;
}

const limitMs = 400_000;

async function verb(name: string, ...words: readonly string[]) {
  const command = ['env', '-C', place!, process.execPath, compiled(`verbs/${name}.ts`), file, ...words];
  const { code, stdout, stderr } = await shell.run(ground!.outside(command), { timeoutMs: limitMs });
  return { code, stdout, stderr, all: `${stdout}\n${stderr}` };
}

interface Described {
  target: { hosts: { machines: Record<string, unknown>; ssh: Record<string, unknown>; cgroup?: string } };
  networks: Record<string, unknown>;
}
function describe(change: (description: Described) => void): void {
  const description = parse(readFileSync(file, 'utf8')) as Described;
  change(description);
  writeFileSync(file, stringify(description));
}

const services = ['docker', 'calico-node', 'mesos-slave'];

test(
  'deploy makes nodes of three bare hosts, one agent after the other, and says how to go on',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const { code, stdout, all } = await verb('deploy', '--yes');
    expect(code, all).toBe(0);
    expect(stdout).toContain('http://10.77.0.11:5050');
    expect(all).toMatch(/m1: done[^]*a1: done[^]*a2: done/);
    for (const node of [nodes.a1, nodes.a2])
      expect(await node.sh(`systemctl is-active ${services.join(' ')}`)).toBe('active\nactive\nactive');
    const state = readFileSync(`${place}/state/nodes.tfstate`, 'utf8');
    expect(state).not.toContain('PRIVATE KEY');
  },
  limitMs,
);

test(
  'deployed again nothing changes; installed again all hosts are done already',
  async ({ skip }) => {
    here(skip);
    const again = await verb('deploy', '--yes');
    expect([again.code, again.stdout], again.all).toEqual([0, expect.stringContaining('Nothing to change.')]);
    const install = await verb('install', '--yes');
    expect(install.code, install.all).toBe(0);
    expect(install.stdout.match(/was done already/g)).toHaveLength(3);
  },
  limitMs,
);

test(
  'after a reboot of every node all units are active again',
  async ({ skip }) => {
    const { m1, a1, a2 } = here(skip).nodes;
    expect(await Promise.all([m1, a1, a2].map((node) => node.reboot()))).toEqual(['running', 'running', 'running']);
    for (const node of [a1, a2])
      await expect
        .poll(() => node.exec(['systemctl', 'is-active', ...services]).then(({ stdout }) => stdout), {
          timeout: 60_000,
        })
        .toBe('active\nactive\nactive\n');
    expect(await m1.sh('systemctl list-units --failed --plain --no-legend')).toBe('');
  },
  limitMs,
);

test(
  'a machine that leaves the description is taken off, and no other',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const before = await nodes.a1.sh('systemctl show -P ActiveEnterTimestampMonotonic calico-node');
    describe(({ target }) => delete target.hosts.machines['a2']);
    const { code, all } = await verb('deploy', '--yes');
    expect(code, all).toBe(0);
    expect(all).toContain('terraform_data.agent["a2"] destroyed');
    expect(await nodes.a2.sh('ls /var/lib/mesos-calico; systemctl is-active calico-node || :')).not.toMatch(
      /script|manifest|^active/m,
    );
    expect(await nodes.a1.sh('systemctl show -P ActiveEnterTimestampMonotonic calico-node')).toBe(before);
  },
  limitMs,
);

test(
  'destroy takes the kit off all hosts',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const { code, all } = await verb('destroy', '--yes');
    expect(code, all).toBe(0);
    for (const node of [nodes.m1, nodes.a1])
      expect(await node.sh('ls /var/lib/mesos-calico; systemctl is-active calico-node || :')).not.toMatch(
        /script|manifest|^active/m,
      );
    expect(existsSync(`${place}/state/nodes.hosts.json.lock`)).toBe(false);
  },
  limitMs,
);
