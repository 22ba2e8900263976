/** The scripts of every scenario on hosts, file by file. Read the diff before you accept it. */
import { expect, test } from 'vitest';
import { hostTree } from '../../../modules/node/hosts.ts';
import { expectFolder } from '../../golden-folder.ts';
import { clusterOf, hostScenarios, hostsOf, treeOf } from '../../scenarios.ts';

test.each(hostScenarios)('%s', async (name) => {
  await expectFolder(treeOf(name), hostTree(hostsOf(name)), (path) => !path.startsWith('terraform/'));
});

test('the scenarios are of all families, channels, containerizers and ways of the firewall', () => {
  const seen = new Set(
    hostScenarios.map(clusterOf).flatMap(({ target, release, agents, sources }) => {
      if (target.kind !== 'hosts' && target.kind !== 'vagrant') throw new Error(`a scenario of target ${target.kind}`);
      return [
        target.kind,
        target.os,
        release.name,
        target.firewall,
        ...Object.values(agents).map((pool) => pool.containerizers.toSorted().join('+')),
        ...(sources.mirror === undefined ? [] : ['mirror']),
        ...(sources.offline ? ['offline'] : []),
        ...(target.kind === 'hosts' && target.existing.mesos === true ? ['existing'] : []),
      ];
    }),
  );
  const wanted = [
    ...['hosts', 'vagrant', 'centos-7', 'rocky-8', 'alma-8', 'alma-9', 'debian-12', 'classic', 'current'],
    ...['open', 'mask', 'leave', 'docker', 'mesos', 'docker+mesos', 'mirror', 'offline', 'existing'],
  ];
  expect(wanted.filter((one) => !seen.has(one))).toEqual([]);
});
