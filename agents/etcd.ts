/** etcd on each master: the datastore of Calico and of Docker's networks, a cluster of all masters, with the v2 API on. */
import { masters, ports } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { download } from '../modules/release/artifact.ts';
import { etcdFlags } from '../modules/release/etcd.ts';
import { dataFolder, mounted } from './data.ts';
import { fetchTar } from './fetch.ts';
import { master } from './master.ts';

export const etcd: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined) return undefined;
  const { cluster } = seat;
  const artifact = download(cluster.release, cluster.sources, 'etcd');
  const folder = `etcd-v${artifact.version.replace(/^v/, '')}-linux-amd64`;
  return {
    name: 'etcd',
    after: ['base', 'data-disk'],
    units: [
      {
        name: 'etcd.service',
        enable: true,
        content: {
          template: 'etcd/etcd.service',
          with: {
            version: artifact.version,
            name: own.name,
            address: own.address,
            clientPort: ports.etcd,
            peerPort: ports.etcdPeer,
            members: masters(cluster)
              .map(({ name, address }) => `${name}=http://${address}:${ports.etcdPeer}`)
              .join(','),
            token: cluster.name,
            data: dataFolder,
            mounted: mounted(cluster),
            fetch: fetchTar(artifact, '/opt/bin', [`${folder}/etcd`, `${folder}/etcdctl`]),
            flags: etcdFlags(artifact.version)
              .map((flag) => ` \\\n  ${flag}`)
              .join(''),
          },
        },
      },
    ],
  };
};
