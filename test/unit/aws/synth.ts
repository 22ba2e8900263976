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

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';

/** A description by its blocks; what is given takes the place of the block of the same name. */
export const description = (blocks: Block = {}): string =>
  // JSON is YAML.
  JSON.stringify({
    name: 'test',
    target: { aws: aws() },
    access: { adminCidrs: ['203.0.113.7/32'], sshPublicKey: key },
    masters: { count: 3 },
    agents: { general: { count: 3 } },
    networks: { client: {}, frontend: {} },
    ...blocks,
  });

/** The target of a description, over two zones unless said otherwise. */
export const aws = (fields: Block = {}): Block => ({
  region: 'us-west-2',
  zones: ['us-west-2a', 'us-west-2b'],
  ...fields,
});

/** Throws when the description is refused. */
export function synthesize(text: string): Synthesized {
  const { cluster, problems } = readDescription('clusters/test.yaml', text);
  if (cluster === undefined) throw new Error(problems.map(format).join('\n'));
  const { material, problems: missing } = readMaterial(cluster);
  if (missing.length > 0) throw new Error(missing.map(format).join('\n'));
  return fromCluster(cluster, boots(cluster, material, templates()));
}

/** With payloads of one's own. */
export function fromCluster(cluster: Cluster, payloads: ReadonlyMap<string, Boot>): Synthesized {
  const stack = new AwsStack(new App({ stackTraces: false }), cluster, payloads);
  stack.prepareStack();
  const config = JSON.parse(JSON.stringify(stack.toTerraform())) as Block;
  const resources = (config['resource'] ?? {}) as Record<string, Record<string, Block>>;
  return { cluster, boots: payloads, config, of: (type) => resources[type] ?? {} };
}
