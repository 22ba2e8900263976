/**
 * The Docker networks of the cluster, made by whichever agent comes first: the plugin's networks are global, so one that is
 * made on any agent is there on all. Both drivers are named: with Docker's own IPAM, containers would get a second network,
 * docker_gwbridge, past all policy.
 */
import { etcdEndpoints } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { dockerVariable, hostOs } from './host.ts';
import { networksOf } from './networks.ts';

const asker = '/opt/mesos-calico/ask-plugin';

/** How the script asks whether the plugin is there. curl knows sockets of files since 7.40, and EL 7 has 7.29. */
const byCurl = `curl --silent --fail --noproxy '*' --max-time 5 --unix-socket "$socket" --request POST \\
    http://plugin/Plugin.Activate`;
const byPython = `${asker} "$socket"`;

export const dockerNetworks: NodeAgent = (seat) => {
  const { cluster, group } = seat;
  const networks = networksOf(cluster, 'docker');
  if (!group.containerizers.includes('docker') || networks.length === 0) return undefined;
  const old = hostOs(seat)?.major === '7';
  const plugin = cluster.release.software['docker-plugin'] === undefined ? '' : ' docker-plugin.service';
  return {
    name: 'docker-networks',
    after: ['docker', 'calico-node', 'docker-plugin'],
    files: [
      {
        path: '/opt/mesos-calico/docker-networks',
        mode: 0o755,
        content: { template: 'docker-networks/docker-networks.sh', with: { activate: old ? byPython : byCurl } },
      },
      ...(old ? [{ path: asker, mode: 0o755, content: { template: 'docker-networks/ask-plugin.py' } as const }] : []),
    ],
    units: [
      {
        name: 'docker-networks.service',
        enable: true,
        content: {
          template: 'docker-networks/docker-networks.service',
          with: {
            plugin,
            environment: dockerVariable(seat),
            endpoints: etcdEndpoints(cluster).join(','),
            ipam: cluster.release.docker.ipamDriver,
            networks: networks.join(' '),
          },
        },
      },
    ],
  };
};
