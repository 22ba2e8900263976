import { describe, expect, test } from 'vitest';
import { written } from '../../../modules/cluster/path.ts';
import { print } from '../../../modules/cluster/print.ts';
import { readCluster, readDescription } from '../../../modules/cluster/read.ts';
import { fields } from '../../../modules/cluster/schema/fields.ts';
import { find } from '../../../modules/cluster/explain.ts';
import { format } from '../../../modules/problem/problem.ts';
import { right } from './cases.ts';

describe.each(['aws', 'gce', 'vagrant', 'hosts', 'lab'])('the completed form on %s', (target) => {
  const folder = `test/golden/cluster/${target}`;
  const { cluster, description, defaults, problems, warnings } = readCluster(`${folder}/${target}.yaml`);
  const text = cluster && description ? print(cluster, description, defaults) : '';

  test('has no problems', () => {
    expect(problems.map(format)).toEqual([]);
    const warned: Readonly<Record<string, readonly string[]>> = {
      gce: ['mesos-images-old-manifest', 'mtu-not-applied'],
      vagrant: ['unprotected-package'],
    };
    expect(warnings.map(({ code }) => code)).toEqual(warned[target] ?? []);
  });

  test('is as it was, as YAML with the reasons of each default and as every module takes it', async () => {
    await expect(text).toMatchFileSnapshot(`../../golden/cluster/${target}/completed.yaml`);
    await expect(`${JSON.stringify(cluster, null, 2)}\n`).toMatchFileSnapshot(
      `../../golden/cluster/${target}/cluster.json`,
    );
  });

  test('is itself a description of the same cluster that leaves nothing open', () => {
    const again = readDescription(`${folder}/${target}.yaml`, text);
    expect(again.problems).toEqual([]);
    expect(again.defaults).toEqual([]);
    expect(again.cluster).toEqual(cluster);
  });

  test('takes the defaults that the schema names', () => {
    for (const { path, value } of defaults) {
      const field = find(written(path));
      expect(field, written(path)).toBeDefined();
      if (field?.schema.default !== undefined) expect(value, written(path)).toEqual(field.schema.default);
    }
  });
});

test('every field that can be left out says what is taken, or that nothing is', () => {
  // Without these, the field has no value at all; its description says what that means.
  const nothing =
    /^target$|^target\.(aws|gce|vagrant|hosts|lab)$|image$|kmsKey$|Profile$|Account$|tags$|labels$|subnets$|subnetwork$|vpc$|network\.name$|network$|box|\.key$|existing|hosts\.cgroup$|ssh$|bastion$|release\.|access|masters$|calico$|\*$|\[\]$/;
  for (const { path, schema, required } of fields()) {
    if (required || nothing.test(path)) continue;
    expect(schema.default ?? schema['x-default'], path).toBeDefined();
  }
});

test('agents are counted and named pool by pool, masters first', () => {
  const { cluster } = readDescription(
    'clusters/test.yaml',
    right['aws']!.replace('general: { count: 3 }', 'zeta: { count: 2 }\n  alpha: { count: 1 }'),
  );
  expect(cluster?.nodes.map((node) => node.name)).toEqual([
    'master-1',
    'master-2',
    'master-3',
    'zeta-1',
    'zeta-2',
    'alpha-1',
  ]);
});

test.each([
  ['aws', 'current', 'ipip', 8981, true],
  ['aws', 'classic', 'ipip', 8981, true],
  ['gce', 'current', 'ipip', 1440, true],
  ['vagrant', 'current', 'none', 1500, true],
  ['hosts', 'current', 'ipip', 1480, true],
  ['lab', 'current', 'none', 1500, false],
])(
  'on %s with release %s, tasks get %s, an MTU of %i and natOutgoing %s',
  (target, release, encapsulation, mtu, nat) => {
    const { cluster } = readDescription(
      'clusters/test.yaml',
      `${right[target]!.replace(/^release: .*\n/m, '')}release: ${release}\n`,
    );
    expect(cluster?.calico).toMatchObject({ mtu, ipPools: [{ encapsulation, natOutgoing: nat }] });
  },
);

test('an IPv6 pool neither asks for IP-in-IP nor takes of the MTU', () => {
  const { cluster } = readDescription(
    'clusters/test.yaml',
    `${right['vagrant']!}calico: { ipPools: { four: { cidr: 10.65.0.0/16 }, six: { cidr: 'FD00:0::/64' } } }\n`,
  );
  expect(cluster?.calico.ipPools[1]).toEqual({
    name: 'six',
    cidr: 'fd00::/64',
    encapsulation: 'none',
    natOutgoing: false,
  });
  expect(cluster?.calico.mtu).toBe(1500);
});
