/**
 * mesos-master on each master. Its registry is a log replicated to a majority of the masters. Everything is said by flags:
 * a master refuses a flag that it does not know, and passes over a variable in silence. On hosts with packages flags are files, as
 * everybody has them there. Tried with no image here.
 */
import { masterAddresses, mesosPath, ports, zookeeperUrl } from '../modules/node/members.ts';
import type { Fragment } from '../modules/node/fragment.ts';
import type { NodeAgent, Seat } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { dataFolder, mounted } from './data.ts';
import { exists, hostOs } from './host.ts';
import { master, type Master } from './master.ts';
import { flagFiles, mesosPackage, mesosStart } from './mesos-host.ts';

/** More than half of so many. */
export const majority = (count: number): number => Math.floor(count / 2) + 1;

export const mesosMaster: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined || exists(seat, 'mesos')) return undefined;
  if (hostOs(seat) !== undefined) return onPackages(seat, own);
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

function onPackages(seat: Seat, own: Master): Fragment {
  const { cluster } = seat;
  const restarts = ['mesos-master.service'];
  return {
    name: 'mesos-master',
    after: ['base', 'zookeeper'],
    packages: [mesosPackage(cluster)],
    files: [
      mesosStart,
      { path: '/etc/mesos/zk', restarts, content: { lines: [zookeeperUrl(cluster, mesosPath)] } },
      ...flagFiles('/etc/mesos-master', restarts, [
        ['quorum', String(majority(masterAddresses(cluster).length))],
        ['registry', 'replicated_log'],
        ['work_dir', `${dataFolder}/mesos-master`],
        ['ip', own.address],
        ['port', String(ports.mesosMaster)],
        ['hostname', own.address],
        ['cluster', cluster.name],
      ]),
    ],
    units: [
      {
        name: 'mesos-master.service',
        enable: true,
        content: {
          template: 'mesos-host/master.service',
          with: { version: cluster.release.mesos, data: dataFolder },
        },
      },
    ],
  };
}
