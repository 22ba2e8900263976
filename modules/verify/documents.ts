/** Reads the policy files of a cluster. */
import type { Cluster } from '../cluster/cluster.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { felixOf } from '../policy/felix.ts';
import { readDocument } from '../policy/syntax/read.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import { readGiven } from './given.ts';

/** A cluster with what its policy files say, each read once. */
export interface Declared {
  readonly cluster: Cluster;
  readonly documents: readonly PolicyDocument[];
}

/** In the order in which they apply; throws a Refusal with every problem of every file. */
export function readPolicies(cluster: Cluster): readonly PolicyDocument[] {
  const problems: Problem[] = [];
  const documents = cluster.policies.flatMap((file) => {
    const result = readDocument(readGiven(file), file, felixOf(cluster.release));
    if (result.ok) return [result.value];
    problems.push(...result.problems);
    return [];
  });
  if (problems.length > 0) throw new Refusal(problems);
  return documents;
}
