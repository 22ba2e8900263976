/** Names and tags on AWS. */
import type { AwsTarget, Cluster } from '../cluster/cluster.ts';

/** A cluster that is to stand on AWS. */
export type AwsCluster = Cluster & { readonly target: AwsTarget };

/** The cluster's name before the name of one of its parts. */
export const nameOf = ({ name }: Cluster, part: string): string => `${name}-${part}`;

/** Tags of everything in the stack; the provider puts them on all that it makes itself. */
export const commonTags = ({ name, target }: AwsCluster): Record<string, string> => ({ ...target.tags, cluster: name });

/** What one part of the cluster has on top: the column that consoles show, and who it is. */
export const tagsOf = (
  cluster: Cluster,
  part: string,
  role?: 'master' | 'agent',
  pool?: string,
): Record<string, string> => ({
  Name: nameOf(cluster, part),
  ...(role !== undefined && { role }),
  ...(pool !== undefined && { pool }),
});
