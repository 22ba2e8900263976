/** The scenarios of test/golden/scenarios: a description in, everything that the kit writes for it out. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCluster } from '../modules/cluster/load.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { readMaterial } from '../modules/cluster/material.ts';
import { boots, type Boot } from '../modules/node/boot.ts';
import { root } from '../modules/root/root.ts';
import { templates } from '../modules/template/read.ts';

const folder = join(root, 'test/golden/scenarios');

/** Names of all scenarios, sorted. */
export const scenarios: readonly string[] = readdirSync(folder).sort();

/** Where the whole tree of a scenario is kept: a folder per group of nodes, and `terraform/`. */
export const treeOf = (name: string): string => join(folder, name, 'tree');

export const clusterOf = (name: string): Cluster => loadCluster(join(folder, name, 'cluster.yaml'));

export function bootsOf(name: string): ReadonlyMap<string, Boot> {
  const cluster = clusterOf(name);
  const { material, problems } = readMaterial(cluster);
  if (problems.length > 0) throw new Error(`scenario ${name}: ${problems.map(({ what }) => what).join(' ')}`);
  return boots(cluster, material, templates());
}
