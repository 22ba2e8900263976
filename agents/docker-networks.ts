/**
 * The Docker networks of the cluster, made by whichever agent comes first: the plugin's networks are global, so one that is
 * made on any agent is there on all. Both drivers are named: with Docker's own IPAM, containers would get a second network,
 * docker_gwbridge, past all policy.
 */
import { etcdEndpoints } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { networksOf } from './networks.ts';

export const dockerNetworks: NodeAgent = ({ cluster, group }) => {
  const networks = networksOf(cluster, 'docker');
  if (!group.containerizers.includes('docker') || networks.length === 0) return undefined;
  const plugin = cluster.release.software['docker-plugin'] === undefined ? '' : ' docker-plugin.service';
  return {
    name: 'docker-networks',
    after: ['docker', 'calico-node', 'docker-plugin'],
    files: [
      {
        path: '/opt/mesos-calico/docker-networks',
        mode: 0o755,
        content: { template: 'docker-networks/docker-networks.sh' },
      },
    ],
    units: [
      {
        name: 'docker-networks.service',
        enable: true,
        content: {
          template: 'docker-networks/docker-networks.service',
          with: {
            plugin,
            endpoints: etcdEndpoints(cluster).join(','),
            ipam: cluster.release.docker.ipamDriver,
            networks: networks.join(' '),
          },
        },
      },
    ],
  };
};
