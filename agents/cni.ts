/**
 * Calico's CNI plugin for the Unified Containerizer of Mesos 1.x: two programs, and a file per network. Networks are read
 * when the agent of Mesos starts, so a new one needs a restart of it. That Mesos gives a task its network through them was
 * not tried here.
 */
import { etcdEndpoints } from '../modules/node/members.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { fetchFile, file } from './fetch.ts';
import { mesosAgentUnit, onHost } from './host.ts';
import { networksOf } from './networks.ts';

/** Where the agent of Mesos finds programs and networks. */
export const cniFolders = { programs: '/opt/cni/bin', networks: '/etc/cni/net.d' } as const;

/** Whether this node's Unified Containerizer has its networks from CNI. */
export const hasCni = ({ cluster, group }: Seat): boolean =>
  cluster.release.unified.via === 'cni' && group.containerizers.includes('mesos');

export const cni: NodeAgent = (seat) => {
  if (!hasCni(seat)) return undefined;
  const { cluster } = seat;
  const { release, sources, calico } = cluster;
  const plugin = download(release, sources, 'cni');
  return {
    name: 'cni',
    after: ['base', 'calico-node'],
    files: networksOf(cluster, 'mesos').map((name) => ({
      path: `${cniFolders.networks}/${name}.conf`,
      restarts: [mesosAgentUnit(seat)],
      content: {
        json: {
          name,
          // The guides of Calico v2.x keep to this one on purpose: newer values were taken back.
          cniVersion: '0.1.0',
          type: 'calico',
          etcd_endpoints: etcdEndpoints(cluster).join(','),
          mtu: calico.mtu,
          ipam: { type: 'calico-ipam' },
        },
      },
    })),
    ...onHost(seat, {
      downloads: [
        file('CNI plugin', plugin, `${cniFolders.programs}/calico`),
        file('CNI plugin for addresses', download(release, sources, 'cni-ipam'), `${cniFolders.programs}/calico-ipam`),
      ],
    }),
    units: [
      {
        name: 'cni.service',
        enable: true,
        content: {
          template: 'cni/cni.service',
          with: {
            version: plugin.version,
            plugin: fetchFile(plugin, `${cniFolders.programs}/calico`),
            ipam: fetchFile(download(release, sources, 'cni-ipam'), `${cniFolders.programs}/calico-ipam`),
          },
        },
      },
    ],
  };
};
