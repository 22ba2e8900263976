/** What may stand in the way of a node's script: other people's files, old versions, a mirror that fails. On real nodes. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { kit } from './ground/cluster.ts';
import { canBoot, need, openGround, type Ground } from './ground/ground.ts';
import type { Node } from './ground/node.ts';
import { changesIn, touched, tryInstall } from './ground/run.ts';
import { debianPackage } from './ground/standins.ts';

type Name = 'a1' | 'a2';

/** Of the description only: services of agents would wait for it, and nobody waits for them. */
const absent = { m1: '10.77.0.99' };
/** For the services nobody waits. */
const calm = ['--wait', '0'] as const;

let ground: Ground<Name> | undefined;
beforeAll(async () => {
  if (canBoot()) ground = await openGround(['a1', 'a2']);
});
afterEach(() => {
  ground?.mirror.well();
  ground?.mirror.revive();
});
afterAll(() => ground?.close());

function here(skip: (note: string) => never): Ground<Name> {
  need(skip);
  return ground!;
}

/** Puts the script of a description on a node, and a stamp to know later what was written since. */
async function give(node: Node, hosts: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const made = await kit(ground!, { absent, hosts });
  await node.put('/root/install.sh', made.scripts[node.name]!, 0o755);
  await node.sh('touch /root/stamp; sleep 0.05');
}

test('a file of somebody else in the way is refused with the difference, and nothing is half done', async ({
  skip,
}) => {
  const { a1 } = here(skip).nodes;
  await a1.put('/etc/mesos-calico/host.env', 'HOST_IP=192.0.2.1\n');
  await a1.put('/etc/cni/net.d/backend.conf', '{"name": "backend", "type": "bridge"}\n');
  await give(a1);
  const { code, stdout, stderr } = await tryInstall(a1, ...calm);
  expect(code).toBe(1);
  for (const path of ['/etc/mesos-calico/host.env', '/etc/cni/net.d/backend.conf'])
    expect(stderr).toContain(`refused: ${path} `);
  expect(stderr).toContain('-HOST_IP=192.0.2.1\n    +HOST_IP=10.77.0.11');
  expect(stderr).toContain('2 in the way; nothing was changed');
  expect(changesIn(stdout)).toEqual([]);
  expect(await touched(a1, '/root/stamp')).toEqual([]);
  await a1.sh('rm -r /etc/mesos-calico /etc/cni');
});

test('a Docker that is too old is named and left alone; where the description says upgrade, it is upgraded', async ({
  skip,
}) => {
  const { mirror, nodes } = here(skip);
  const { a1 } = nodes;
  mirror.put('/old.deb', await debianPackage({ name: 'docker.io', version: '1.10.3-1' }));
  await a1.sh(`curl -sf -o /root/old.deb ${mirror.url}/old.deb && dpkg --install /root/old.deb`);
  await give(a1);
  const refused = await tryInstall(a1, ...calm);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/refused: .*docker\.io.* 1\.10\.3.*20\.10\.24.*upgrade: true/);
  expect(await touched(a1, '/root/stamp')).toEqual([]);
  await give(a1, { upgrade: true });
  const upgraded = await tryInstall(a1, ...calm);
  expect(upgraded.code, upgraded.stderr).toBe(0);
  expect(await a1.sh('docker --version')).toContain('20.10.24');
}, 120_000);

test('a mirror that is dead, lies or is cut off: told plainly, and the next run finishes; what others had set up is kept', async ({
  skip,
}) => {
  const { mirror, nodes } = here(skip);
  const { a2 } = nodes;
  await a2.put('/etc/docker/daemon.json', '{"debug": true, "log-opts": {"max-size": "5m"}}\n');
  await a2.put('/etc/mesos-slave/containerizers', 'docker\n');
  await give(a2);
  const run = () => tryInstall(a2, ...calm);

  await mirror.die();
  const dead = await run();
  expect(dead.code).toBe(1);
  expect(dead.stderr).toMatch(/failed: apt-get could not install .*python3/);

  mirror.revive();
  mirror.be({ is: 'wrong' }, /calicoctl$/);
  const lied = await run();
  expect(lied.code).toBe(1);
  expect(lied.stderr).toMatch(/has the checksum [0-9a-f]{64}, not [0-9a-f]{64}/);
  expect(lied.stderr).toContain('failed: calicoctl v1.6.5 could not be had from http://10.77.0.1/');
  expect((await a2.exec(['test', '-e', '/opt/bin/calicoctl'])).code).not.toBe(0);

  mirror.well();
  mirror.be({ is: 'cut', after: 100 }, /calicoctl$/, 1);
  mirror.be({ is: 'slow', bytesPerSecond: 400 }, /aventer-mesos/, 1);
  const finished = await run();
  expect(finished.code, finished.stderr).toBe(0);
  expect(JSON.parse(await a2.read('/etc/docker/daemon.json'))).toMatchObject({
    debug: true,
    'log-opts': { 'max-size': '5m' },
    'cluster-store': 'etcd://10.77.0.99:2379',
  });
  expect(await a2.read('/etc/mesos-slave/containerizers')).toBe('docker,mesos\n');
  expect(await a2.read('/var/lib/mesos-calico/backup/etc/mesos-slave/containerizers.1')).toBe('docker\n');
  // Services are another matter: their master is not there, so they cannot come up.
  expect(changesIn((await run()).stdout).filter((change) => !change.endsWith(', started'))).toEqual([]);
}, 180_000);
