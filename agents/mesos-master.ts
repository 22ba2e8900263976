/**
 * mesos-master on each master. Its registry is a log replicated to a majority of the masters. Everything is said by flags:
 * a master refuses a flag that it does not know, and passes over a variable in silence. Tried with no image here.
 */
import { masterAddresses, mesosPath, ports, zookeeperUrl } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { dataFolder, mounted } from './data.ts';
import { master } from './master.ts';

/** More than half of so many. */
export const majority = (count: number): number => Math.floor(count / 2) + 1;

export const mesosMaster: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined) return undefined;
  const { cluster } = seat;
  return {
    name: 'mesos-master',
    after: ['base', 'data-disk', 'docker', 'zookeeper'],
    units: [
      {
        name: 'mesos-master.service',
        enable: true,
        content: {
          template: 'mesos-master/mesos-master.service',
          with: {
            version: cluster.release.mesos,
            image: unitWord(image(cluster.release, cluster.sources, 'mesos')),
            zookeeper: zookeeperUrl(cluster, mesosPath),
            quorum: majority(masterAddresses(cluster).length),
            address: own.address,
            port: ports.mesosMaster,
            cluster: cluster.name,
            data: dataFolder,
            mounted: mounted(cluster),
          },
        },
      },
    ],
  };
};
