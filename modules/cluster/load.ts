/** From a cluster's name or file to the Cluster, for every verb that works on one. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../problem/problem.ts';
import type { Cluster } from './cluster.ts';
import { nearest } from '../problem/nearest.ts';
import { readCluster } from './read.ts';

/** The folder where `NAME` is `NAME.yaml`, relative to the working directory. */
export const folder = 'clusters';

/**
 * Reads, checks and completes the description of a name (`lab`: clusters/lab.yaml) or of a file.
 * @throws Refusal with every problem that it has, or with the known names when there is no such name.
 */
export function loadCluster(fileOrName: string): Cluster {
  const { cluster, problems } = readCluster(fileOf(fileOrName));
  if (cluster === undefined) throw new Refusal(problems);
  return cluster;
}

/**
 * The file that a word means.
 * @throws Refusal when the word is a name that nobody knows.
 */
export function fileOf(fileOrName: string): string {
  if (/[/\\]|\.ya?ml$/.test(fileOrName)) return fileOrName;
  const file = join(folder, `${fileOrName}.yaml`);
  if (existsSync(file)) return file;
  const names = known();
  const near = nearest(fileOrName, names);
  throw new Refusal([
    {
      code: 'no-such-cluster',
      what: `There is no cluster ${fileOrName}: no file ${file}.${near ? ` Did you mean ${near}?` : ''}`,
      rule: names.length > 0 ? `the clusters are ${names.join(', ')}.` : `the folder ${folder} is missing or empty.`,
      example: 'a name, or a file: clusters/lab.yaml',
    },
  ]);
}

/** The names of all clusters in the folder, sorted. */
export function known(): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => entry.endsWith('.yaml'))
    .map((entry) => entry.slice(0, -'.yaml'.length))
    .sort();
}
