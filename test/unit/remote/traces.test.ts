/** What counts as a trace on a cluster that others use, too; and what processes hold, by name. */
import { expect, test } from 'vitest';
import { endpointWrite, keys } from '../../../modules/datastore/calico.ts';
import { holdingsOf } from '../../../modules/remote/held.ts';
import { viewsOf, type Kernel, type Stored } from '../../../modules/remote/traces.ts';

const endpoint = (id: string, address: string, host = 'a1') =>
  endpointWrite({
    ...{ host, orchestrator: 'libnetwork', workload: 'libnetwork', id, interface: `cali${id}` },
    ...{ mac: 'ee:ee:ee:ee:ee:ee', profiles: ['web'], address },
  });
const birdIp = (host: string, value: string) => ({ key: keys.birdIp(host), value });
const cidr = '10.65.0.0/26';
const block = (allocations: (number | null)[], handles: (string | null)[]) => ({
  key: keys.block(cidr),
  value: JSON.stringify({
    ...{ cidr, affinity: 'host:a1', allocations },
    attributes: handles.map((handle_id) => ({ handle_id })),
  }),
});
const stored = (changes: Partial<Stored> = {}): Stored => ({
  hosts: [birdIp('a1', '10.0.0.1')],
  ipam: [],
  policy: [],
  pools: [{ key: keys.pool('10.65.0.0/16'), value: '{"cidr":"10.65.0.0/16"}' }],
  ...changes,
});
const kernel = (...lines: string[]): Kernel => ({ node: 'one', address: '10.0.0.1', lines });
const nobody = new Set<string>();
const none = { endpoints: [], addresses: [], interfaces: [], routes: [], sets: [], profiles: [] };

/** A task with all that belongs to it. */
const task = {
  stored: stored({
    hosts: [birdIp('a1', '10.0.0.1'), endpoint('t1', '10.65.0.1')],
    ipam: [block([null, 0], ['handle-of-t1']), { key: '/calico/ipam/v2/handle/handle-of-t1', value: '{}' }],
  }),
  kernel: kernel('link calit1', 'route 10.65.0.1 dev calit1 scope link', 'member felix-v4-web 10.65.0.1'),
};

test('a task of others that lives is in no view', () => {
  expect(viewsOf(task.stored, [task.kernel], nobody)).toEqual(none);
});

test('the same task, being ours, is in every view', () => {
  const { key } = endpoint('t1', '10.65.0.1');
  expect(viewsOf(task.stored, [task.kernel], new Set([key]))).toEqual({
    endpoints: [key],
    addresses: ['10.65.0.1 of a1, handle handle-of-t1', 'handle handle-of-t1'],
    interfaces: ['one: calit1'],
    routes: ['one: 10.65.0.1 dev calit1 scope link'],
    sets: ['one: 10.65.0.1 in felix-v4-web'],
    profiles: [],
  });
});

test('without its interface it is a ghost, and all that is left of it shows', () => {
  const seen = viewsOf(task.stored, [kernel('member felix-v4-web 10.65.0.1')], nobody);
  expect([seen.endpoints.length, seen.addresses.length, seen.sets.length]).toEqual([1, 2, 1]);
});

test('an endpoint of a host that is not asked is nobody’s business', () => {
  const away = stored({ hosts: [birdIp('a1', '10.0.0.1'), endpoint('t2', '10.65.1.1', 'a2')] });
  expect(viewsOf(away, [kernel()], nobody)).toEqual(none);
});

test('what is not Calico’s is not looked at, and neither are blocks, which a host keeps', () => {
  const lines = [
    ...['link eth0', 'link docker0', 'link veth12ab', 'member blocklist 192.0.2.1'],
    ...['route default via 10.0.0.254 dev eth0', 'route 10.0.0.0/24 dev eth0', 'route 172.17.0.0/16 dev docker0'],
    ...[`route blackhole ${cidr} proto bird`, 'route 10.65.0.64/26 via 10.0.0.2 dev eth0 proto bird'],
  ];
  const ipam = [block([], []), { key: keys.affinity('a2', '10.65.0.64/26'), value: '' }];
  expect(viewsOf(stored({ ipam }), [kernel(...lines)], nobody)).toEqual(none);
});

test('an address without a handle, and a route in a pool that leads to nobody', () => {
  const seen = viewsOf(
    stored({ ipam: [block([0], [null])] }),
    [kernel('route 10.65.9.9 dev eth0 proto static', 'link temp0123456789a')],
    nobody,
  );
  expect(seen.addresses).toEqual(['10.65.0.0 of a1, handle none']);
  expect(seen.routes).toEqual(['one: 10.65.9.9 dev eth0']);
  expect(seen.interfaces).toEqual(['one: temp0123456789a']);
});

test('processes of one name are summed, and etcd may keep its last writes', () => {
  expect(holdingsOf('a1', ['held calico-felix 100 5', 'held bird 10 3', 'held bird 20 4', 'held etcd 7 2'])).toEqual([
    { name: 'felix on a1', memoryKiB: 100, files: 5 },
    { name: 'bird on a1', memoryKiB: 30, files: 7 },
    { name: 'etcd on a1', memoryKiB: 7, files: 2, spareKiB: 65_536 },
  ]);
});
