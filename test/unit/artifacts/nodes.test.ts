/** What the list says of a node against what the node is told to fetch. */
import { describe, expect, test } from 'vitest';
import { agents } from '../../../agents/agents.ts';
import { list } from '../../../modules/artifacts/list.ts';
import { readDescription } from '../../../modules/cluster/read.ts';
import { groups } from '../../../modules/node/group.ts';
import { pieces } from '../../../modules/node/pieces.ts';
import { plan } from '../../../modules/node/plan.ts';
import { templates } from '../../../modules/template/read.ts';
import { right } from '../cluster/cases.ts';

const pools = `agents:
  general: { count: 1, containerizers: [docker] }
  unified: { count: 1, containerizers: [mesos] }
networks:
  client: { containerizer: docker }
`;

/** On cgroup v1, where both channels have both containerizers. */
const cases = ['aws', 'gce'].flatMap((target) =>
  ['classic', 'current'].map((release) => {
    const text = right[target]!.replace(/agents:[^]*/, pools)
      .replace(/(aws|gce): \{/, '$1: { os: flatcar-lts, boot: ignition,')
      .replace(
        /sshPublicKey: .*/,
        'sshPublicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE2XjWeRR2BdMNU8h5mJFCpvLhPB2X3Q0HkYl3UM0sbE',
      );
    return [`${release} on ${target}`, `${text}release: ${release}\n`] as const;
  }),
);

describe.each(cases)('%s', (_, text) => {
  const { cluster, problems } = readDescription('clusters/test.yaml', text);
  expect(problems).toEqual([]);
  const items = list(cluster!);
  const material = { sshPublicKey: undefined, caBundle: undefined };

  test.each(groups(cluster!).map((group) => [group.name, group] as const))(
    '%s is told to fetch what the list says of it, and nothing else',
    (__, group) => {
      const told = pieces(plan({ cluster: cluster!, group, material }, agents, templates()))
        .flatMap((piece) => piece.text.split('\n'))
        // Pages for people, which no machine fetches.
        .filter((line) => !line.startsWith('Documentation=') && !line.startsWith('#'))
        .join('\n');
      const listed = items.filter(({ nodes }) => nodes.includes(group.pool)).map(({ from }) => from);
      const software = items.filter(({ name }) => name !== 'machine image');
      const fetched = software.filter(({ from }) => told.includes(from)).map(({ from }) => from);
      expect(fetched).toEqual(software.map(({ from }) => from).filter((from) => listed.includes(from)));
      for (const [address] of told.matchAll(/https:\/\/[^\s"'\\]+/g)) expect(listed).toContain(address);
    },
  );
});
