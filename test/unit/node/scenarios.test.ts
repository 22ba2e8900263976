/** What the machines of every scenario boot from, file by file. Read the diff before you accept it. */
import { expect, test } from 'vitest';
import { checkCloudConfig, cloudTells } from '../../../modules/node/check/cloud-config.ts';
import { tree } from '../../../modules/node/tree.ts';
import { expectFolder } from '../../golden-folder.ts';
import { bootsOf, clusterOf, scenarios, treeOf } from '../../scenarios.ts';

test.each(scenarios)('%s', async (name) => {
  const payloads = new Map([...bootsOf(name)].map(([group, { payload }]) => [group, payload]));
  await expectFolder(treeOf(name), tree(payloads), (path) => !path.startsWith('terraform/'));
});

test.each(scenarios)('nothing is wrong with a cloud-config of %s', (name) => {
  for (const [group, { payload }] of bootsOf(name)) {
    if (payload.format === 'cloud-config') expect(checkCloudConfig(group, payload.plain, cloudTells)).toEqual([]);
  }
});

test('the scenarios are of both clouds, channels, forms, all containerizers and ways out', () => {
  const all = scenarios.map(clusterOf);
  const seen = new Set(
    all.flatMap(({ target, release, agents, masters, sources }) => {
      if (target.kind !== 'aws' && target.kind !== 'gce') throw new Error(`a scenario of target ${target.kind}`);
      const { network } = target;
      return [
        `${target.kind} ${release.name}`,
        `${target.kind} ${target.boot}`,
        `${target.kind} ${network.kind}`,
        `${target.kind} ${masters.count}`,
        ...(network.kind === 'created' ? [network.egress] : []),
        ...Object.values(agents).map((pool) => pool.containerizers.toSorted().join('+')),
        ...(sources.proxy ? ['proxy'] : []),
        ...(sources.offline ? ['offline'] : []),
        ...(sources.caBundle === undefined ? [] : ['authorities']),
        ...(Object.values(agents).some(({ machine }) => machine.kind === 'cloud' && machine.spot) ? ['spot'] : []),
      ];
    }),
  );
  const both = ['current', 'classic', 'cloud-config', 'ignition', 'created', 'existing', '1', '3'];
  const wanted = [
    ...['aws', 'gce'].flatMap((cloud) => both.map((one) => `${cloud} ${one}`)),
    ...['public', 'nat', 'none', 'docker', 'mesos', 'docker+mesos', 'proxy', 'offline', 'authorities', 'spot'],
  ];
  expect(wanted.filter((one) => !seen.has(one))).toEqual([]);
});
