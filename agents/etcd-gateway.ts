/**
 * etcd at 127.0.0.1:2379 of every agent of the classic channel: its Docker plugin and calico_mesos know one address of etcd
 * only, and would be lost with that one master. It also is what calicoctl asks when sudo has taken its variables away.
 */
import type { Cluster } from '../modules/cluster/cluster.ts';
import { masterAddresses, ports } from '../modules/node/members.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { hasGateway } from '../modules/release/etcd.ts';
import { etcdProgram } from './etcd-program.ts';

/**
 * Host and port for software that takes one address of etcd only: the node's own, which is a member on masters and the
 * gateway on agents; the first master with an etcd that has no gateway.
 */
export const oneEtcd = (cluster: Cluster): string =>
  `${gatewayed(cluster) ? '127.0.0.1' : masterAddresses(cluster)[0]!}:${ports.etcd}`;

/** The unit that has etcd listen on this node's 127.0.0.1: the member of a master, the gateway of an agent; or none. */
export const ownEtcdUnit = ({ cluster, group }: Seat): 'etcd.service' | 'etcd-gateway.service' | undefined =>
  group.role === 'master' ? 'etcd.service' : gatewayed(cluster) ? 'etcd-gateway.service' : undefined;

const gatewayed = ({ release: { software } }: Cluster): boolean =>
  hasGateway(software.etcd?.version ?? '0') && [software['docker-plugin'], software['calico-mesos']].some(Boolean);

export const etcdGateway: NodeAgent = (seat) => {
  const { cluster, group } = seat;
  if (group.role !== 'agent' || !gatewayed(cluster)) return undefined;
  const { version, program, fetch, ...brought } = etcdProgram(seat, ['etcd']);
  return {
    name: 'etcd-gateway',
    after: ['base'],
    ...brought,
    units: [
      {
        name: 'etcd-gateway.service',
        enable: true,
        content: {
          template: 'etcd-gateway/etcd-gateway.service',
          with: {
            version,
            fetch,
            program,
            listen: oneEtcd(cluster),
            members: masterAddresses(cluster)
              .map((address) => `${address}:${ports.etcd}`)
              .join(','),
          },
        },
      },
    ],
  };
};
