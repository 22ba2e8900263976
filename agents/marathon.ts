/**
 * Marathon on each master, one of them leading. Both its images take its flags as the arguments of the container; that
 * they can be pulled is not proved here.
 */
import { mesosPath, ports, zookeeperUrl } from '../modules/node/members.ts';
import type { NodeAgent } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { image } from '../modules/release/artifact.ts';
import { dockerProgram, exists } from './host.ts';
import { master } from './master.ts';

export const marathon: NodeAgent = (seat) => {
  const own = master(seat);
  if (own === undefined || exists(seat, 'marathon')) return undefined;
  const { release, sources } = seat.cluster;
  return {
    name: 'marathon',
    after: ['base', 'docker', 'zookeeper', 'mesos-master', 'calico-node'],
    units: [
      {
        name: 'marathon.service',
        enable: true,
        content: {
          template: 'marathon/marathon.service',
          with: {
            version: release.software.marathon!.version,
            docker: dockerProgram(seat),
            image: unitWord(image(release, sources, 'marathon')),
            mesos: zookeeperUrl(seat.cluster, mesosPath),
            own: zookeeperUrl(seat.cluster, '/marathon'),
            address: own.address,
            port: ports.marathon,
            driverPort: ports.marathonDriver,
          },
        },
      },
    ],
  };
};
