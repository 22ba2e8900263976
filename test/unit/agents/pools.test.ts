/** Every kind of pool in every channel on every kind of host that preflight lets through: what its nodes are told. */
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { cluster, command, plans, said, unit, words } from './planned.ts';

type Row = readonly [
  channel: string,
  cgroup: 'v1' | 'v2',
  containerizers: string,
  agents: string,
  launcher: string,
  isolation: string,
  docker: readonly string[],
  cni: readonly string[],
];

const limits = 'cgroups/cpu,cgroups/mem';
const unified = `${limits},filesystem/linux,docker/runtime`;
const netModules = `${unified},com_mesosphere_mesos_NetworkIsolator`;
const first = 'base docker';
const docker = ['client', 'frontend'];
const cni = ['batch'];
/** clusterd, which knows cgroup v2, from an image of one's own. */
const clusterd = 'clusterd';

const rows: readonly Row[] = [
  [
    'classic',
    'v1',
    'docker',
    `${first} etcd-gateway calico-node docker-plugin docker-networks mesos-agent`,
    'linux',
    limits,
    docker,
    [],
  ],
  ['classic', 'v1', 'mesos', `${first} etcd-gateway calico-node net-modules mesos-agent`, 'linux', netModules, [], []],
  [
    'classic',
    'v1',
    'docker,mesos',
    `${first} etcd-gateway calico-node docker-plugin docker-networks net-modules mesos-agent`,
    'linux',
    netModules,
    docker,
    [],
  ],
  [
    'classic',
    'v1',
    'mesos,docker',
    `${first} etcd-gateway calico-node docker-plugin docker-networks net-modules mesos-agent`,
    'linux',
    netModules,
    docker,
    [],
  ],
  ['current', 'v1', 'docker', `${first} calico-node docker-networks mesos-agent`, 'linux', limits, docker, []],
  ['current', 'v1', 'mesos', `${first} calico-node cni mesos-agent`, 'linux', `${unified},network/cni`, [], cni],
  [
    'current',
    'v1',
    'docker,mesos',
    `${first} calico-node docker-networks cni mesos-agent`,
    'linux',
    `${unified},network/cni`,
    docker,
    cni,
  ],
  [
    'current',
    'v1',
    'mesos,docker',
    `${first} calico-node docker-networks cni mesos-agent`,
    'linux',
    `${unified},network/cni`,
    docker,
    cni,
  ],
  [clusterd, 'v2', 'docker', `${first} calico-node docker-networks mesos-agent`, 'linux', limits, docker, []],
  [clusterd, 'v2', 'mesos', `${first} calico-node cni mesos-agent`, 'linux', `${unified},network/cni`, [], cni],
  [
    clusterd,
    'v2',
    'docker,mesos',
    `${first} calico-node docker-networks cni mesos-agent`,
    'linux',
    `${unified},network/cni`,
    docker,
    cni,
  ],
  [
    clusterd,
    'v2',
    'mesos,docker',
    `${first} calico-node docker-networks cni mesos-agent`,
    'linux',
    `${unified},network/cni`,
    docker,
    cni,
  ],
];

function described(channel: string, cgroup: string, containerizers: string): Cluster {
  const offered = containerizers.split(',');
  const networks = Object.entries({ client: 'docker', batch: 'mesos', frontend: 'docker' })
    .filter(([, containerizer]) => offered.includes(containerizer))
    .map(([name, containerizer]) => [name, { containerizer }]);
  return cluster(
    'aws',
    {
      release:
        channel === clusterd
          ? { channel: 'current', override: { mesos: { version: '1.11.0-0.9.0', image: 'you/mesos:1.11.0-0.9.0' } } }
          : channel,
      agents: { general: { count: 2, containerizers: offered } },
      networks: Object.fromEntries(networks),
    },
    { os: cgroup === 'v1' ? 'flatcar-lts' : 'flatcar-stable' },
  );
}

test.each(rows)(
  '%s on cgroup %s with %s',
  (channel, cgroup, containerizers, agents, launcher, isolation, networks, confs) => {
    const general = plans(described(channel, cgroup, containerizers)).get('general')!;
    expect(general.agents.join(' ')).toBe(agents);

    const line = command(unit(general, 'mesos-agent.service'));
    const flag = (name: string): string | undefined =>
      line.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
    expect([flag('containerizers'), flag('launcher'), flag('isolation')]).toEqual([
      containerizers,
      launcher,
      isolation,
    ]);
    expect(flag('entrypoint')).toBe(channel === 'classic' ? 'mesos-slave' : 'mesos-agent');

    const made = general.units.find(({ name }) => name === 'docker-networks.service')?.content;
    expect(made === undefined ? [] : words(said(made, 'ExecStart')[0]!).slice(3)).toEqual(networks);
    const paths = general.files.flatMap(({ path }) => /^\/etc\/cni\/net\.d\/(.*)\.conf$/.exec(path)?.[1] ?? []);
    expect(paths).toEqual(confs);
  },
);

describe('the table leaves out only what preflight refuses', () => {
  const channels = ['classic', 'current', clusterd];
  const kinds = ['docker', 'mesos', 'docker,mesos', 'mesos,docker'];
  const missing = channels.flatMap((channel) =>
    ['v1', 'v2'].flatMap((cgroup) =>
      kinds
        .filter((kind) => !rows.some((row) => row[0] === channel && row[1] === cgroup && row[2] === kind))
        .map((kind) => [channel, cgroup, kind] as const),
    ),
  );
  test.each(missing)('%s on cgroup %s with %s', (channel, cgroup, containerizers) => {
    expect(() => described(channel, cgroup, containerizers)).toThrow(/mesos-needs-cgroup-v[12]/);
  });
});
