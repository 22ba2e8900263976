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

test('finds etcd on all masters; the classic one also gets the single address that its Felix reads', () => {
  const all = 'http://10.0.0.16:2379,http://10.0.32.17:2379,http://10.0.64.18:2379';
  expect(environment(cluster('aws'))['ETCD_ENDPOINTS']).toBe(all);
  expect(environment(cluster('aws', { release: 'classic' }))).toMatchObject({
    ETCD_ENDPOINTS: all,
    ETCD_AUTHORITY: '127.0.0.1:2379',
    ETCD_SCHEME: 'http',
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
