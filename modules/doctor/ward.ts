/** What the doctor has of a cluster, and what a check says of it. Pure. */
import type { Cluster, Node } from '../cluster/cluster.ts';
import { isAddress4, range, type Range } from '../cluster/range.ts';
import type { Problem } from '../problem/problem.ts';
import { parseValue } from '../datastore/calico.ts';
import type { EtcdNode } from '../datastore/etcd.ts';
import { checks, type CheckName } from './checks.ts';
import { bodyOf, type Seen } from './seen.ts';

/** `stands-in`: the lab has something else in that place, so that nothing is proved. */
export type Verdict = 'well' | 'caution' | 'ill' | 'unknown' | 'stands-in';

export interface Finding {
  readonly check: CheckName;
  /** A node's name, or the cluster's. */
  readonly on: string;
  readonly verdict: Verdict;
  readonly seen: string;
  /** Where the verdict is neither `well` nor `stands-in`. */
  readonly problem?: Problem;
}

/** A node, and what was seen on it. */
export interface Patient {
  readonly node: Pick<Node, 'name' | 'role' | 'containerizers'>;
  /** In the network between the nodes; empty where nobody knows it. */
  readonly address: string;
  readonly seen?: Seen;
  /** Why nothing was. */
  readonly problem?: Problem;
  /** In the lab: its programs, and whether each runs. */
  readonly programs?: Readonly<Record<string, boolean>>;
}

/** A node that could be asked. */
export type Examined = Patient & { readonly seen: Seen };

export interface Ward {
  readonly cluster: Cluster;
  readonly patients: readonly Patient[];
  readonly examined: readonly Examined[];
  readonly lab: boolean;
  /** Keys under /calico with their values, from whichever member of etcd gave them; undefined where none did. */
  readonly keys: ReadonlyMap<string, unknown> | undefined;
  readonly pools: readonly Range[];
}

export type Check = (ward: Ward) => readonly Finding[];

export function wardOf(cluster: Cluster, patients: readonly Patient[]): Ward {
  const examined = patients.filter((one): one is Examined => one.seen !== undefined);
  const tree = examined.map(({ seen }) => bodyOf(seen, 'etcd-calico') as { node?: EtcdNode } | undefined);
  const root = tree.find((one) => one?.node !== undefined)?.node;
  return {
    cluster,
    patients,
    examined,
    lab: cluster.target.kind === 'lab',
    keys: root && new Map(leaves(root)),
    pools: cluster.calico.ipPools.map(({ cidr }) => range(cidr)),
  };
}

function leaves({ key, value, nodes }: EtcdNode): [string, unknown][] {
  return [
    ...(value === undefined ? [] : [[key, parseValue(value)] as [string, unknown]]),
    ...(nodes ?? []).flatMap(leaves),
  ];
}

/** Whether an address is one of the pools. IPv6 is not looked at. */
export const inPools = ({ pools }: Ward, address: string): boolean => {
  if (!isAddress4(address)) return true;
  const { first } = range(`${address}/32`);
  return pools.some((pool) => pool.family === 4 && pool.first <= first && first <= pool.last);
};

export const masters = <P extends Patient>(all: readonly P[]): readonly P[] =>
  all.filter(({ node }) => node.role === 'master');
export const agents = <P extends Patient>(all: readonly P[]): readonly P[] =>
  all.filter(({ node }) => node.role === 'agent');

export const well = (check: CheckName, on: string, seen: string): Finding => ({ check, on, verdict: 'well', seen });
export const standsIn = (check: CheckName, on: string, seen: string): Finding => ({
  check,
  on,
  verdict: 'stands-in',
  seen,
});

const bad =
  (verdict: Verdict) =>
  (check: CheckName, on: string, seen: string, remedy: string): Finding => {
    const { code, why } = checks[check];
    return { check, on, verdict, seen, problem: { code, what: `${on}: ${seen}.`, rule: why, remedy } };
  };

/** Somebody should look; the cluster works. */
export const caution = bad('caution');
export const ill = bad('ill');
/** It could not be found out. */
export const unknown = bad('unknown');

/** A record of somebody else's JSON; empty where it is none. */
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Some of many, in words. */
export const some = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
