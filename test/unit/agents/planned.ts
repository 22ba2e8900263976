/** From a description to what its nodes get, and how a test reads that. */
import fc from 'fast-check';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import type { Material } from '../../../modules/cluster/material.ts';
import { readDescription } from '../../../modules/cluster/read.ts';
import { groups } from '../../../modules/node/group.ts';
import { plan, type NodePlan } from '../../../modules/node/plan.ts';
import { format } from '../../../modules/problem/problem.ts';
import { agents } from '../../../agents/agents.ts';
import { templates } from '../../../modules/template/read.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE operator';

export const targets = {
  aws: { region: 'us-west-2', zones: ['us-west-2a', 'us-west-2b', 'us-west-2c'] },
  gce: { project: 'my-project-123456', region: 'us-central1', zones: ['us-central1-a'] },
} as const;

/** A cluster with three masters; what is given takes the place of the block of the same name. */
export function cluster(
  kind: keyof typeof targets = 'aws',
  blocks: Readonly<Record<string, unknown>> = {},
  target: Readonly<Record<string, unknown>> = {},
): Cluster {
  const whole = {
    name: 'test',
    target: { [kind]: { ...targets[kind], ...target } },
    access: { adminCidrs: ['203.0.113.7/32'], sshPublicKey: key },
    masters: { count: 3 },
    agents: { general: { count: 3 } },
    networks: { client: {}, frontend: {} },
    ...blocks,
  };
  // JSON is YAML.
  const read = readDescription('clusters/test.yaml', JSON.stringify(whole));
  if (read.cluster === undefined) throw new Error(read.problems.map(format).join('\n'));
  return read.cluster;
}

/** The same cluster with masters at these addresses, as many as there are. */
export function withMasters(of: Cluster, addresses: readonly string[]): Cluster {
  const model = of.nodes.find(({ role }) => role === 'master')!;
  return {
    ...of,
    masters: { ...of.masters, count: addresses.length },
    nodes: [
      ...addresses.map((address, index) => ({ ...model, name: `master-${index + 1}`, address })),
      ...of.nodes.filter(({ role }) => role === 'agent'),
    ],
  };
}

/** One to nine addresses, all different. */
export const addresses = fc
  .uniqueArray(
    fc.ipV4().filter((address) => !/^(0|127)\./.test(address)),
    { minLength: 1, maxLength: 9 },
  )
  .map((all) => all.sort());

/** The plan of each group of nodes, by the group's name. */
export function plans(of: Cluster, material: Partial<Material> = {}): ReadonlyMap<string, NodePlan> {
  const whole = { sshPublicKey: key, caBundle: undefined, ...material };
  return new Map(
    groups(of).map((group) => [group.name, plan({ cluster: of, group, material: whole }, agents, templates())]),
  );
}

/** cloud-config, with an image of one's own that boots with the cgroups of stock Mesos. */
export const readLate = {
  aws: { boot: 'cloud-config', cgroup: 'v1', image: 'ami-0a1b2c3d4e5f67890' },
  gce: { boot: 'cloud-config', cgroup: 'v1', image: 'projects/my-project-123456/global/images/flatcar-v1' },
} as const;

/** The clusters that a cloud can be asked for: both clouds, both channels, both forms of payload. */
export const kinds: readonly (readonly [name: string, cluster: Cluster])[] = [
  ['aws, current, cloud-config', cluster('aws', {}, readLate.aws)],
  ['aws, current, ignition', cluster('aws', {}, { boot: 'ignition' })],
  ['aws, classic, ignition', cluster('aws', { release: 'classic' })],
  ['gce, current, cloud-config', cluster('gce', {}, readLate.gce)],
  ['gce, classic, ignition', cluster('gce', { release: 'classic' })],
  [
    'aws, current, both containerizers',
    cluster(
      'aws',
      {
        agents: { general: { count: 3, containerizers: ['mesos', 'docker'] } },
        networks: { client: { containerizer: 'docker' }, frontend: { containerizer: 'mesos' } },
      },
      { os: 'flatcar-lts' },
    ),
  ],
  [
    'gce, classic, both containerizers',
    cluster('gce', {
      release: 'classic',
      agents: { general: { count: 3, containerizers: ['docker', 'mesos'] } },
      networks: { client: { containerizer: 'docker' }, frontend: { containerizer: 'mesos' } },
    }),
  ],
];

/** The text of a file of a plan. */
export function file(of: NodePlan | undefined, path: string): string {
  const found = of?.files.find((each) => each.path === path);
  if (found === undefined) throw new Error(`no ${path}`);
  return found.content;
}

/** The text of a unit of a plan. */
export function unit(of: NodePlan | undefined, name: string): string {
  const found = of?.units.find((each) => each.name === name)?.content;
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** What a unit says under a key, each line by itself, continued lines joined as systemd joins them. */
export function said(text: string, key: string): readonly string[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1).trim());
}

/** A command line at its words, as systemd parts it. */
export function words(line: string): readonly string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) =>
    (quoted === undefined ? word : quoted.replace(/\\(.)/g, '$1')).replaceAll('%%', '%').replaceAll('$$', '$'),
  );
}

/** The words of the one command that a unit runs. */
export const command = (text: string): readonly string[] => words(said(text, 'ExecStart').join(' '));
