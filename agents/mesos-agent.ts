/**
 * The Mesos agent of every agent node, in a container that sees the host's processes, network and cgroups. Everything is
 * said by flags, as to the master: an agent refuses a flag that it does not know. On cgroup v1 its executors are processes
 * of that container: when the agent stops, its tasks stop, and Marathon starts them anew. That they end with clusterd on
 * cgroup v2, too, is not proved. No image was tried here.
 */
import type { FileSpec } from '../modules/node/fragment.ts';
import { etcdEndpoints, mesosPath, ports, zookeeperUrl } from '../modules/node/members.ts';
import { taskPorts } from '../modules/node/ports.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { dockerOnCgroup2 } from '../modules/release/docker.ts';
import { isolation, netModules } from '../modules/release/isolation.ts';
import { agentProgram } from '../modules/release/mesos.ts';
import { compare } from '../modules/release/version.ts';
import { cniFolders, hasCni } from './cni.ts';
import { continued } from './continued.ts';
import { oneEtcd } from './etcd-gateway.ts';
import { hasNetModules, netModulesFolder, netModulesGuard, netModulesSweep } from './net-modules.ts';
import { networksOf } from './networks.ts';

/** A zone that only the machine itself knows, as the unit spells it, and where it is written down: `ZONE=us-west-2a`. */
const learnt = '${ZONE}';
const zoneFile = '/run/mesos-calico/zone.env';

/** The host's authorities in one file, and where curl of Debian and Ubuntu looks for them, after whom the images are made. */
const authorities = '/etc/ssl/certs/ca-certificates.crt';

export const mesosAgent: NodeAgent = (seat) => {
  const { cluster, group } = seat;
  if (group.role !== 'agent') return undefined;
  const { kind } = cluster.target;
  const zone = zoneOf(seat);
  const before = [...providers(seat)].map((name) => ` ${name}.service`).join('');
  return {
    name: 'mesos-agent',
    after: ['base', 'docker', 'etcd-gateway', 'calico-node', 'docker-plugin', 'docker-networks', 'net-modules', 'cni'],
    files: [
      ...(zone === learnt ? [script('zone')] : []),
      ...(group.containerizers.includes('docker') ? [script('stop-tasks')] : []),
    ],
    units: [
      {
        name: 'mesos-agent.service',
        enable: true,
        content: {
          template: 'mesos-agent/mesos-agent.service',
          with: {
            version: cluster.release.mesos,
            pool: group.pool,
            before,
            environment: [
              ...(zone === learnt ? [`EnvironmentFile=-${zoneFile}`] : []),
              ...(proxied(seat) ? ['EnvironmentFile=-/etc/mesos-calico/proxy.env'] : []),
            ].join('\n'),
            guards: guards(seat)
              .map((command) => `ExecStartPre=${command}`)
              .join('\n'),
            learn: zone === learnt ? `ExecStartPre=/opt/mesos-calico/zone ${kind} ${zoneFile}` : '',
            sweep: hasNetModules(seat)
              ? `ExecStartPre=-${netModulesSweep} ${oneEtcd(cluster)} ${etcdEndpoints(cluster).join(',')}`
              : '',
            stop: group.containerizers.includes('docker') ? 'ExecStopPost=-/opt/mesos-calico/stop-tasks' : '',
            image: unitWord(image(cluster.release, cluster.sources, 'mesos')),
            options: continued(options(seat)),
            flags: continued(flags(seat, zone)),
          },
        },
      },
    ],
  };
};

const script = (name: string): FileSpec => ({
  path: `/opt/mesos-calico/${name}`,
  mode: 0o755,
  content: { template: `mesos-agent/${name}.sh` },
});

/** A zone that the plan knows, one that the machine learns, or none at all: hosts of one's own have no zones. */
function zoneOf({ cluster, group }: Seat): string | undefined {
  const pool = cluster.agents[group.pool]?.machine;
  if (pool?.kind !== 'cloud') return group.zone;
  return group.zone ?? (pool.zones.length === 1 ? pool.zones[0]! : learnt);
}

/** What gives tasks their networks: it has its first try before the agent offers anything, and outlives it at shutdown. */
function* providers(seat: Seat): Generator<string> {
  const { release } = seat.cluster;
  if (seat.group.containerizers.includes('docker')) {
    if (release.software['docker-plugin'] !== undefined) yield 'docker-plugin';
    if (networksOf(seat.cluster, 'docker').length > 0) yield 'docker-networks';
  }
  if (hasNetModules(seat)) yield 'net-modules';
  if (hasCni(seat)) yield 'cni';
}

/** What must be there, or the agent does not start. */
const guards = (seat: Seat): readonly string[] => [
  ...(hasNetModules(seat) ? [netModulesGuard] : []),
  ...(hasCni(seat)
    ? ['calico', 'calico-ipam'].map((program) => `/usr/bin/test -x ${cniFolders.programs}/${program}`)
    : []),
];

/** Whether the agent itself fetches images from outside: the Unified Containerizer does, Docker has its own proxy. */
const proxied = ({ cluster, group }: Seat): boolean =>
  // Mesos 0.28 would hand the variables on to every task, and a task that asked a proxy for another would not find it.
  cluster.sources.proxy !== undefined &&
  group.containerizers.includes('mesos') &&
  compare(cluster.release.mesos, '1.0') >= 0;

/** Options of `docker run`. Mounts below the two folders of Mesos must be seen by host and container alike. */
function options(seat: Seat): readonly string[] {
  const { cluster, group, material } = seat;
  const same = (path: string, mode = ''): string => `--volume=${path}:${path}${mode}`;
  return [
    ...(compare(cluster.release.docker.version, dockerOnCgroup2) >= 0 ? ['--cgroupns=host'] : []),
    `--entrypoint=${agentProgram(cluster.release.mesos)}`,
    same('/sys'),
    same('/sys/fs/cgroup'),
    same('/var/lib/mesos', ':rshared'),
    same('/var/run/mesos', ':rshared'),
    ...(group.containerizers.includes('docker') ? [same('/var/run/docker.sock'), same('/opt/bin/docker', ':ro')] : []),
    ...(hasCni(seat) ? [same(cniFolders.programs, ':ro'), same(cniFolders.networks, ':ro')] : []),
    ...(hasNetModules(seat)
      ? [
          same(netModulesFolder, ':ro'),
          same('/var/log/calico'),
          // calico_mesos knows what its agent's environment says, and one address of etcd only.
          `--env=ETCD_AUTHORITY=${oneEtcd(cluster)}`,
          '--env=ETCD_SCHEME=http',
        ]
      : []),
    // The Unified Containerizer pulls with the curl of the agent's image; Docker pulls on the host.
    ...(material.caBundle !== undefined && group.containerizers.includes('mesos') ? [same(authorities, ':ro')] : []),
    ...(proxied(seat) ? ['http_proxy', 'https_proxy', 'no_proxy'].map((name) => `--env=${name}`) : []),
  ];
}

/** Flags that follow the description; the template has those that are always the same. */
function flags(seat: Seat, zone: string | undefined): readonly string[] {
  const { cluster, group } = seat;
  const { release } = cluster;
  const { launcher, isolators } = isolation(release, group.containerizers);
  const known: readonly (readonly [flag: string, value: string])[] = [
    ['master', zookeeperUrl(cluster, mesosPath)],
    ['port', String(ports.mesosAgent)],
    ['resources', `ports:[${taskPorts.join('-')}]`],
    ['containerizers', group.containerizers.join(',')],
    ['launcher', launcher],
    ['isolation', isolators.join(',')],
    ...(group.containerizers.includes('docker') ? [['docker', '/opt/bin/docker'] as const] : []),
    ...(group.containerizers.includes('mesos')
      ? [['image_providers', 'docker'] as const, ['docker_store_dir', '/var/lib/mesos/store/docker'] as const]
      : []),
    ...(hasCni(seat)
      ? [
          ['network_cni_plugins_dir', cniFolders.programs] as const,
          ['network_cni_config_dir', cniFolders.networks] as const,
        ]
      : []),
    ...(hasNetModules(seat)
      ? [['modules', `file://${netModulesFolder}/modules.json`] as const, ['hooks', netModules.hook] as const]
      : []),
  ];
  const place = zone === undefined ? '' : `;zone:${zone}`;
  return [`"--attributes=pool:${group.pool}${place}"`, ...known.map(([flag, value]) => unitWord(`--${flag}=${value}`))];
}
