/** From a description to the Terraform JSON of its stack, in this process. */
import { App } from 'cdktf';
import { readDescription } from '../../../modules/cluster/read.ts';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { readMaterial } from '../../../modules/cluster/material.ts';
import { boots, type Boot } from '../../../modules/node/boot.ts';
import { format } from '../../../modules/problem/problem.ts';
import { templates } from '../../../modules/template/read.ts';
import { AwsStack } from '../../../stacks/aws.ts';

export type Block = Readonly<Record<string, unknown>>;

export interface Synthesized {
  readonly cluster: Cluster;
  readonly boots: ReadonlyMap<string, Boot>;
  /** What cdk.tf.json holds. */
  readonly config: Block;
  /** Resources of a type, by name. */
  readonly of: (type: string) => Readonly<Record<string, Block>>;
}

/** Throws when the description is refused. */
export function synthesize(text: string): Synthesized {
  const { cluster, problems } = readDescription('clusters/test.yaml', text);
  if (cluster === undefined) throw new Error(problems.map(format).join('\n'));
  const { material, problems: missing } = readMaterial(cluster);
  if (missing.length > 0) throw new Error(missing.map(format).join('\n'));
  return fromCluster(cluster, boots(cluster, material, templates()));
}

export function fromCluster(cluster: Cluster, payloads: ReadonlyMap<string, Boot>): Synthesized {
  const stack = new AwsStack(new App({ stackTraces: false }), cluster, payloads);
  stack.prepareStack();
  // What cdktf writes to the file, less what it notes there for itself.
  const { '//': _, ...config } = JSON.parse(JSON.stringify(stack.toTerraform())) as Record<string, Block>;
  const resources = (config['resource'] ?? {}) as Record<string, Record<string, Block>>;
  return { cluster, boots: payloads, config, of: (type) => resources[type] ?? {} };
}
