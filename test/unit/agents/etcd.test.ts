/** etcd on the masters: one cluster, made by the flags as they are rendered, of real etcd. */
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { which } from '../../../modules/shell/shell.ts';
import { inNetwork, noNetwork, Root } from './machine.ts';
import { addresses, cluster, command, kinds, plans, said, unit, withMasters, words } from './planned.ts';

const flags = (of: Cluster, name: string): readonly string[] => command(unit(plans(of).get(name), 'etcd.service'));
const flag = (of: Cluster, name: string, key: string): string =>
  flags(of, name)
    .find((word) => word.startsWith(`--${key}=`))!
    .slice(key.length + 3);

test('for 1 to 9 masters, all have one list of members, complete, with the own entry as others see it', () => {
  fc.assert(
    fc.property(addresses, (all) => {
      const of = withMasters(cluster('aws'), all);
      const lists = all.map((_, index) => flag(of, `master-${index + 1}`, 'initial-cluster'));
      expect(new Set(lists).size).toBe(1);
      expect(lists[0]!.split(',')).toEqual(all.map((at, index) => `master-${index + 1}=http://${at}:2380`));
      for (const [index, at] of all.entries()) {
        const name = `master-${index + 1}`;
        expect(flag(of, name, 'name')).toBe(name);
        expect(flag(of, name, 'initial-advertise-peer-urls')).toBe(`http://${at}:2380`);
        expect(flag(of, name, 'listen-peer-urls')).toBe(`http://${at}:2380`);
        expect(flag(of, name, 'advertise-client-urls')).toBe(`http://${at}:2379`);
        expect(flag(of, name, 'listen-client-urls')).toBe(`http://${at}:2379,http://127.0.0.1:2379`);
      }
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['2.3.8', undefined],
  ['3.3.11', undefined],
  ['3.4.34', '--enable-v2=true'],
  ['3.5.33', '--enable-v2=true'],
])('etcd %s gets its v2 API by the flag that it knows', (version, expected) => {
  const of = cluster('aws', { release: { channel: 'current', override: { etcd: { version } } } });
  expect(flags(of, 'master-1').find((word) => word.includes('v2'))).toBe(expected);
  const [fetch = ''] = said(unit(plans(of).get('master-1'), 'etcd.service'), 'ExecStartPre').filter((line) =>
    line.includes('/fetch '),
  );
  expect(words(fetch).slice(1)).toEqual([
    `https://github.com/etcd-io/etcd/releases/download/v${version}/etcd-v${version}-linux-amd64.tar.gz`,
    ...['-', 'tar', '/opt/bin', `etcd-v${version}-linux-amd64/etcd`, `etcd-v${version}-linux-amd64/etcdctl`],
  ]);
});

test('agents have none', () => {
  for (const [, of] of kinds) {
    const general = plans(of).get('general');
    expect(general?.units.map(({ name }) => name)).not.toContain('etcd.service');
  }
});

describe('the flags as they are rendered', () => {
  let root: Root;
  beforeEach(async ({ skip }) => {
    const reason = which('etcd') === undefined ? 'no etcd here' : await noNetwork();
    root = new Root();
    skip(reason !== undefined, reason);
  });
  afterEach(() => {
    rmSync(root.folder, { recursive: true, force: true });
  });

  /** Starts the members of a cluster on one host, and runs a script when they have a leader. */
  function started(of: Cluster, names: readonly string[], script: string) {
    const starts = names.map((name, index) => {
      const line = flags(of, name)
        .slice(1)
        .map((word) => word.replace('/var/lib/data', root.path(`/${name}`)))
        // Loopback is one for all of them here.
        .map((word) => (index === 0 ? word : word.replace(',http://127.0.0.1:2379', '')));
      return `etcd ${line.map((word) => `'${word}'`).join(' ')} 2>>'${root.path('/log')}' & all+=($!)`;
    });
    return inNetwork(`
      all=(); trap 'kill -9 "\${all[@]}"' EXIT
      for address in 10.0.0.16 10.0.32.17 10.0.64.18; do ip address add $address/32 dev lo; done
      export ETCD_UNSUPPORTED_ARCH=${process.arch}
      mkdir -p ${names.map((name) => root.path(`/${name}/etcd`)).join(' ')}
      ${starts.join('\n')}
      keys=http://10.0.0.16:2379/v2/keys
      for try in {1..200}; do
        curl --silent --fail --request PUT --data value=1 $keys/started >/dev/null && break
        sleep 0.05
      done
      ${script}
    `);
  }

  test('make three masters one cluster, which loses one of them and goes on, with the v2 API', async () => {
    const { stdout } = await started(
      cluster('aws'),
      ['master-1', 'master-2', 'master-3'],
      `
      curl --silent http://10.0.64.18:2379/v2/members | tr , '\\n' | grep -c peerURLs
      kill -9 \${all[2]}
      until curl --silent --fail --request PUT --data value=2 $keys/after >/dev/null; do sleep 0.05; done
      curl --silent http://10.0.32.17:2379/v2/keys/after?quorum=true
      `,
    );
    expect(stdout).toMatch(/^3\n/);
    expect(stdout).toContain('"value":"2"');
  });

  test('make a single master a cluster of its own, which answers at its address and at home', async () => {
    const { stdout } = await started(
      withMasters(cluster('gce'), ['10.0.0.16']),
      ['master-1'],
      'curl --silent http://127.0.0.1:2379/v2/keys/started?quorum=true',
    );
    expect(stdout).toContain('"value":"1"');
  });
});
