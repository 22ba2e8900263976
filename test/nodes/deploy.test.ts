/** `deploy` of hosts, as a user runs it: the real Terraform, real SSH, the real scripts on Debian 12 with systemd. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cdktfCli } from '../deploy/ground/cli.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { openUser, type Ended, type User } from './ground/user.ts';

let ground: Ground<'m1' | 'a1' | 'a2'> | undefined;
let user: User;
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2']);
  user = await openUser(ground);
});
afterEach(() => ground?.mirror.well());
afterAll(async () => {
  await ground?.close();
  if (canBoot()) user.close();
});

function here(skip: (note: string) => never): NonNullable<typeof ground> {
  need(skip);
  return ground!;
}

const limitMs = 900_000;
const services = ['docker', 'calico-node', 'mesos-slave'];
const active = (node: Node): Promise<string> =>
  node.exec(['systemctl', 'is-active', ...services]).then(({ stdout }) => stdout.trim());
const allActive = 'active\nactive\nactive';
/** The kit's own, on a host. */
const kept = (node: Node): Promise<string> => node.sh('ls /var/lib/mesos-calico 2>/dev/null || :');
/** A run that ends before that says why. */
async function until(is: () => Promise<boolean>, { ended }: { readonly ended: Promise<Ended> }): Promise<void> {
  let over: Ended | undefined;
  void ended.then((end) => (over = end));
  while (!(await is())) {
    if (over !== undefined) throw new Error(`it has ended: ${over.all}`);
    await sleep(200);
  }
}
/** The script of a host runs. */
const works = async (node: Node): Promise<boolean> => (await node.exec(['pgrep', '-f', '^bash -s'])).code === 0;

test(
  'a download that is not what was described stops it: its checksum is named, and no host after it is touched',
  async ({ skip }) => {
    const { nodes, mirror } = here(skip);
    mirror.be({ is: 'wrong' }, /calicoctl$/);
    const { code, all } = await user.verb('deploy', '--yes');
    expect(code, all).toBe(3);
    expect(all).toMatch(
      /target\.hosts\.machines\.m1: .*calicoctl v1\.6\.5 could not be had .* checksum [0-9a-f]{64}, not [0-9a-f]{64}.*\[hosts-not-done\]/,
    );
    expect([user.stateOf('m1'), user.stateOf('a1')]).toEqual(['failed', undefined]);
    for (const node of [nodes.a1, nodes.a2]) expect(await kept(node)).toBe('');
  },
  limitMs,
);

test(
  'Ctrl-C in the middle leaves the host that is under way, says so, and lets nothing run on',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const run = user.begin('deploy', '--yes');
    await until(async () => user.stateOf('a1') === 'running' && (await kept(nodes.a1)).includes('manifest'), run);
    run.stop();
    const { code, all } = await run.ended;
    expect(code, all).toBe(130);
    expect(all).toContain('npm run deploy nodes goes on from there');
    await expect
      .poll(() => existsSync(join(user.folder, 'state/nodes.hosts.json.lock')), { timeout: 20_000 })
      .toBe(false);
    // The connection is gone, and with it the script.
    await expect.poll(() => works(nodes.a1), { timeout: 20_000 }).toBe(false);
    expect(user.stateOf('m1')).toBe('done');
    expect(await kept(nodes.a2)).toBe('');
  },
  limitMs,
);

test(
  'a host that dies in the middle stops it: it is named, and no host after it is touched',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const run = user.begin('deploy', '--yes');
    await until(async () => user.stateOf('a1') === 'running' && (await works(nodes.a1)), run);
    await nodes.a1.crash();
    const { code, all } = await run.ended;
    expect(code, all).toBe(3);
    expect(all).toMatch(/target\.hosts\.machines\.a1: .*\[ssh-(died|silent|unreachable)\].*\[hosts-not-done\]/);
    expect(user.stateOf('a1')).toBe('failed');
    expect(await kept(nodes.a2)).toBe('');
    await nodes.a1.start();
  },
  limitMs,
);

test(
  'the same command goes on, over a mirror that is slow, one agent after the other, and says how to go on',
  async ({ skip }) => {
    const { nodes, mirror } = here(skip);
    mirror.be({ is: 'slow', bytesPerSecond: 100 }, /calicoctl$/);
    const { code, stdout, all } = await user.verb('deploy', '--yes');
    expect(code, all).toBe(0);
    expect(stdout).toContain('http://10.77.0.11:5050');
    expect(all).toMatch(/m1: already[^]*a1: done[^]*a2: done/);
    for (const node of [nodes.a1, nodes.a2]) expect(await active(node)).toBe(allActive);
    const state = readFileSync(join(user.folder, 'state/nodes.tfstate'), 'utf8');
    expect(state).not.toContain('PRIVATE KEY');
  },
  limitMs,
);

test(
  'deployed again nothing changes; installed again all hosts are done already',
  async ({ skip }) => {
    here(skip);
    const plan = await user.verb('plan', '--check');
    expect(plan.code, plan.all).toBe(0);
    const again = await user.verb('deploy', '--yes');
    expect([again.code, again.stdout], again.all).toEqual([0, expect.stringContaining('Nothing to change.')]);
    const install = await user.verb('install', '--yes');
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
    for (const node of [a1, a2]) await expect.poll(() => active(node), { timeout: 60_000 }).toBe(allActive);
    const masters = ['etcd', 'zookeeper', 'mesos-master', 'marathon', 'calico-node'];
    await expect
      .poll(() => m1.exec(['systemctl', 'is-active', ...masters]).then(({ stdout }) => stdout), { timeout: 60_000 })
      .toBe('active\n'.repeat(masters.length));
    expect(await m1.sh('systemctl list-units --failed --plain --no-legend')).toBe('');
  },
  limitMs,
);

test(
  'a machine that leaves the description is taken off, and no other',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const before = await nodes.a1.sh('systemctl show -P ActiveEnterTimestampMonotonic calico-node');
    user.describe(({ target }) => delete target.hosts.machines['a2']);
    const { code, all } = await user.verb('deploy', '--yes');
    expect(code, all).toBe(0);
    expect(all).toContain('terraform_data.agent["a2"] destroyed');
    expect(await kept(nodes.a2)).not.toMatch(/script|manifest/);
    expect((await active(nodes.a2)).split('\n')).not.toContain('active');
    expect(await nodes.a1.sh('systemctl show -P ActiveEnterTimestampMonotonic calico-node')).toBe(before);
  },
  limitMs,
);

test(
  'described again it is installed again, by the program of cdktf; then that sees no changes',
  async ({ skip }) => {
    const { nodes } = here(skip);
    user.describe(({ target }) => (target.hosts.machines['a2'] = { address: nodes.a2.address, role: 'agent' }));
    const program = await cdktfCli();
    const cdktf = (...words: string[]) =>
      user.run([process.execPath, program, ...words], {
        CDKTF_HOME: join(user.folder, 'home'),
        CDKTF_DISABLE_PLUGIN_CACHE_ENV: '1',
        CHECKPOINT_DISABLE: '1',
        DISABLE_VERSION_CHECK: '1',
        CI: '1',
      });
    const deployed = await cdktf('deploy', 'nodes', '--auto-approve', '--skip-provider-lock');
    expect(deployed.code, deployed.all).toBe(0);
    expect(await active(nodes.a2)).toBe(allActive);
    const diff = await cdktf('diff', 'nodes', '--skip-provider-lock');
    expect(diff.all).toContain('No changes');
  },
  limitMs,
);

test(
  'destroy takes the kit off all hosts',
  async ({ skip }) => {
    const { nodes } = here(skip);
    const { code, all } = await user.verb('destroy', '--yes');
    expect(code, all).toBe(0);
    for (const node of Object.values(nodes)) {
      expect(await kept(node)).not.toMatch(/script|manifest/);
      expect((await node.exec(['systemctl', 'is-active', 'calico-node'])).stdout).not.toBe('active\n');
    }
    expect(existsSync(join(user.folder, 'state/nodes.hosts.json.lock'))).toBe(false);
  },
  limitMs,
);
