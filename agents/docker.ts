/**
 * Docker on every node. On Flatcar a static build in /opt/bin with a unit of its own, in place of the Docker of Flatcar, which has no
 * external key-value store any more; elsewhere a package that is held, with its own unit. On agents that offer the Docker Containerizer the store is the masters' etcd, in
 * which networks of Calico's plugin are kept for all of them. What a static build holds was not compared with a download.
 */
import { masterAddresses, ports } from '../modules/node/members.ts';
import type { Fragment } from '../modules/node/fragment.ts';
import type { PackageSpec } from '../modules/node/host.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { dockerCommand } from '../modules/release/docker.ts';
import type { HostOs } from '../modules/release/host-os.ts';
import { staticPrograms } from '../modules/release/static-docker.ts';
import { compare } from '../modules/release/version.ts';
import { fetchTar } from './fetch.ts';
import { exists, hostOs } from './host.ts';

const settings = '/etc/docker/daemon.json';

/** What Docker remembers of the networks of its host from one start to the next. */
const endpoints = '/var/lib/docker/network/files/local-kv.db';
const forget = '/opt/mesos-calico/forget-endpoints';

/** First Docker whose containers can go on while the daemon is down. */
const liveRestore = '1.12';

export const docker: NodeAgent = (seat) => {
  const os = hostOs(seat);
  if (os !== undefined) return onPackages(seat, os);
  const { cluster, group } = seat;
  const plugged = group.containerizers.includes('docker');
  const artifact = download(cluster.release, cluster.sources, 'docker');
  const programs = staticPrograms(artifact.version).map((program) => `docker/${program}`);
  return {
    name: 'docker',
    after: ['base'],
    files: [
      {
        path: settings,
        content: {
          json: { hosts: ['unix:///var/run/docker.sock'], group: 'docker', ...daemon(seat, artifact.version) },
        },
      },
      ...(plugged ? [{ path: forget, mode: 0o755, content: { template: 'docker/forget-endpoints.sh' } }] : []),
    ],
    units: [
      {
        name: 'docker.service',
        enable: true,
        content: {
          template: 'docker/docker.service',
          with: {
            version: artifact.version,
            fetch: fetchTar(artifact, '/opt/bin', programs),
            forget: plugged ? `ExecStartPre=${forget} ${endpoints}` : '',
            command: dockerCommand(artifact.version).join(' '),
            settings,
          },
        },
      },
      // The Docker of Flatcar starts by it, on whatever touches /var/run/docker.sock first.
      { name: 'docker.socket', mask: true },
      // Ours starts its own: another would end before it at shutdown, and might change under containers that run.
      { name: 'containerd.service', mask: true },
    ],
  };
};

/**
 * Everything that can be said in the file is said there, and nothing twice: Docker refuses a setting that it finds in both
 * places. `--cluster-advertise` is left out: Calico's networks need none, and it would have to wait for an address.
 */
function daemon({ cluster, group }: Seat, version: string) {
  const members = masterAddresses(cluster).map((address) => `${address}:${ports.etcd}`);
  return {
    'log-driver': 'json-file',
    'log-opts': { 'max-size': '20m', 'max-file': '5' },
    // The plugin runs in a container: a daemon that stopped it with all others would wait for it when it starts again.
    ...(compare(version, liveRestore) >= 0 && { 'live-restore': true }),
    ...(group.containerizers.includes('docker') && { 'cluster-store': `etcd://${members.join(',')}` }),
  };
}

/** On a host with packages, or with a Docker that was there before: settings are added, and the rest is left as it is. */
function onPackages(seat: Seat, os: HostOs): Fragment {
  const { version } = seat.cluster.release.docker;
  const plugged = seat.group.containerizers.includes('docker');
  const hold = true as const;
  const packages: readonly PackageSpec[] = [
    ...[os.docker.package, ...os.docker.same].map((name) => ({ name, version, hold })),
    ...os.docker.also.map((name) => ({ name, hold })),
    ...os.docker.needs.map((name) => ({ name })),
  ];
  return {
    name: 'docker',
    after: ['base'],
    ...(!exists(seat, 'docker') && { packages }),
    files: [
      {
        path: settings,
        content: { json: daemon(seat, version) },
        // Options of one log driver stop Docker with another.
        merge: { kind: 'json', must: ['cluster-store', 'live-restore'], together: [['log-driver', 'log-opts']] },
        restarts: ['docker.service'],
      },
      ...(plugged ? [{ path: forget, mode: 0o755, content: { template: 'docker/forget-endpoints.sh' } }] : []),
    ],
    units: [
      {
        name: 'docker.service',
        enable: true,
        dropIns: [
          {
            name: '50-mesos-calico.conf',
            content: {
              template: 'docker/host.conf',
              with: { forget: plugged ? `ExecStartPre=${forget} ${endpoints}` : '' },
            },
          },
        ],
      },
    ],
  };
}
