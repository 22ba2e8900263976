/**
 * The Mesos agent of every agent node, in a container that sees the host's processes, network and cgroups. Everything is
 * said by flags, as to the master: an agent refuses a flag that it does not know. On cgroup v1 its executors are processes
 * of that container: when the agent stops, its tasks stop, and Marathon starts them anew. That they end with clusterd on
 * cgroup v2, too, is not proved. No image was tried here.
 */
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { FileSpec, Fragment } from '../modules/node/fragment.ts';
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
import { exists, hostOs, mesosAgentUnit } from './host.ts';
import { flagFiles, mesosPackage, mesosStart } from './mesos-host.ts';
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
  if (hostOs(seat) !== undefined) return onPackages(seat);
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
  const known: readonly Flag[] = [
    ['master', zookeeperUrl(cluster, mesosPath)],
    ['port', String(ports.mesosAgent)],
    ['resources', `ports:[${taskPorts.join('-')}]`],
    ...networking(seat, group.containerizers.includes('docker') ? [['docker', '/opt/bin/docker']] : []),
  ];
  const place = zone === undefined ? '' : `;zone:${zone}`;
  return [`"--attributes=pool:${group.pool}${place}"`, ...known.map(([flag, value]) => unitWord(`--${flag}=${value}`))];
}

type Flag = readonly [flag: string, value: string];

/** The flags that give tasks of both containerizers their networks, and nothing that an operator might want otherwise. */
function networking(seat: Seat, docker: readonly Flag[] = []): readonly Flag[] {
  const { group, cluster } = seat;
  const { launcher, isolators } = isolation(cluster.release, group.containerizers);
  return [
    ['containerizers', group.containerizers.join(',')],
    ['launcher', launcher],
    ['isolation', isolators.join(',')],
    ...docker,
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
}

/** With packages the agent is no container; one that was there before keeps its own unit, and gets a drop-in. */
function onPackages(seat: Seat): Fragment {
  const { cluster, group } = seat;
  const unit = mesosAgentUnit(seat);
  const there = exists(seat, 'mesos');
  const docker = group.containerizers.includes('docker');
  const values = {
    before: [...providers(seat)].map((name) => ` ${name}.service`).join(''),
    environment: hasNetModules(seat) ? `Environment=ETCD_AUTHORITY=${oneEtcd(cluster)} ETCD_SCHEME=http` : '',
    guards: guards(seat)
      .map((command) => `ExecStartPre=${command}`)
      .join('\n'),
    sweep: hasNetModules(seat)
      ? `ExecStartPre=-${netModulesSweep} ${oneEtcd(cluster)} ${etcdEndpoints(cluster).join(',')}`
      : '',
  };
  const name = 'mesos-agent';
  const after = [
    'base',
    'docker',
    'etcd-gateway',
    'calico-node',
    'docker-plugin',
    'docker-networks',
    'net-modules',
    'cni',
  ];
  const own = flagFiles('/etc/mesos-slave', [unit], networking(seat), there ? unit : undefined);
  if (there) {
    const dropIns = [
      { name: '50-mesos-calico.conf', content: { template: 'mesos-host/agent.conf', with: values } as const },
    ];
    return { name, after, files: own, units: [{ name: unit, enable: true, dropIns }] };
  }
  const stop = docker ? 'ExecStopPost=-/opt/mesos-calico/stop-tasks' : '';
  const { mesos } = cluster.release;
  return {
    name,
    after,
    packages: [mesosPackage(cluster)],
    files: [
      mesosStart,
      ...(docker ? [{ ...script('stop-tasks'), content: { template: 'mesos-host/stop-tasks.sh' } }] : []),
      { path: '/etc/mesos/zk', restarts: [unit], content: { lines: [zookeeperUrl(cluster, mesosPath)] } },
      ...flagFiles('/etc/mesos-slave', [unit], [...alwaysOnHost(seat), ['attributes', `pool:${group.pool}`]]),
      ...own,
    ],
    units: [
      {
        name: unit,
        enable: true,
        content: {
          template: 'mesos-host/agent.service',
          with: { ...values, version: mesos, pool: group.pool, program: agentProgram(mesos), stop },
        },
      },
    ],
  };
}

function alwaysOnHost({ cluster, group: { address = '' } }: Seat): readonly Flag[] {
  return [
    ['ip', address],
    ['advertise_ip', address],
    ['hostname', address],
    ['port', String(ports.mesosAgent)],
    ['resources', `ports:[${taskPorts.join('-')}]`],
    ['work_dir', '/var/lib/mesos'],
    ['fetcher_cache_dir', '/var/lib/mesos/fetch'],
    ['strict', 'false'],
    ['executor_registration_timeout', '5mins'],
    // With cgroup v2 there is no hierarchy for the slice that it would make.
    ...(hostCgroup(cluster) === 'v2' ? [['systemd_enable_support', 'false'] as const] : []),
  ];
}

const hostCgroup = ({ target }: Cluster): 'v1' | 'v2' | undefined =>
  target.kind === 'lab' ? undefined : target.cgroup;
