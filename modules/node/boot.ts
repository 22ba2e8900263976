/** From a cluster to what its machines boot from. */
import type { Cluster } from '../cluster/cluster.ts';
import type { Material } from '../cluster/material.ts';
import { agents } from '../../agents/agents.ts';
import { Refusal } from '../problem/problem.ts';
import type { Templates } from './fill.ts';
import { groups } from './group.ts';
import { payload, type Payload } from './payload.ts';
import { plan, type NodePlan } from './plan.ts';
import { secretProblems } from './secret.ts';
import { tooLarge } from './too-large.ts';

export interface Boot {
  readonly plan: NodePlan;
  readonly payload: Payload;
}

/**
 * One per group of nodes, by the group's name, masters first.
 * @throws Refusal for a target whose machines boot from nothing of ours, a payload that the platform would not take, and
 * a secret in one.
 */
export function boots(cluster: Cluster, material: Material, templates: Templates): ReadonlyMap<string, Boot> {
  const { target, file } = cluster;
  if (target.kind !== 'aws' && target.kind !== 'gce') {
    throw new Refusal([
      {
        code: 'no-boot-payload',
        at: { file, path: 'target' },
        what: `the machines of target ${target.kind} boot from nothing that we write.`,
        rule: 'machines of aws and gce have a boot payload.',
      },
    ]);
  }
  const booted = new Map(
    groups(cluster).map((group): [string, Boot] => {
      const planned = plan({ cluster, group, material }, agents, templates);
      return [group.name, { plan: planned, payload: payload(target, planned) }];
    }),
  );
  const problems = [
    ...secretProblems(file, new Map([...booted].map(([name, each]) => [name, each.plan]))),
    ...[...booted.values()].flatMap((each) => tooLarge(file, each.plan, each.payload) ?? []),
  ];
  if (problems.length > 0) throw new Refusal(problems);
  return booted;
}
