/** Names, tags and labels on Google Cloud, where names of one kind are unique in a project or in a region of it. */
import type { Cluster, GceTarget } from '../cluster/cluster.ts';

/** A cluster that is to stand on Google Cloud. */
export type GceCluster = Cluster & { readonly target: GceTarget };

type Role = 'master' | 'agent';

/** The cluster's name before the name of one of its parts. */
export const nameOf = ({ name }: Cluster, part: string): string => `${name}-${part}`;

/** Network tags, by which firewall rules know machines: no two clusters of a project have one in common. */
export const tagOf = ({ name }: Cluster, who: Role | 'node'): string => `${name}-${who}`;

/** The tags of a machine. */
export const tagsOf = (cluster: Cluster, role: Role): string[] => [tagOf(cluster, 'node'), tagOf(cluster, role)];

/** The description's labels, and who a machine is. */
export const labelsOf = ({ name, target }: GceCluster, role: Role, pool?: string): Record<string, string> => ({
  ...target.labels,
  cluster: name,
  role,
  ...(pool !== undefined && { pool }),
});

/** The provider puts 26 characters behind a prefix, less and no longer surely unique ones where that is past 63. */
const longestPrefix = 37;

/** The beginning of the names of a pool's templates, of which there are two while one takes the place of the other. */
export const templatePrefix = (cluster: Cluster, pool: string): string =>
  `${nameOf(cluster, pool).slice(0, longestPrefix - 1)}-`;
