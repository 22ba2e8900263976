/** The scenarios of test/golden/scenarios: a description in, everything that the kit writes for it out. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCluster } from '../modules/cluster/load.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { readMaterial, type Material } from '../modules/cluster/material.ts';
import { boots, type Boot } from '../modules/node/boot.ts';
import { hosts, type Host } from '../modules/node/hosts.ts';
import { root } from '../modules/root/root.ts';
import { templates } from '../modules/template/read.ts';

const folder = join(root, 'test/golden/scenarios');

const all = readdirSync(folder).sort();
const onHosts = (name: string): boolean => /^(el|debian|hosts|vagrant)/.test(name);

/** Names of all scenarios whose machines boot from a payload, sorted. */
export const scenarios: readonly string[] = all.filter((name) => !onHosts(name));

/** Names of all scenarios on hosts with a package manager, sorted. */
export const hostScenarios: readonly string[] = all.filter(onHosts);

/** Where the whole tree of a scenario is kept: a folder per group of nodes, and `terraform/`. */
export const treeOf = (name: string): string => join(folder, name, 'tree');

export const clusterOf = (name: string): Cluster => loadCluster(join(folder, name, 'cluster.yaml'));

export function bootsOf(name: string): ReadonlyMap<string, Boot> {
  const cluster = clusterOf(name);
  return boots(cluster, materialOf(name, cluster), templates());
}

export function hostsOf(name: string): ReadonlyMap<string, Host> {
  const cluster = clusterOf(name);
  return hosts(cluster, materialOf(name, cluster), templates());
}

function materialOf(name: string, cluster: Cluster): Material {
  const { material, problems } = readMaterial(cluster);
  if (problems.length > 0) throw new Error(`scenario ${name}: ${problems.map(({ what }) => what).join(' ')}`);
  return material;
}
