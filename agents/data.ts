/** Where masters keep what must outlive them: a disk of its own on a cloud, a folder elsewhere. */
import type { Cluster } from '../modules/cluster/cluster.ts';

export const dataFolder = '/var/lib/data';

export function hasDataDisk({ masters: { machine } }: Cluster): boolean {
  return machine.kind === 'cloud' && machine.dataDisk > 0;
}

/**
 * A line of a unit's [Service] that holds it back until the disk is there; empty where there is none. It is retried with
 * the unit, where Requires=data-disk.service would give up for good the first time that the disk comes late.
 */
export const mounted = (cluster: Cluster): string =>
  hasDataDisk(cluster) ? `ExecStartPre=/usr/bin/mountpoint --quiet ${dataFolder}` : '';
