/** From a cluster to the scripts of its hosts. */
import { agents } from '../../agents/agents.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Material } from '../cluster/material.ts';
import type { Templates } from './fill.ts';
import { groups } from './group.ts';
import { pieces } from './pieces.ts';
import { plan, type NodePlan } from './plan.ts';
import { script } from './shell.ts';
import type { Tree } from './tree.ts';

export interface Host {
  readonly plan: NodePlan;
  readonly script: string;
}

/** One per machine, by its name, masters first. @throws Error on a target whose machines boot from a payload. */
export function hosts(cluster: Cluster, material: Material, templates: Templates): ReadonlyMap<string, Host> {
  return new Map(
    groups(cluster).map((group): [string, Host] => {
      const planned = plan({ cluster, group, material }, agents, templates);
      return [group.name, { plan: planned, script: script(planned) }];
    }),
  );
}

/** For reading and comparing: a folder per machine with its script, and what the script carries, one by one. */
export function hostTree(of: ReadonlyMap<string, Host>): Tree {
  const texts = [...of].flatMap(([name, host]): [string, string][] => [
    [`${name}/install.sh`, host.script],
    ...pieces(host.plan).map((piece): [string, string] => [
      `${name}/${piece.name.startsWith('/') ? `files${piece.name}` : `units/${piece.name}`}`,
      piece.text,
    ]),
  ]);
  return new Map(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** For people, a line per machine: `a1  rocky-8  14 files, 9 services, 61,000 bytes`. */
export function summary({ name }: Cluster, of: ReadonlyMap<string, Host>): string {
  const widest = Math.max(...[...of.keys()].map((each) => each.length));
  const lines = [...of].map(
    ([
      machine,
      {
        plan: { files, host },
        script: text,
      },
    ]) => {
      const bytes = Buffer.byteLength(text).toLocaleString('en-US');
      return `  ${machine.padEnd(widest)}  ${host?.os.name ?? ''}  ${files.length} files, ${host?.services.length ?? 0} services, ${bytes} bytes\n`;
    },
  );
  return `${name}: the script of each machine\n${lines.join('')}`;
}
