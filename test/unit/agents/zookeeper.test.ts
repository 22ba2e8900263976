/** ZooKeeper on the masters: one ensemble, in the words of the official image. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { addresses, cluster, command, plans, unit, withMasters } from './planned.ts';

/** What the container gets as its environment. */
function environment(of: Cluster, name: string): Readonly<Record<string, string>> {
  const line = command(unit(plans(of).get(name), 'zookeeper.service'));
  const pairs = line.flatMap((word, index) =>
    word.startsWith('--env=') ? [word.slice(6)] : word === '--env' ? [line[index + 1]!] : [],
  );
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

const version = (number: string) => ({
  release: { channel: 'current', override: { zookeeper: { version: number } } },
});

test.each([
  ['3.4.14', ''],
  ['3.5.10', ';2181'],
  ['3.8', ';2181'],
])(
  'for 1 to 9 masters, %s has one list of servers, complete, and each master its own place in it',
  (number, client) => {
    fc.assert(
      fc.property(addresses, (all) => {
        const of = withMasters(cluster('aws', version(number)), all);
        const seen = all.map((_, index) => environment(of, `master-${index + 1}`));
        expect(new Set(seen.map((each) => each['ZOO_SERVERS'])).size).toBe(1);
        const servers = seen[0]!['ZOO_SERVERS']!.split(' ');
        expect(servers).toEqual(all.map((at, index) => `server.${index + 1}=${at}:2888:3888${client}`));
        for (const [index, { ZOO_MY_ID: id }] of seen.entries()) {
          expect(servers[Number(id) - 1]).toContain(`=${all[index]!}:`);
        }
      }),
      { numRuns: 20 },
    );
  },
);

test('a single master stands alone, more of them do not', () => {
  expect(environment(withMasters(cluster('gce'), ['10.0.0.16']), 'master-1')['ZOO_STANDALONE_ENABLED']).toBe('true');
  expect(environment(cluster('gce'), 'master-1')['ZOO_STANDALONE_ENABLED']).toBe('false');
});

test('its own administration server stays off: it would take port 8080, which is Marathon’s', () => {
  for (const release of ['classic', 'current']) {
    const of = cluster('aws', { release });
    expect(environment(of, 'master-1')['ZOO_ADMINSERVER_ENABLED']).toBe('false');
    const marathon = command(unit(plans(of).get('master-1'), 'marathon.service'));
    expect(marathon[marathon.indexOf('--http_port') + 1]).toBe('8080');
  }
});

test('data and log lie on the data disk, and old snapshots are taken away', () => {
  const line = command(unit(plans(cluster('aws')).get('master-1'), 'zookeeper.service'));
  expect(line).toEqual(
    expect.arrayContaining([
      '--volume=/var/lib/data/zookeeper/data:/data',
      '--volume=/var/lib/data/zookeeper/log:/datalog',
      '--env=ZOO_AUTOPURGE_PURGEINTERVAL=1',
    ]),
  );
});
