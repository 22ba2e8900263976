/** What single versions need and are called, against the tables of the guides. */
import { describe, expect, test } from 'vitest';
import { felixKnowsLooseRpf, ipipNeedsRestart, netGroupPrefix } from '../../../modules/release/calico.ts';
import { channels } from '../../../modules/release/channels.ts';
import { dockerCommand, isStaticDocker, pluginNames, pullsSchema1 } from '../../../modules/release/docker.ts';
import { etcdFlags } from '../../../modules/release/etcd.ts';
import { agentProgram, neverReleased } from '../../../modules/release/mesos.ts';
import { needs } from '../../../modules/release/needs.ts';
import { override } from '../../../modules/release/override.ts';

test.each([
  ['2.3.7', []],
  ['3.3.11', []],
  ['3.4.0', ['--enable-v2=true']],
  ['v3.5.33', ['--enable-v2=true']],
])('etcd %s has its v2 API with %j', (version, flags) => {
  expect(etcdFlags(version)).toEqual(flags);
});

test.each([
  ['v0.17.0', false, true],
  ['v0.20.0', false, true],
  ['v0.21.0', true, false],
  ['v0.23.1', true, false],
  ['v2.6.12', true, false],
])(
  'calico/node %s: can be told to bear loose rp_filter %s, needs a restart for IP-in-IP %s',
  (version, loose, restart) => {
    expect([felixKnowsLooseRpf(version), ipipNeedsRestart(version)]).toEqual([loose, restart]);
  },
);

test.each([
  ['v0.8.0', 'calico', 'network id'],
  ['v0.10.0', 'calico', 'network id'],
  ['v1.0.0', 'calico-ipam', 'network name'],
  ['v1.1.3', 'calico-ipam', 'network name'],
])('the Docker plugin %s has the IPAM driver %s and a profile named by %s', (version, ipamDriver, profileName) => {
  expect(pluginNames(version)).toEqual({ ipamDriver, profileName });
});

test('calico_mesos v0.1.6 left ng_ out', () => {
  expect(['v0.1.5', 'v0.1.6'].map(netGroupPrefix)).toEqual(['ng_', '']);
});

test.each([
  ['1.11.2', 'docker daemon'],
  ['1.12.3', 'dockerd'],
  ['20.10.24', 'dockerd'],
])('Docker %s is started as %s', (version, command) => {
  expect(dockerCommand(version).join(' ')).toBe(command);
});

test.each([
  ['1.13.1', false],
  ['17.03.0-ce', true],
  ['17.03.0', false],
  ['18.06.3-ce', true],
  ['18.06.3', false],
  ['18.09.0', true],
  ['20.10.24', true],
  ['20.10.24-ce', false],
])('a static build of Docker called %s: %s', (version, there) => {
  expect(isStaticDocker(version)).toBe(there);
});

test('manifest schema 1 is pulled up to Docker 25', () => {
  expect(['20.10.24', '25.0.5', '26.0.0', '28.2.0'].map(pullsSchema1)).toEqual([true, true, false, false]);
});

test.each([
  ['0.28.0', 'mesos-slave'],
  ['1.0.0', 'mesos-agent'],
  ['1.11.0-0.9.0', 'mesos-agent'],
])("the agent's program of Mesos %s is %s", (version, program) => {
  expect(agentProgram(version)).toBe(program);
});

test('of what guides name, 0.29 and 1.12 were never released', () => {
  expect(['0.28.1', '0.29.0', '1.0.0', '1.11.0-0.9.0', '1.12.0'].map(neverReleased)).toEqual([
    false,
    true,
    false,
    false,
    true,
  ]);
});

describe('a host', () => {
  const plain = { encapsulated: false };

  test.each(['classic', 'current'] as const)('of %s has cgroup v1, as all of stock Mesos', (name) => {
    expect(needs(channels[name], plain).cgroups).toEqual(['v1']);
  });

  test('with an old Docker has cgroup v1; with clusterd v2; with both nothing fits', () => {
    const old = override(channels.current, { docker: { version: '19.03.15' } });
    expect(needs(old, plain).cgroups).toEqual(['v1']);
    const clusterd = override(channels.current, { mesos: { version: '1.11.0-0.9.0' } });
    expect(needs(clusterd, plain).cgroups).toEqual(['v2']);
    const both = override(old, { mesos: { version: '1.11.0-0.9.0' } });
    expect(needs(both, plain).cgroups).toEqual([]);
  });

  test('has the modules that calicoctl checks for, and the tunnel where a pool is wrapped', () => {
    expect(needs(channels.classic, plain).modules).toEqual(['ip6_tables', 'xt_set']);
    expect(needs(channels.classic, { ...plain, encapsulated: true }).modules).toEqual(['ip6_tables', 'xt_set', 'ipip']);
  });

  test('filters reverse paths strictly, since this Felix cannot be told otherwise', () => {
    const { sysctls, looseRpf } = needs(channels.classic, plain);
    expect(looseRpf).toBe(false);
    expect(sysctls).toMatchObject({ 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.default.rp_filter': 1 });
    expect(needs(channels.current, plain).looseRpf).toBe(true);
  });

  test('has an etcd with the v2 API and a Docker with a cluster store', () => {
    for (const channel of Object.values(channels)) {
      const { etcd, docker } = needs(channel, plain);
      expect(etcd.api).toBe('v2');
      expect(docker.below).toBe('23.0');
    }
    expect(needs(channels.classic, plain).etcd.flags).toEqual([]);
    expect(needs(channels.current, plain).etcd.flags).toEqual(['--enable-v2=true']);
  });
});
