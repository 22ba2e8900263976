/** The dead man's tag: until when a cluster may stand. It is on everything in the cloud, and so in the state too. */
import type { Cluster } from '../cluster/cluster.ts';
import { Refusal } from '../problem/problem.ts';

/** What the cdktf app is told; where it is not set, nothing is marked. */
export const variable = 'MESOS_CALICO_EXPIRES';

/** AWS takes a time as people write it. Google's labels have small letters, digits and hyphens: seconds since 1970. */
export const tag = 'mesos-calico:expires';
export const label = 'mesos-calico-expires';

/** The time in a word, to the second. Throws a Refusal for a word that is none. */
export function timeOf(word: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(word) ? Date.parse(word) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new Refusal([
    {
      code: 'not-a-time',
      what: `${variable} is "${word}".`,
      rule: 'until when a cluster may stand is a time in UTC, to the second.',
      example: `${variable}=2026-11-30T06:00:00Z`,
    },
  ]);
}

/** As `timeOf` reads it. */
export const wordOf = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** The same cluster with the mark on all that it has in a cloud; what stands on no cloud costs nothing by standing. */
export function expiring<C extends Cluster>(cluster: C, expires: Date): C {
  const { target } = cluster;
  if (target.kind === 'aws')
    return { ...cluster, target: { ...target, tags: { ...target.tags, [tag]: wordOf(expires) } } };
  if (target.kind === 'gce')
    return { ...cluster, target: { ...target, labels: { ...target.labels, [label]: `${expires.getTime() / 1000}` } } };
  return cluster;
}

/** What a state says about who may destroy what it holds. */
export interface Marks {
  /** How many resources it holds, without what was only looked up. */
  readonly standing: number;
  /** The latest of all marks, should a deploy with another one have been cut off. */
  readonly expires: Date | undefined;
  /** How many resources say whose they are and have no mark: a person has deployed them. */
  readonly unmarked: number;
}

interface State {
  readonly resources?: readonly {
    readonly mode?: string;
    readonly instances?: readonly { readonly attributes?: Attributes }[];
  }[];
}
type Names = Readonly<Record<string, string>> | null;
interface Attributes {
  readonly tags_all?: Names;
  readonly labels?: Names;
}

/** From the text of a state file. An empty one holds nothing. */
export function marksIn(text: string): Marks {
  const { resources = [] } = (text.trim() === '' ? {} : JSON.parse(text)) as State;
  const all = resources.filter(({ mode }) => mode === 'managed').flatMap(({ instances = [] }) => instances);
  const named = all.map(({ attributes }) => ({ ...attributes?.labels, ...attributes?.tags_all }));
  const times = named.flatMap((names) => markOf(names)?.getTime() ?? []);
  return {
    standing: all.length,
    expires: times.length === 0 ? undefined : new Date(Math.max(...times)),
    unmarked: named.filter((names) => names['cluster'] !== undefined && markOf(names) === undefined).length,
  };
}

/** A mark that nobody can read is none: what it is on is left alone. */
function markOf(names: Readonly<Record<string, string>>): Date | undefined {
  const seconds = names[label];
  const time = seconds === undefined ? Date.parse(names[tag] ?? '') : Number(seconds) * 1000;
  return Number.isFinite(time) ? new Date(time) : undefined;
}

/** Whether all that a state holds was deployed to end at that time, and so by whoever chose it. */
export const isOf = ({ expires, unmarked }: Marks, time: Date): boolean =>
  unmarked === 0 && (expires === undefined || expires.getTime() === time.getTime());

/** Whether its time is over. What a person has deployed, in part or in whole, has no time. */
export const isOver = ({ expires, unmarked }: Marks, now: Date): boolean =>
  unmarked === 0 && expires !== undefined && expires <= now;
