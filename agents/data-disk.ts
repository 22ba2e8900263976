/** The volume of a master, which holds etcd, ZooKeeper and the Mesos registry and is kept when the machine is replaced. */
import type { NodeAgent } from '../modules/node/plan.ts';
import { unitWord } from '../modules/node/quote.ts';
import { dataFolder, hasDataDisk } from './data.ts';

/**
 * Where the volume may show up. AWS attaches it as /dev/sdf, which is /dev/xvdf on Xen and any NVMe disk on Nitro; on
 * GCE the device is called `data`, and udev of Flatcar links to it by that name [U].
 */
const places = {
  aws: ['/dev/xvdf', '/dev/sdf', '/dev/nvme*n1'],
  gce: ['/dev/disk/by-id/google-data'],
};

/** The volume is attached once the machine exists; it has this long, seconds, before the unit fails and tries again. */
const patience = 300;

export const dataDisk: NodeAgent = ({ cluster, group }) => {
  const { kind } = cluster.target;
  if (group.role !== 'master' || !hasDataDisk(cluster) || (kind !== 'aws' && kind !== 'gce')) return undefined;
  return {
    name: 'data-disk',
    after: ['base'],
    files: [{ path: '/opt/mesos-calico/data-disk', mode: 0o755, content: { template: 'data-disk/data-disk.sh' } }],
    units: [
      {
        name: 'data-disk.service',
        enable: true,
        content: {
          template: 'data-disk/data-disk.service',
          with: { folder: dataFolder, patience, places: places[kind].map(unitWord).join(' ') },
        },
      },
    ],
  };
};
