/** Which operating system the hosts of a cluster have, where they have a package manager. */
import type { Channel } from '../release/channel.ts';
import { hostOses, usualHostOs, type HostOs, type HostOsName } from '../release/host-os.ts';
import type { Cluster } from './cluster.ts';
import type { Description } from './schema/schema.ts';

/** As a description says it, or as its release has it; undefined on targets without packages. */
export function givenHostOs({ target }: Description, channel: Channel['name']): HostOsName | undefined {
  if (target.hosts) return target.hosts.os ?? usualHostOs(channel);
  if (target.vagrant === undefined) return undefined;
  const { os, box, cgroup } = target.vagrant;
  return known(os ?? (box ? 'other' : usualHostOs(channel)), cgroup, channel);
}

/** Of a completed cluster; undefined on targets without packages. */
export function hostOsOf({ target, release }: Cluster): HostOs | undefined {
  if (target.kind !== 'hosts' && target.kind !== 'vagrant') return undefined;
  return hostOses[known(target.os, target.cgroup, release.name)];
}

/** A box that nobody knows is taken for what boots with its cgroups; the script looks, and refuses another. */
function known(os: string, cgroup: 'v1' | 'v2' | undefined, channel: Channel['name']): HostOsName {
  if (Object.hasOwn(hostOses, os)) return os as HostOsName;
  return cgroup === 'v2' ? 'rocky-9' : usualHostOs(channel);
}
