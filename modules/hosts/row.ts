/** One line of a survey: what was found, what is needed, and what comes of it. Pure. */
import type { Cluster, HostsTarget, Node } from '../cluster/cluster.ts';
import type { Problem } from '../problem/problem.ts';
import { needs, type Needs } from '../release/needs.ts';
import type { Found } from './found.ts';

/** `left`: it is there and nobody touches it. `refused`: nothing is installed as long as it is so. */
export type Verdict = 'fits' | 'left' | 'install' | 'upgrade' | 'change' | 'caution' | 'refused';

export interface Row {
  readonly what: string;
  readonly found: string;
  readonly needed: string;
  readonly verdict: Verdict;
  /** What will be done, or has to be. */
  readonly deed: string;
  /** Where the verdict is `refused` or `caution`. */
  readonly problem?: Problem;
  /** Of what is changed, where the page on troubleshooting has an entry: what it looks like where it stays as it is. */
  readonly code?: string;
}

/** All that a check is told of a host. */
export interface Seat {
  readonly cluster: Cluster;
  readonly target: HostsTarget;
  readonly needs: Needs;
  readonly node: Node;
  readonly found: Found;
}

export function seatOf(cluster: Cluster, node: Node, found: Found): Seat {
  const { target } = cluster;
  if (target.kind !== 'hosts') throw new TypeError(`${cluster.name} is on ${target.kind}`);
  const encapsulated = cluster.calico.ipPools.some((pool) => pool.encapsulation !== 'none');
  return { cluster, target, needs: needs(cluster.release, { encapsulated }), node, found };
}

/** What a check says of a host; nothing where it has no business. */
export type Check = (seat: Seat) => readonly Row[];

type Said = Pick<Row, 'what' | 'found' | 'needed'>;
type Told = Pick<Problem, 'code' | 'rule'> & { readonly remedy: string };

export const fits = (said: Said): Row => ({ ...said, verdict: 'fits', deed: '' });
export const left = (said: Said): Row => ({ ...said, verdict: 'left', deed: 'left alone' });
export const change = (said: Said, deed: string, code?: string): Row => ({
  ...said,
  verdict: 'change',
  deed,
  ...(code !== undefined && { code }),
});

/** Goes on, and says that somebody should look. */
export const caution = (of: Pick<Seat, 'cluster' | 'node'>, said: Said, told: Told): Row =>
  bad(of, said, told, 'caution');
/** Nothing is installed as long as it is so. */
export const refused = (of: Pick<Seat, 'cluster' | 'node'>, said: Said, told: Told): Row =>
  bad(of, said, told, 'refused');

function bad({ cluster, node }: Pick<Seat, 'cluster' | 'node'>, said: Said, told: Told, verdict: Verdict): Row {
  const what = `${node.name}: ${said.what} is ${said.found}, and ${said.needed} is needed.`;
  const at = { file: cluster.file, path: `target.hosts.machines.${node.name}` };
  const { remedy, ...rest } = told;
  return { ...said, verdict, deed: remedy, problem: { at, what, remedy, ...rest } };
}
