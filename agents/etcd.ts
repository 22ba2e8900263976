/** etcd on each master: the datastore of Calico and of Docker's networks, a cluster of all masters, with the v2 API on. */
import { masters, ports } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { etcdFlags } from '../modules/release/etcd.ts';
import { dataFolder, mounted } from './data.ts';
import { etcdProgram } from './etcd-program.ts';
import { exists, hostOs } from './host.ts';
import { master } from './master.ts';

export const etcd: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined || exists(seat, 'etcd')) return undefined;
  const { cluster } = seat;
  const { version, program, fetch, ...brought } = etcdProgram(seat, ['etcd', 'etcdctl']);
  return {
    name: 'etcd',
    after: ['base', 'data-disk'],
    ...brought,
    units: [
      {
        name: 'etcd.service',
        enable: true,
        content: {
          template: 'etcd/etcd.service',
          with: {
            version,
            name: own.name,
            address: own.address,
            clientPort: ports.etcd,
            peerPort: ports.etcdPeer,
            members: masters(cluster)
              .map(({ name, address }) => `${name}=http://${address}:${ports.etcdPeer}`)
              .join(','),
            token: cluster.name,
            disk: hostOs(seat) === undefined ? ' data-disk.service' : '',
            data: dataFolder,
            mounted: mounted(cluster),
            fetch,
            program,
            flags: etcdFlags(version)
              .map((flag) => ` \\\n  ${flag}`)
              .join(''),
          },
        },
      },
    ],
  };
};
