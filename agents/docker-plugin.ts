/**
 * Calico's Docker plugin of the classic channel, in a container of its own beside calico-node. It speaks for the network
 * driver and the IPAM driver `calico` on one socket. That its image can be pulled and runs today is not proved here.
 */
import { etcdEndpoints } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { oneEtcd } from './etcd-gateway.ts';
import { dockerProgram, exists } from './host.ts';

export const dockerPlugin: NodeAgent = (seat) => {
  const { cluster, group } = seat;
  const { release, sources } = cluster;
  const plugin = release.software['docker-plugin'];
  if (plugin === undefined || exists(seat, 'calico') || !group.containerizers.includes('docker')) return undefined;
  return {
    name: 'docker-plugin',
    after: ['docker', 'etcd-gateway', 'calico-node'],
    units: [
      {
        name: 'docker-plugin.service',
        enable: true,
        content: {
          template: 'docker-plugin/docker-plugin.service',
          with: {
            version: plugin.version,
            docker: dockerProgram(seat),
            image: unitWord(image(release, sources, 'docker-plugin')),
            endpoints: etcdEndpoints(cluster).join(','),
            etcd: oneEtcd(cluster),
          },
        },
      },
    ],
  };
};
