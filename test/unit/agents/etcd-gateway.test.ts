/** etcd at one address of every classic agent: real etcd, started as it is rendered. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inNetwork, noNetwork, Root } from './machine.ts';
import { cluster, command, kinds, plans, unit } from './planned.ts';
import { noEtcd } from './store.ts';

const classic = (etcd?: string) =>
  cluster('aws', {
    release: { channel: 'classic', ...(etcd !== undefined && { override: { etcd: { version: etcd } } }) },
  });

test('is on the agents of the classic channel, whose plugins know one address only', () => {
  for (const [, of] of kinds) {
    for (const [name, planned] of plans(of)) {
      const there = planned.units.some((each) => each.name === 'etcd-gateway.service');
      expect(there, name).toBe(of.release.name === 'classic' && name === 'general');
    }
  }
});

test('an etcd without a gateway leaves the plugins the first master', () => {
  const general = plans(classic('2.3.8')).get('general');
  expect(general?.agents).not.toContain('etcd-gateway');
  expect(command(unit(general, 'docker-plugin.service'))).toContain('--env=ETCD_AUTHORITY=10.0.0.16:2379');
});

describe('the gateway as it is rendered', () => {
  let root: Root;
  beforeEach(async ({ skip }) => {
    const reason = noEtcd() ?? (await noNetwork());
    skip(reason !== undefined, reason);
    root = new Root();
  });
  afterEach(() => rmSync(root.folder, { recursive: true, force: true }));

  test('answers at home while two of three masters are down', async () => {
    const line = command(unit(plans(classic()).get('general'), 'etcd-gateway.service')).slice(1);
    const { stdout } = await inNetwork(`
      all=(); trap 'kill -9 "\${all[@]}"' EXIT
      for address in 10.0.0.16 10.0.32.17 10.0.64.18; do ip address add $address/32 dev lo; done
      export ETCD_UNSUPPORTED_ARCH=${process.arch}
      etcd --name=one --data-dir='${root.folder}' --enable-v2=true --initial-cluster=one=http://10.0.64.18:2380 \\
        --listen-client-urls=http://10.0.64.18:2379 --advertise-client-urls=http://10.0.64.18:2379 \\
        --listen-peer-urls=http://10.0.64.18:2380 --initial-advertise-peer-urls=http://10.0.64.18:2380 2>/dev/null & all+=($!)
      etcd ${line.map((word) => `'${word}'`).join(' ')} >/dev/null 2>&1 & all+=($!)
      for round in 1 2 3 4 5 6; do
        until curl --silent --fail --max-time 5 --request PUT --data value=$round http://127.0.0.1:2379/v2/keys/round >/dev/null; do
          sleep 0.05
        done
        curl --silent http://127.0.0.1:2379/v2/keys/round?quorum=true
      done
    `);
    expect([...stdout.matchAll(/"value":"(\d)"/g)].map(([, value]) => value)).toEqual(['1', '2', '3', '4', '5', '6']);
  });
});
