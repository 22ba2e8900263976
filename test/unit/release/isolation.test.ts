/** What versions need of a node, against the sources of each project. */
import { expect, test } from 'vitest';
import { nodeRegistersItself } from '../../../modules/release/calico.ts';
import { channels } from '../../../modules/release/channels.ts';
import { hasGateway } from '../../../modules/release/etcd.ts';
import { isolation } from '../../../modules/release/isolation.ts';
import { override } from '../../../modules/release/override.ts';
import { staticPrograms } from '../../../modules/release/static-docker.ts';

test.each([
  ['0.27.2', ['cgroups/cpu', 'cgroups/mem', 'filesystem/linux', 'com_mesosphere_mesos_NetworkIsolator']],
  [
    '0.28.0',
    ['cgroups/cpu', 'cgroups/mem', 'filesystem/linux', 'docker/runtime', 'com_mesosphere_mesos_NetworkIsolator'],
  ],
])('Mesos %s, before it had CNI, isolates tasks of its own by %j', (version, isolators) => {
  const release = override(channels.classic, { mesos: { version } });
  expect(isolation(release, ['mesos', 'docker']).isolators).toEqual(isolators);
});

test.each(['1.7.1', '1.11.0-0.9.0'])('Mesos %s leaves tasks of Docker to Docker, and limits its own', (version) => {
  const found = isolation(override(channels.current, { mesos: { version } }), ['docker']);
  expect(found).toEqual({ launcher: 'linux', isolators: ['cgroups/cpu', 'cgroups/mem'] });
});

test.each([
  ['v0.17.0', false],
  ['v0.18.0', true],
  ['v0.23.1', true],
  ['v2.6.12', true],
])('calico/node %s registers its host by itself: %s', (version, itself) => {
  expect(nodeRegistersItself(version)).toBe(itself);
});

test.each([
  ['2.3.8', false],
  ['3.0.17', false],
  ['3.1.0', true],
  ['v3.5.33', true],
])('etcd %s has a gateway: %s', (version, there) => {
  expect(hasGateway(version)).toBe(there);
});

test('a static build of Docker has one shim and one runtime under one name each', () => {
  for (const version of ['17.03.0-ce', '18.06.3-ce', '18.09.0', '19.03.15', '20.10.24', '20.10.0']) {
    const programs = staticPrograms(version);
    expect(programs.filter((name) => name.includes('shim'))).toHaveLength(1);
    expect(programs.filter((name) => /^(docker-)?runc$/.test(name))).toHaveLength(1);
    expect(new Set(programs).size).toBe(programs.length);
  }
});
