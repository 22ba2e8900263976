/** The script of each host, as its node plan has it: with what the survey found is left alone. */
import { agents } from '../../agents/agents.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { readMaterial } from '../cluster/material.ts';
import { groups } from '../node/group.ts';
import { plan } from '../node/plan.ts';
import { script } from '../node/shell.ts';
import { Refusal } from '../problem/problem.ts';
import { templates } from '../template/read.ts';
import type { Surveyed } from './across.ts';
import { leftAlone } from './judge-software.ts';
import type { Host } from './login.ts';
import { seatOf } from './row.ts';

/**
 * By the name of the host.
 * @throws Refusal where a file that the description names cannot be read.
 */
export function scripts(cluster: Cluster, surveyed: readonly Surveyed[]): (host: Host) => string {
  const { material, problems } = readMaterial(cluster);
  if (problems.length > 0) throw new Refusal(problems);
  const all = new Map(
    surveyed.map(({ node, found }): [string, string] => {
      const { target } = seatOf(cluster, node, found);
      const settled = { ...cluster, target: { ...target, existing: leftAlone(seatOf(cluster, node, found)) } };
      const group = groups(settled).find(({ name }) => name === node.name)!;
      return [node.name, script(plan({ cluster: settled, group, material }, agents, templates()))];
    }),
  );
  return ({ node }) => all.get(node.name)!;
}
