import type { Cluster } from '../modules/cluster/cluster.ts';
import type { Containerizer } from '../modules/release/channel.ts';

/** Names of the networks of one containerizer, in the order of the description. */
export const networksOf = ({ networks }: Cluster, containerizer: Containerizer): readonly string[] =>
  Object.values(networks)
    .filter((network) => network.containerizer === containerizer)
    .map(({ name }) => name);
