/** The ground itself: a real systemd, packets between nodes, packages without a network, a mirror that fails as mirrors do. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { shell } from '../../modules/shell/shell.ts';
import { canBoot, need, openGround, registryPort, type Ground } from './ground/ground.ts';
import { sha256 } from './ground/mirror.ts';

let ground: Ground<'one' | 'two' | 'three'> | undefined;
beforeAll(async () => {
  if (canBoot()) ground = await openGround(['one', 'two', 'three']);
});
afterEach(() => {
  ground?.mirror.well();
  ground?.mirror.revive();
});
afterAll(() => ground?.close());

/** What was opened before all tests; a test is skipped where nothing could be. */
function here(skip: (note: string) => never): NonNullable<typeof ground> {
  need(skip);
  return ground!;
}

test('systemd runs in every node, with no unit that failed, and there is no Python', async ({ skip }) => {
  for (const node of Object.values(here(skip).nodes)) {
    expect(await node.booted()).toBe('running');
    const said = await node.sh(
      'hostname; ps -o comm= 1; . /etc/os-release; echo $VERSION_CODENAME; command -v python3 || :',
    );
    expect(said.split('\n')).toEqual([node.name, 'systemd', 'bookworm']);
  }
});

test('nodes reach each other and the room, and nothing else', async ({ skip }) => {
  const { one, two, three } = here(skip).nodes;
  for (const [from, to] of [
    [one, two],
    [two, three],
    [three, one],
  ] as const)
    await from.sh(`ping -c 1 -W 2 ${to.address}`);
  await one.sh('ping -c 1 -W 2 10.77.0.1');
  const { code } = await one.exec(['ping', '-c', '1', '-W', '1', '192.0.2.1']);
  expect(code).not.toBe(0);
});

test('SSH logs in with the key, knows each node by its own host key, and may use sudo', async ({ skip }) => {
  const ground = here(skip);
  const { ssh, nodes } = ground;
  const login = (address: string, known: string) =>
    shell.run(
      ground.outside([
        ...['ssh', '-F', 'none', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes'],
        ...['-o', `UserKnownHostsFile=${known}`, '-i', ssh.key, `${ssh.user}@${address}`],
        'hostname; sudo id -u',
      ]),
      { timeoutMs: 20_000 },
    );
  for (const { name, address } of Object.values(nodes))
    expect(await login(address, ssh.knownHosts)).toMatchObject({ code: 0, stdout: `${name}\n0\n` });
  expect((await login(nodes.one.address, '/dev/null')).stderr).toContain('Host key verification failed');
});

test('a package is installed without a network, and its unit runs: etcd with its v2 API', async ({ skip }) => {
  const { one } = here(skip).nodes;
  await one.sh(`apt-get -q update && ${install} etcd-server`);
  await one.sh('echo ETCD_ENABLE_V2=true >>/etc/default/etcd; systemctl restart etcd.service');
  expect(await one.sh('systemctl is-active etcd.service')).toBe('active');
  const keys = 'http://127.0.0.1:2379/v2/keys';
  expect(await one.sh(`curl -sf -X PUT -d value=1 ${keys}/a >/dev/null; curl -sf ${keys}/a`)).toContain('"value":"1"');
});

test('a unit whose process is killed starts again; what is on the disk and enabled outlasts a reboot and a power cut', async ({
  skip,
}) => {
  const { two } = here(skip).nodes;
  const unit =
    '[Service]\nExecStart=/usr/bin/sleep infinity\nRestart=always\nRestartSec=0\n[Install]\nWantedBy=multi-user.target\n';
  await two.put('/etc/systemd/system/lasting.service', unit);
  await two.sh('systemctl enable --now lasting.service');
  const main = (): Promise<string> => two.sh('systemctl show --property=MainPID --value lasting.service');
  const first = await main();
  await two.kill('lasting.service');
  await expect.poll(main, { timeout: 5000 }).not.toMatch(new RegExp(`^(0|${first})$`));
  await two.sh('echo kept >/root/kept; echo lost >/run/lost; sync');
  const id = await two.read('/etc/machine-id');
  for (const again of [() => two.reboot(), () => two.crash().then(() => two.start())]) {
    expect(await again()).toBe('running');
    expect(
      await two.sh('systemctl is-active lasting.service; cat /root/kept; cat /run/lost 2>/dev/null || echo gone'),
    ).toBe('active\nkept\ngone');
    expect(await two.read('/etc/machine-id')).toBe(id);
  }
  expect(await two.sh('ping -c 1 -W 2 10.77.0.11 >/dev/null && echo reached')).toBe('reached');
});

const install = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends';

const body = Buffer.alloc(200_000, 'stand-in ');

test('the mirror gives a file whole; and slowly, cut off, with a wrong byte, never, or not at all', async ({
  skip,
}) => {
  const { mirror, nodes } = here(skip);
  const sum = mirror.put('/example.com/file', body);
  expect(sum).toBe(sha256(body));
  const get = async (...more: string[]): Promise<{ code: number | null; sum: string; seconds: number }> => {
    const begun = performance.now();
    const url = `${mirror.url}/example.com/file`;
    const { code } = await nodes.three.exec(['curl', '-sf', '--max-time', '4', ...more, '-o', '/tmp/file', url]);
    const seconds = (performance.now() - begun) / 1000;
    return { code, sum: (await nodes.three.sh('sha256sum /tmp/file')).split(' ')[0]!, seconds };
  };
  expect(await get()).toMatchObject({ code: 0, sum });

  mirror.be({ is: 'slow', bytesPerSecond: 100_000 }, 'example.com');
  const slow = await get();
  expect(slow).toMatchObject({ code: 0, sum });
  expect(slow.seconds).toBeGreaterThan(1.5);

  mirror.be({ is: 'wrong' }, /file$/);
  const wrong = await get();
  expect(wrong.code).toBe(0);
  expect(wrong.sum).not.toBe(sum);

  // curl: 18 a partial file, 22 an error of HTTP, 28 out of time, 7 nobody there.
  mirror.be({ is: 'cut', after: 1000 }, 'file');
  expect((await get()).code).toBe(18);
  mirror.be({ is: 'failing', status: 503 }, 'file', 1);
  expect((await get()).code).toBe(22);
  expect((await get()).code).toBe(18);
  mirror.be({ is: 'hanging' }, 'file');
  expect((await get()).code).toBe(28);
  await mirror.die();
  expect((await get()).code).toBe(7);
  mirror.revive();
  mirror.well();
  expect(await get()).toMatchObject({ code: 0, sum });
  expect(mirror.asked.filter(({ path }) => path === '/example.com/file')).toHaveLength(8);
});

test('Docker runs in a node: an image is pulled from the registry, loaded from an archive, and its container lives', async ({
  skip,
}) => {
  const { mirror, registry, nodes } = here(skip);
  const { three } = nodes;
  for (const name of ['calico/node:v1', 'other:v2']) registry.add({ name });
  await three.sh(`apt-get -q update && ${install} docker.io`);
  const image = `127.0.0.1:${registryPort}/calico/node:v1`;
  expect(await three.sh(`docker pull -q ${image}`)).toBe(image);
  await three.sh(`docker run -d --name calico --net=host --privileged ${image} some words`);
  await expect
    .poll(() => three.sh('docker logs calico'), { timeout: 5000 })
    .toBe('stand-in for calico/node:v1: /stand-in some words');
  mirror.put('/other.tar', registry.archive('other:v2'));
  await three.sh(`curl -sf ${mirror.url}/other.tar | docker load -q`);
  expect(await three.sh('docker run --rm --entrypoint=/bin/echo other:v2 hello')).toBe('hello');
  // On its own signal, and not by being killed after ten seconds.
  const begun = performance.now();
  await three.sh('docker stop calico');
  expect(performance.now() - begun).toBeLessThan(8000);
}, 120_000);
