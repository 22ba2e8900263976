/**
 * What calico-node finds in etcd when it first starts: Felix' settings, the AS number, and last the IP pools with their
 * encapsulation and address translation, since calico-node waits for them. A pool that Calico makes by itself has neither,
 * and up to v0.20 a pool that is changed later has no effect until calico-node starts again.
 *
 * Every master does it on every start, and finds it done. Sources: libcalico's pycalico/datastore.py, calicoctl v1.6.
 * That calicoctl v0.x, an x86_64 binary of 2016, starts on Flatcar is not proved here.
 */
import type { Calico, Cluster, IpPool } from '../modules/cluster/cluster.ts';
import type { FileSpec } from '../modules/node/fragment.ts';
import { ports } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { etcdVariables, felixKnowsLooseRpf } from '../modules/release/calico.ts';
import { fetchFile, file } from './fetch.ts';
import { exists, onHost } from './host.ts';
import { master } from './master.ts';

const calicoctl = '/opt/bin/calicoctl';
const poolFile = '/etc/mesos-calico/ip-pools.json';

export const calicoConfig: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined || exists(seat, 'calico')) return undefined;
  const { cluster } = seat;
  const { release, calico } = cluster;
  const etcd = `http://${own.address}:${ports.etcd}`;
  const commands = [
    ...felixSettings(cluster).map(
      ([name, value]) => `/opt/mesos-calico/etcd-set ${etcd} /calico/v1/config/${name} ${value}`,
    ),
    ...(calico.asNumber === release.asNumber ? [] : [asNumber[release.name](calico.asNumber)]),
    ...pools[release.name](calico),
  ];
  return {
    name: 'calico-config',
    after: ['base', 'etcd'],
    files: [
      { path: '/opt/mesos-calico/etcd-set', mode: 0o755, content: { template: 'calico-config/etcd-set.sh' } },
      ...(release.name === 'current' ? [poolResources(calico)] : []),
    ],
    ...onHost(seat, { downloads: [file('calicoctl', download(release, cluster.sources, 'calicoctl'), calicoctl)] }),
    units: [
      {
        name: 'calico-config.service',
        enable: true,
        content: {
          template: 'calico-config/calico-config.service',
          with: {
            version: release.calico,
            // The local member alone: it is the one that etcd-set has seen working.
            environment: etcdVariables(release.software.calicoctl!.version, [etcd])
              .map(([name, value]) => `Environment=${name}=${value}`)
              .join('\n'),
            fetch: fetchFile(download(release, cluster.sources, 'calicoctl'), calicoctl),
            commands: commands.map((command) => `ExecStart=${command}`).join('\n'),
          },
        },
      },
    ],
  };
};

/** Felix' settings in etcd; which of them a version does not know, it passes over. */
function felixSettings({ release, calico }: Cluster): readonly (readonly [name: string, value: string | number])[] {
  return [
    ['UsageReportingEnabled', 'false'],
    ...(felixKnowsLooseRpf(release.calico) ? [['IgnoreLooseRPF', 'true'] as const] : []),
    // The tunnel's own, which is what a task may send without being cut.
    ...(calico.ipPools.some(wrapped) ? [['IpInIpMtu', calico.mtu] as const] : []),
  ];
}

const wrapped = (pool: IpPool): boolean => pool.encapsulation !== 'none';

const asNumber = {
  classic: (number: number) => `${calicoctl} bgp default-node-as ${number}`,
  current: (number: number) => `${calicoctl} config set asNumber ${number}`,
};

const pools = {
  classic: ({ ipPools }: Calico) =>
    ipPools.map((pool) =>
      [calicoctl, 'pool', 'add', pool.cidr, wrapped(pool) && '--ipip', pool.natOutgoing && '--nat-outgoing']
        .filter((word) => word !== false)
        .join(' '),
    ),
  current: () => [`${calicoctl} apply --filename=${poolFile}`],
};

/** Resources of calicoctl v1.x. */
function poolResources({ ipPools }: Calico): FileSpec {
  const modes = { none: undefined, ipip: 'always', 'ipip-cross-subnet': 'cross-subnet' };
  return {
    path: poolFile,
    content: {
      json: ipPools.map((pool) => {
        const mode = modes[pool.encapsulation];
        return {
          apiVersion: 'v1',
          kind: 'ipPool',
          metadata: { cidr: pool.cidr },
          spec: { ...(mode !== undefined && { ipip: { enabled: true, mode } }), 'nat-outgoing': pool.natOutgoing },
        };
      }),
    },
  };
}
