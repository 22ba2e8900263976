/**
 * ZooKeeper on each master, one ensemble: it elects the leading Mesos master and Marathon. Runs from the official image,
 * whose entry point makes the configuration from ZOO_ variables; that it still can be pulled is not proved here.
 */
import { masters, ports } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { compare } from '../modules/release/version.ts';
import { dataFolder, mounted } from './data.ts';
import { master } from './master.ts';

/** 3.5 moved the port of clients into each server's line. Source: ZooKeeper's page on dynamic reconfiguration. */
const clientPortPerServer = '3.5';

export const zookeeper: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined) return undefined;
  const { cluster } = seat;
  const version = cluster.release.software.zookeeper!.version;
  const all = masters(cluster);
  const client = compare(version, clientPortPerServer) < 0 ? '' : `;${ports.zookeeper}`;
  const servers = all.map(
    ({ address }, index) => `server.${index + 1}=${address}:${ports.zookeeperPeer}:${ports.zookeeperElection}${client}`,
  );
  return {
    name: 'zookeeper',
    after: ['base', 'data-disk', 'docker'],
    units: [
      {
        name: 'zookeeper.service',
        enable: true,
        content: {
          template: 'zookeeper/zookeeper.service',
          with: {
            version,
            id: own.number,
            servers: unitWord(`ZOO_SERVERS=${servers.join(' ')}`),
            alone: String(all.length === 1),
            image: unitWord(image(cluster.release, cluster.sources, 'zookeeper')),
            data: dataFolder,
            mounted: mounted(cluster),
          },
        },
      },
    ],
  };
};
