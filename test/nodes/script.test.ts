/** The script of a node, run for real on Debian 12: a real apt, a real systemd, etcd, ZooKeeper and Docker of real packages. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { changesIn, install, killed, result, starts, touched, units } from './ground/run.ts';
import { draw } from './ground/seed.ts';

let ground: Ground<'m1' | 'a1' | 'a2'> | undefined;
beforeAll(async () => {
  if (!canBoot()) return;
  ground = await openGround(['m1', 'a1', 'a2']);
  const made = await kit(ground);
  for (const node of Object.values(ground.nodes)) await node.put('/root/install.sh', made.scripts[node.name]!, 0o755);
});
afterAll(() => ground?.close());

function here(skip: (note: string) => never): Record<'m1' | 'a1' | 'a2', Node> {
  need(skip);
  return ground!.nodes;
}

/** What the script changed on the agent that it ran through on, line by line. */
let whole: readonly string[] = [];

test('a bare host becomes a master, another an agent, and all their units are active', async ({ skip }) => {
  const { m1, a1 } = here(skip);
  const [, agent] = await Promise.all([m1, a1].map((node) => install(node)));
  whole = changesIn(agent!);
  for (const node of [m1, a1]) expect(await units(node), node.name).toEqual({ down: [], failed: [] });
  // What runs is what was described.
  const pools = 'http://10.77.0.11:2379/v2/keys/calico/v1/ipam/v4/pool?recursive=true';
  expect(await m1.sh(`curl -sf ${pools}`)).toContain('10.65.0.0');
  await m1.put('/root/srvr', 'exec 3<>/dev/tcp/10.77.0.11/2181; echo srvr >&3; cat <&3\n');
  expect(await m1.sh('bash /root/srvr')).toContain('Zookeeper version: 3.8.0');
  expect(await a1.sh('docker network inspect --format "{{.Driver}} {{.Scope}}" client')).toBe('calico global');
  const agentSays = await a1.sh('journalctl --no-pager --output=cat --unit=mesos-slave.service');
  expect(agentSays).toContain('--master=zk://10.77.0.11:2181/mesos');
  expect(agentSays).toContain('--containerizers=docker,mesos');
}, 180_000);

test('run again it changes nothing, says so, and no unit starts anew', async ({ skip }) => {
  for (const node of [here(skip).m1, here(skip).a1]) {
    const before = await result(node);
    const started = await starts(node);
    await node.sh('touch /root/second');
    const said = await install(node);
    expect(said).toContain(`${node.name}: nothing changed`);
    expect(changesIn(said)).toEqual([]);
    expect(await result(node)).toEqual(before);
    expect(await touched(node, '/root/second')).toEqual([]);
    expect(await starts(node)).toBe(started);
  }
});

test('after a reboot of every node all units are active again, and the script has nothing to do', async ({ skip }) => {
  const { m1, a1 } = here(skip);
  expect(await Promise.all([m1.reboot(), a1.reboot()])).toEqual(['running', 'running']);
  for (const node of [m1, a1]) {
    await expect.poll(() => units(node), { timeout: 60_000, interval: 500 }).toEqual({ down: [], failed: [] });
    expect(await install(node)).toContain(`${node.name}: nothing changed`);
  }
});

test('killed at ten points and run again, it ends with the same result as on a host where nobody killed it', async ({
  skip,
}) => {
  const { a1, a2 } = here(skip);
  const packages = whole.findIndex((line) => line.startsWith('packages docker.io'));
  expect(packages).toBeGreaterThan(0);
  const { numbers, seed } = draw(8, whole.length - 1);
  // Two of them in the middle of the work of dpkg.
  const points = [...numbers, packages, packages].sort((a, b) => a - b);
  const kills: string[] = [];
  for (const [index, point] of points.entries()) {
    const rest = whole.slice(point);
    const delay = point === packages ? 1 + (index % 2) * 2 : 0;
    kills.push(await killed(a2, rest, delay));
  }
  expect(kills.filter((kill) => kill === 'killed').length, `seed ${seed}: ${kills.join(', ')}`).toBe(10);
  await install(a2);
  expect(await units(a2)).toEqual({ down: [], failed: [] });
  expect(await result(a2), `seed ${seed}`).toEqual(await result(a1));
  expect(await install(a2)).toContain('a2: nothing changed');
}, 240_000);
