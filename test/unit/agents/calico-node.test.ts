/** calico-node: what each version is told, and that it waits for the pools; the wait against a real etcd. */
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { shell, type Output } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, command, file, kinds, plans, said, unit, words } from './planned.ts';
import { noEtcd, Store } from './store.ts';

const service = (of: Cluster, name = 'general'): string => unit(plans(of).get(name), 'calico-node.service');
const line = (of: Cluster, name = 'general'): readonly string[] => command(service(of, name));

/** What the container gets as its environment. */
const environment = (of: Cluster, name = 'general'): Readonly<Record<string, string>> =>
  Object.fromEntries(
    line(of, name)
      .filter((word) => word.startsWith('--env='))
      .map((word) => [word.split('=')[1]!, word.split('=').slice(2).join('=')]),
  );

const version = (release: string, calico: string) => ({
  release: { channel: release, override: { 'calico-node': { version: calico }, calicoctl: { version: calico } } },
});

test('is on every node, masters too, from the image of the channel', () => {
  for (const [, of] of kinds) {
    for (const name of plans(of).keys()) expect(line(of, name).at(-1)).toBe(`calico/node:${of.release.calico}`);
  }
});

test('comes from the registry that the description names', () => {
  const of = cluster('aws', { release: { channel: 'current', registry: 'registry.example.com/hub' } });
  expect(line(of).at(-1)).toBe('registry.example.com/hub/calico/node:v2.6.12');
});

const everyMaster = 'http://10.0.0.16:2379,http://10.0.32.17:2379,http://10.0.64.18:2379';

test('finds etcd on all masters', () => {
  const of = cluster('aws');
  for (const name of plans(of).keys()) expect(environment(of, name)['ETCD_ENDPOINTS']).toBe(everyMaster);
});

describe('the classic one, whose scripts may not know a list of etcds,', () => {
  const near = { ETCD_ENDPOINTS: 'http://127.0.0.1:2379', ETCD_AUTHORITY: '127.0.0.1:2379', ETCD_SCHEME: 'http' };
  const unitsBefore = (of: Cluster, name: string): readonly string[] => said(service(of, name), 'After')[0]!.split(' ');

  test.each([
    ['the gateway of its agent', 'general', 'etcd-gateway.service'],
    ['the member of its master', 'master-2', 'etcd.service'],
  ])('is told of %s alone, and starts after it', (_, name, before) => {
    const of = cluster('aws', { release: 'classic' });
    expect(environment(of, name)).toMatchObject(near);
    expect(unitsBefore(of, name)).toContain(before);
    expect(
      plans(of)
        .get(name)
        ?.units.map((each) => each.name),
    ).toContain(before);
  });

  test('is told of all masters by agents whose etcd has no gateway, and waits for none', () => {
    const of = cluster('aws', { release: { channel: 'classic', override: { etcd: { version: '2.3.8' } } } });
    expect(environment(of)).toMatchObject({ ETCD_ENDPOINTS: everyMaster, ETCD_AUTHORITY: '10.0.0.16:2379' });
    expect(service(of)).not.toContain('etcd-gateway.service');
    expect(environment(of, 'master-2')).toMatchObject(near);
  });
});

test('is told the address with its prefix where a pool is wrapped only across subnets, which it could not know else', () => {
  const of = cluster('aws');
  const pools = (encapsulation: 'ipip' | 'ipip-cross-subnet'): Cluster => ({
    ...of,
    calico: { ...of.calico, ipPools: of.calico.ipPools.map((pool) => ({ ...pool, encapsulation })) },
  });
  expect(environment(pools('ipip-cross-subnet'))['IP']).toBe('${HOST_CIDR}');
  expect(environment(pools('ipip'))['IP']).toBe('${HOST_IP}');
});

test('has the Docker plugin in it only in the current channel, and only where tasks run in Docker', () => {
  const agents = { docker: { containerizers: ['docker'] }, mesos: { containerizers: ['mesos'] } };
  const networks = { client: { containerizer: 'docker' } };
  const plugin = (release: string, name: string) => {
    const of = cluster('aws', { release, agents, networks }, { os: 'flatcar-lts' });
    return [
      environment(of, name)['CALICO_LIBNETWORK_ENABLED'],
      line(of, name).some((word) => word.endsWith(':/run/docker/plugins')),
      line(of, name).some((word) => word.endsWith(':/var/run/docker.sock')),
    ];
  };
  expect(plugin('current', 'docker')).toEqual(['true', true, true]);
  expect(plugin('current', 'mesos')).toEqual([undefined, false, false]);
  expect(plugin('current', 'master-1')).toEqual([undefined, false, false]);
  expect(plugin('classic', 'docker')).toEqual([undefined, false, false]);
});

test('v0.17, which does not register its host, is started by the calicoctl that does', () => {
  const of = cluster('aws', version('classic', 'v0.17.0'));
  expect(line(of)).toEqual([
    ...['/opt/bin/calicoctl', 'node', '--ip=${HOST_IP}', '--node-image=calico/node:v0.17.0', '--detach=false'],
  ]);
  expect(said(service(of), 'Environment')).toEqual(['ETCD_AUTHORITY=127.0.0.1:2379 ETCD_SCHEME=http']);
  const fetch = said(service(of), 'ExecStartPre').find((each) => each.includes('calicoctl'));
  expect(fetch).toMatch(/^\/opt\/mesos-calico\/fetch .*\/v0\.17\.0\/calicoctl - file \/opt\/bin\/calicoctl$/);
});

test('later ones start also where calicoctl cannot be had, which they have no need of', () => {
  for (const [, of] of kinds) {
    const fetch = said(service(of), 'ExecStartPre').find((each) => each.includes('calicoctl'));
    expect(fetch).toMatch(/^-\/opt\/mesos-calico\/fetch /);
  }
});

test('waits for every pool, under the key that Calico gives it', () => {
  const ipPools = { a: { cidr: '10.65.0.0/16' }, b: { cidr: '10.66.0.0/24' }, c: { cidr: 'fd80:24e2:f998:72d6::/64' } };
  const wait = said(service(cluster('aws', { calico: { ipPools } })), 'ExecStartPre').find((each) =>
    each.includes('await-keys'),
  );
  expect(words(wait!).slice(2)).toEqual([
    '/calico/v1/ipam/v4/pool/10.65.0.0-16',
    '/calico/v1/ipam/v4/pool/10.66.0.0-24',
    '/calico/v1/ipam/v6/pool/fd80:24e2:f998:72d6::-64',
  ]);
});

describe('await-keys', () => {
  let store: Store;
  let root: Root;
  beforeAll(async () => {
    if (noEtcd() === undefined) store = await Store.start();
  });
  afterAll(() => (noEtcd() === undefined ? store.stop() : undefined));
  beforeEach(({ skip }) => {
    skip(noEtcd() !== undefined, noEtcd());
    root = new Root();
  });
  afterEach(async () => {
    rmSync(root.folder, { recursive: true, force: true });
    await store.etcd.delete('/calico');
  });

  const pool = '/calico/v1/ipam/v4/pool/10.65.0.0-16';
  function wait(keys: readonly string[], seconds: number, url = store.url): Promise<Output> {
    const text = file(plans(cluster()).get('general'), '/opt/mesos-calico/await-keys').replace(
      'sleep 1\n',
      'sleep 0.1\n',
    );
    const program = root.put('/opt/mesos-calico/await-keys', text);
    return shell.run([program, url, ...keys], { timeoutMs: 25_000, env: { AWAIT_SECONDS: String(seconds) } });
  }

  test('goes on at once when all is there', async () => {
    await store.etcd.set(pool, '{"cidr":"10.65.0.0/16"}');
    expect(await wait([pool], 10)).toMatchObject({ code: 0, stderr: '' });
  });

  test('goes on as soon as the last of the pools has been made, and not before', async () => {
    const other = pool.replace('65', '66');
    let over = false;
    const waiting = wait([pool, other], 20).finally(() => (over = true));
    await store.etcd.set(pool, '{}');
    await sleep(700);
    expect(over).toBe(false);
    await store.etcd.set(other, '{}');
    expect(await waiting).toMatchObject({ code: 0, stderr: '' });
  });

  test('asks the next member where one is dead, or answers with something else', async () => {
    await store.etcd.set(pool, '{}');
    expect(await wait([pool], 10, `http://127.0.0.1:1,${store.url}/nothing-there,${store.url}`)).toMatchObject({
      code: 0,
    });
  });

  test('gives up with the key that is missing', async () => {
    const { code, stderr } = await wait([pool], 1);
    expect(code).toBe(1);
    expect(stderr).toContain(`etcd has no ${pool} after 1 seconds`);
  });

  test('gives up with the etcd that does not answer', async () => {
    const { code, stderr } = await wait([pool], 1, 'http://127.0.0.1:1');
    expect(code).toBe(1);
    expect(stderr).toContain('no etcd at http://127.0.0.1:1 answers');
  });

  test('puts the name of the host in the place of @', async () => {
    await store.etcd.set(`/calico/v1/host/${hostname()}/bird_ip`, '10.0.0.20');
    expect(await wait(['/calico/v1/host/@/bird_ip'], 5)).toMatchObject({ code: 0 });
  });
});

describe('forget-hosts', () => {
  let store: Store;
  let root: Root;
  beforeAll(async () => {
    if (noEtcd() === undefined) store = await Store.start();
  });
  afterAll(() => (noEtcd() === undefined ? store.stop() : undefined));
  beforeEach(({ skip }) => {
    skip(noEtcd() !== undefined, noEtcd());
    root = new Root();
  });
  afterEach(async () => {
    rmSync(root.folder, { recursive: true, force: true });
    await store.etcd.delete('/calico');
  });

  const [own, mine] = [hostname(), '10.0.0.20'];
  const keysOf = (name: string) =>
    [
      `/calico/bgp/v1/host/${name}/ip_addr_v4`,
      `/calico/v1/host/${name}/bird_ip`,
      `/calico/v1/host/${name}/workload/mesos/task/endpoint/one`,
      `/calico/ipam/v2/host/${name}/ipv4/block/10.65.0.0-26`,
    ] as const;
  async function register(name: string, address: string): Promise<void> {
    const [bgp, ...others] = keysOf(name);
    await store.etcd.set(bgp, address);
    for (const key of others) await store.etcd.set(key, address);
  }
  const left = (name: string) => Promise.all(keysOf(name).map((key) => store.value(key)));
  const [none, all] = [keysOf('').map(() => undefined), (address: string) => keysOf('').map(() => address)];

  function forget(address = mine, url = store.url): Promise<Output> {
    const text = file(plans(cluster()).get('general'), '/opt/mesos-calico/forget-hosts');
    return shell.run([root.put('/opt/mesos-calico/forget-hosts', text), url, address], { timeoutMs: 25_000 });
  }

  test('takes away all of a dead node whose address is now this one’s, and says whose it was', async () => {
    await register('agent-a1b2', mine);
    const { code, stdout } = await forget();
    expect({ code, left: await left('agent-a1b2') }).toEqual({ code: 0, left: none });
    expect(stdout).toContain('agent-a1b2');
  });

  test('leaves all others: itself, and addresses that only begin or end like this one', async () => {
    const others = {
      [own]: mine,
      'agent-1': '10.0.0.2',
      'agent-2': '10.0.0.200',
      'agent-3': '110.0.0.20',
      x: '10x0.0.20',
    };
    for (const [name, address] of Object.entries(others)) await register(name, address);
    expect(await forget()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    for (const [name, address] of Object.entries(others))
      expect([name, await left(name)]).toEqual([name, all(address)]);
  });

  test('leaves itself where Calico writes its name in small letters', async () => {
    await register(own.toLowerCase(), mine);
    root.put('/opt/bin/uname', `#!/bin/bash\necho ${own.toUpperCase()}\n`);
    const text = file(plans(cluster()).get('general'), '/opt/mesos-calico/forget-hosts');
    const program = root.put('/opt/mesos-calico/forget-hosts', text);
    const path = `${root.path('/opt/bin')}:${process.env['PATH'] ?? ''}`;
    expect(await shell.run([program, store.url, mine], { env: { PATH: path } })).toMatchObject({ code: 0 });
    expect(await left(own.toLowerCase())).toEqual(all(mine));
  });

  test('takes several, and ends what a run before it has begun', async () => {
    await register('agent-1', mine);
    await register('agent.2', mine);
    await store.etcd.delete('/calico/ipam/v2/host/agent-1');
    for (let start = 0; start < 2; start++) expect(await forget()).toMatchObject({ code: 0 });
    expect([await left('agent-1'), await left('agent.2')]).toEqual([none, none]);
  });

  test('finds nothing to do in an etcd that no node has come to yet', async () => {
    expect(await forget()).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('asks the next member where one is dead, or answers with something else', async () => {
    await register('agent-1', mine);
    expect(await forget(mine, `http://127.0.0.1:1,${store.url}/nothing-there,${store.url}`)).toMatchObject({ code: 0 });
    expect(await left('agent-1')).toEqual(none);
  });

  test('fails where no etcd answers, so that the unit is tried again', async () => {
    const { code, stderr } = await forget(mine, 'http://127.0.0.1:1');
    expect(code).toBe(1);
    expect(stderr).toContain('no etcd at http://127.0.0.1:1');
  });

  test.each(['', '10.0.0', '.*'])('refuses %j as an address, and touches nothing', async (address) => {
    await register('agent-1', mine);
    expect(await forget(address)).toMatchObject({ code: 2 });
    expect(await left('agent-1')).toEqual(all(mine));
  });
});
