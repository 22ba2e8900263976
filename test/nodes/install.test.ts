/** `npm run install` as a user runs it, agent after agent, with the real scripts on Debian 12 with systemd; the third fails. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { openUser, type User } from './ground/user.ts';

type Name = 'm1' | 'a1' | 'a2' | 'a3' | 'a4';
let ground: Ground<Name> | undefined;
let user: User | undefined;
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2', 'a3', 'a4']);
  user = await openUser(ground);
});
afterAll(async () => {
  await ground?.close();
  user?.close();
});

function here(skip: (note: string) => never): { nodes: Readonly<Record<Name, Node>>; user: User } {
  need(skip);
  return { nodes: ground!.nodes, user: user! };
}

const limitMs = 900_000;
const kept = (node: Node): Promise<string> => node.sh('ls /var/lib/mesos-calico 2>/dev/null || :');
/** What Mesos' master lists; the third agent's apt fails, as one of somebody else's hooks would make it. */
const listed = (node: Node): Promise<string> => node.sh('curl -sf http://10.77.0.11:5050/slaves');
const hook = '/etc/apt/apt.conf.d/99hook';

test(
  'the third of four agents fails: the first two are done and have rejoined, the fourth is untouched, it says so',
  async ({ skip }) => {
    const { nodes, user } = here(skip);
    await nodes.a3.put(hook, 'DPkg::Pre-Invoke { "echo no room for packages >&2; exit 1"; };\n');
    const { code, stdout, all } = await user.verb('install', '--yes');
    expect(code, all).toBe(3);
    expect(stdout).toMatch(
      /m1 +master +done .*\n +a1 +agent +done .*\n +a2 +agent +done .*\n +a3 +agent +FAILED .*\n +a4 +agent +not touched/,
    );
    expect(all).toMatch(/target\.hosts\.machines\.a3: .*\[[a-z-]+\]/);
    expect(stdout).toContain('nodes: 3 of 5 hosts; npm run install nodes goes on with a3, a4.');
    for (const node of [nodes.a1, nodes.a2])
      expect(await listed(nodes.m1)).toContain(`{"pid":"slave(1)@${node.address}:5051","active":true}`);
    expect(await kept(nodes.a4)).toBe('');
  },
  limitMs,
);

test(
  'mended, the same command goes on there: three are left as they are, two are installed',
  async ({ skip }) => {
    const { nodes, user } = here(skip);
    await nodes.a3.sh(`rm ${hook}`);
    const start = (): Promise<string> => nodes.a1.sh('systemctl show -P ActiveEnterTimestampMonotonic mesos-slave');
    const before = await start();
    const { code, stdout, all } = await user.verb('install', '--yes');
    expect(code, all).toBe(0);
    expect(stdout.match(/was done already/g), stdout).toHaveLength(3);
    expect(await start()).toBe(before);
    expect((await listed(nodes.m1)).match(/"active":true/g)).toHaveLength(4);
  },
  limitMs,
);

test(
  'uninstall takes it off all five',
  async ({ skip }) => {
    const { nodes, user } = here(skip);
    const { code, all } = await user.verb('uninstall', '--yes');
    expect(code, all).toBe(0);
    for (const node of Object.values(nodes)) {
      expect(await kept(node)).not.toMatch(/script|manifest|stamp/);
      expect((await node.exec(['systemctl', 'is-active', 'docker'])).stdout).not.toBe('active\n');
    }
  },
  limitMs,
);
