/**
 * mesos-dns on each master: names of tasks. It answers on the host's own address, since 0.0.0.0 would clash with the
 * stub of systemd-resolved at 127.0.0.53. Source of the settings: mesos-dns v0.5, records/config.go.
 */
import { masterAddresses, mesosPath, ports, zookeeperUrl } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { fetchFile, file } from './fetch.ts';
import { onHost } from './host.ts';
import { master } from './master.ts';

const settings = '/etc/mesos-calico/mesos-dns.json';

export const mesosDns: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined) return undefined;
  const { cluster } = seat;
  const artifact = download(cluster.release, cluster.sources, 'mesos-dns');
  return {
    name: 'mesos-dns',
    after: ['base', 'zookeeper', 'mesos-master'],
    ...onHost(seat, { downloads: [file('mesos-dns', artifact, '/opt/bin/mesos-dns')] }),
    files: [
      {
        path: settings,
        restarts: ['mesos-dns.service'],
        content: {
          json: {
            zk: zookeeperUrl(cluster, mesosPath),
            masters: masterAddresses(cluster).map((address) => `${address}:${ports.mesosMaster}`),
            refreshSeconds: 5,
            ttl: 60,
            domain: 'mesos',
            listener: own.address,
            port: ports.dns,
            // An empty list means the host's own resolvers; without it, mesos-dns asks 8.8.8.8.
            resolvers: [],
            timeout: 5,
            externalon: true,
            httpon: true,
            httpport: ports.mesosDns,
            // netinfo first: what Calico gave a task, where any other source names the agent's address.
            IPSources: ['netinfo', 'mesos', 'host'],
          },
        },
      },
    ],
    units: [
      {
        name: 'mesos-dns.service',
        enable: true,
        content: {
          template: 'mesos-dns/mesos-dns.service',
          with: { version: artifact.version, fetch: fetchFile(artifact, '/opt/bin/mesos-dns'), settings },
        },
      },
    ],
  };
};
