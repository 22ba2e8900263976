/** What Calico finds in etcd before its first node: the unit's commands, run against a real etcd with a calicoctl that notes. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster, IpPool } from '../../../modules/cluster/cluster.ts';
import { which } from '../../../modules/shell/shell.ts';
import { templates } from '../../../modules/template/read.ts';
import { inNetwork, noNetwork, Root } from './machine.ts';
import { cluster, file, kinds, plans, said, unit, words } from './planned.ts';

const text = (of: Cluster, name = 'master-1'): string => unit(plans(of).get(name), 'calico-config.service');
/** The commands of calicoctl, without the program. */
const calicoctl = (of: Cluster): readonly string[] =>
  said(text(of), 'ExecStart').flatMap((line) => /^\/opt\/bin\/calicoctl (.*)$/.exec(line)?.[1] ?? []);
/** Felix' settings. */
const felix = (of: Cluster): Readonly<Record<string, string>> =>
  Object.fromEntries(
    said(text(of), 'ExecStart').flatMap((line) => {
      const [, name, value] = /\/calico\/v1\/config\/(\S+) (\S+)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );

const classic = (calico: Readonly<Record<string, unknown>> = {}, override = {}) =>
  cluster('aws', { release: { channel: 'classic', override }, calico });

/** With these pools, also where a cloud would refuse them: other targets do not. */
const pooled = (of: Cluster, ipPools: readonly IpPool[]): Cluster => ({ ...of, calico: { ...of.calico, ipPools } });
const plain: IpPool = { name: 'plain', cidr: '10.65.0.0/16', encapsulation: 'none', natOutgoing: false };
const wrapped: IpPool = { name: 'wrapped', cidr: '10.66.0.0/16', encapsulation: 'ipip', natOutgoing: true };
const across: IpPool = { ...wrapped, name: 'across', cidr: '10.67.0.0/16', encapsulation: 'ipip-cross-subnet' };

describe('pools of the classic channel', () => {
  test('have IP-in-IP and address translation as the description says', () => {
    expect(calicoctl(pooled(classic(), [plain, wrapped]))).toEqual([
      'pool add 10.65.0.0/16',
      'pool add 10.66.0.0/16 --ipip --nat-outgoing',
    ]);
  });
  test('have both on a cloud where it says nothing', () => {
    expect(calicoctl(classic())).toEqual(['pool add 10.65.0.0/16 --ipip --nat-outgoing']);
  });
});

describe('pools of the current channel', () => {
  const path = '/etc/mesos-calico/ip-pools.json';
  const resources = (of: Cluster) => JSON.parse(file(plans(of).get('master-1'), path)) as unknown;

  /** What calicoctl v1.6 takes. Source: the page on the ipPool resource of Calico v2.6. */
  const form = Type.Array(
    Type.Object(
      {
        apiVersion: Type.Literal('v1'),
        kind: Type.Literal('ipPool'),
        metadata: Type.Object(
          { cidr: Type.String({ pattern: '^[0-9a-f.:]+/[0-9]+$' }) },
          { additionalProperties: false },
        ),
        spec: Type.Object(
          {
            ipip: Type.Optional(
              Type.Object(
                { enabled: Type.Boolean(), mode: Type.Enum(['always', 'cross-subnet']) },
                { additionalProperties: false },
              ),
            ),
            'nat-outgoing': Type.Boolean(),
          },
          { additionalProperties: false },
        ),
      },
      { additionalProperties: false },
    ),
    { minItems: 1 },
  );

  test.each(kinds.filter(([, of]) => of.release.name === 'current'))('have the form of its resources: %s', (_, of) => {
    const check = new Ajv2020({ strict: true }).compile(form);
    check(resources(of));
    expect(check.errors).toBeNull();
  });

  test('are as the description says', () => {
    const of = pooled(cluster('aws'), [plain, wrapped, across]);
    expect(resources(of)).toMatchObject([
      { metadata: { cidr: '10.65.0.0/16' }, spec: { 'nat-outgoing': false } },
      { metadata: { cidr: '10.66.0.0/16' }, spec: { ipip: { enabled: true, mode: 'always' }, 'nat-outgoing': true } },
      { metadata: { cidr: '10.67.0.0/16' }, spec: { ipip: { enabled: true, mode: 'cross-subnet' } } },
    ]);
    expect((resources(of) as { spec: object }[])[0]?.spec).not.toHaveProperty('ipip');
    expect(calicoctl(of)).toEqual([`apply --filename=${path}`]);
  });
});

describe('an AS number', () => {
  test('is set where it is another than the one that Calico takes by itself', () => {
    expect(calicoctl(classic({ asNumber: 64_600 }))).toContain('bgp default-node-as 64600');
    expect(calicoctl(cluster('aws', { calico: { asNumber: 64_600 } }))).toContain('config set asNumber 64600');
  });
  test('is left alone where it is that one', () => {
    expect(calicoctl(classic({ asNumber: 64_511 })).join()).not.toContain('as');
    expect(calicoctl(cluster('aws', { calico: { asNumber: 64_512 } })).join()).not.toContain('asNumber');
  });
});

describe("Felix' settings", () => {
  test('have the MTU of the tunnel on each cloud, and none without a tunnel', () => {
    expect(felix(cluster('gce'))['IpInIpMtu']).toBe('1440');
    expect(felix(cluster('aws'))['IpInIpMtu']).toBe('8981');
    expect(felix(cluster('aws', { calico: { mtu: 1480 } }))['IpInIpMtu']).toBe('1480');
    expect(felix(pooled(cluster('aws'), [plain]))).not.toHaveProperty('IpInIpMtu');
  });
  test.each([
    ['v0.19.0', 'v0.8.0', undefined],
    ['v0.21.0', 'v0.9.0', 'true'],
  ])('of %s bear loose reverse-path filtering where it can', (version, plugin, expected) => {
    const of = classic(
      {},
      { 'calico-node': { version }, calicoctl: { version }, 'docker-plugin': { version: plugin } },
    );
    expect(felix(of)['IgnoreLooseRPF']).toBe(expected);
  });
});

test.each([
  ['v0.17.0', ['ETCD_AUTHORITY=10.0.0.16:2379', 'ETCD_SCHEME=http']],
  ['v0.19.0', ['ETCD_ENDPOINTS=http://10.0.0.16:2379']],
])('calicoctl %s is told of etcd in its own words', (version, expected) => {
  const of = classic({}, { 'calico-node': { version }, calicoctl: { version } });
  expect(said(text(of), 'Environment')).toEqual(expected);
});

describe('against an etcd', () => {
  let root: Root;
  beforeEach(async ({ skip }) => {
    const reason = which('etcd') === undefined ? 'no etcd here' : await noNetwork();
    root = new Root();
    skip(reason !== undefined, reason);
    root.put('/opt/mesos-calico/etcd-set', templates().get('calico-config/etcd-set.sh')!);
    // Notes what it was asked, where it was sent, and which settings were there at that time.
    root.put(
      '/opt/bin/calicoctl',
      `#!/bin/bash
echo "\${ETCD_ENDPOINTS-}\${ETCD_AUTHORITY-} $* : $(curl -s http://10.0.0.16:2379/v2/keys/calico/v1/config |
  grep -o 'config/[A-Za-z]*' | sort | tr '\\n' ' ')" >>${root.path('/asked')}
`,
    );
  });
  afterEach(() => {
    rmSync(root.folder, { recursive: true, force: true });
  });

  const start =
    'etcd --data-dir=etcd --enable-v2=true --listen-client-urls=$urls --advertise-client-urls=$urls 2>log &';

  /** Runs the commands of the units of these masters, one master beside the other, and what goes before and after. */
  async function run(of: Cluster, names: readonly string[], { before = start, after = '' } = {}) {
    const all = names.map((name) => {
      const variables = said(text(of, name), 'Environment').join(' ');
      const lines = said(text(of, name), 'ExecStart').map((line) => `env ${variables} ${root.moved(line)}`);
      return `( ${lines.join('; ')} ) & masters+=($!)`;
    });
    const output = await inNetwork(`
      cd '${root.folder}'; export ETCD_UNSUPPORTED_ARCH=${process.arch}
      for address in 10.0.0.16 10.0.32.17 10.0.64.18; do ip address add $address/32 dev lo; done
      urls=http://10.0.0.16:2379,http://10.0.32.17:2379,http://10.0.64.18:2379
      masters=(); trap 'kill -9 $(jobs -p)' EXIT
      ${before}
      ${all.join('\n')}
      for each in "\${masters[@]}"; do wait $each; done
      ${after}
    `);
    const asked = root.path('/asked');
    return { ...output, asked: existsSync(asked) ? readFileSync(asked, 'utf8').trim().split('\n') : [] };
  }
  const settings = 'curl -s http://10.0.0.16:2379/v2/keys/calico/v1/config';
  const values = (stdout: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      [...stdout.matchAll(/"key":"\/calico\/v1\/config\/([^"]+)","value":"([^"]*)"/g)].map(([, key, value]) => [
        key!,
        value!,
      ]),
    );

  test('settings are there before the pools, for which calico-node waits', async () => {
    const masters = { count: 3, addresses: ['10.0.0.16', '10.0.0.17', '10.0.0.18'] };
    const { code, asked, stdout } = await run(cluster('gce', { release: 'classic', masters }), ['master-1'], {
      after: settings,
    });
    expect(code).toBe(0);
    expect(values(stdout)).toEqual({ UsageReportingEnabled: 'false', IpInIpMtu: '1440' });
    expect(asked).toEqual([
      'http://10.0.0.16:2379 pool add 10.65.0.0/16 --ipip --nat-outgoing : config/IpInIpMtu config/UsageReportingEnabled',
    ]);
  });

  test('all masters may do it at the same moment, and again', async () => {
    const of = cluster('aws');
    const three = ['master-1', 'master-2', 'master-3'];
    const { code, asked, stdout } = await run(of, [...three, ...three], { after: settings });
    expect(code).toBe(0);
    expect(values(stdout)).toEqual({ UsageReportingEnabled: 'false', IgnoreLooseRPF: 'true', IpInIpMtu: '8981' });
    expect(asked.map((line) => line.split(' ')[0]).sort()).toEqual(
      ['10.0.0.16', '10.0.0.16', '10.0.32.17', '10.0.32.17', '10.0.64.18', '10.0.64.18'].map(
        (at) => `http://${at}:2379`,
      ),
    );
  });

  test('an etcd that is still coming up is waited for', async () => {
    const { code, asked } = await run(cluster('aws'), ['master-1'], {
      before: `(sleep 1; exec ${start.slice(0, -1)}) &`,
    });
    expect(code).toBe(0);
    expect(asked).toHaveLength(1);
  });

  test('an etcd without the v2 API is told in the end, and no pool is made', async () => {
    const program = templates().get('calico-config/etcd-set.sh')!.replace('SECONDS + 120', 'SECONDS + 1');
    root.put('/opt/mesos-calico/etcd-set', program);
    const { code, asked, stderr } = await run(cluster('aws'), ['master-1'], {
      before: `${start.replace('=true', '=false')} set -e`,
    });
    expect({ code, asked }).toEqual({ code: 1, asked: [] });
    expect(stderr).toMatch(/10\.0\.0\.16:2379 does not take \/calico\/v1\/config\/UsageReportingEnabled: .*404/);
  });
});

test('it tries again for as long as it takes, and is done on every start', () => {
  for (const [, of] of kinds) {
    for (const name of ['master-1', 'master-2', 'master-3']) {
      const found = plans(of)
        .get(name)
        ?.units.find((each) => each.name === 'calico-config.service');
      expect(found).toMatchObject({ enable: true });
      expect(said(found!.content!, 'Restart')).toEqual(['on-failure']);
      expect(said(found!.content!, 'Before')).toEqual(['calico-node.service']);
      expect(words(said(found!.content!, 'ExecStartPre').join())[0]).toBe('/opt/mesos-calico/fetch');
    }
  }
});
