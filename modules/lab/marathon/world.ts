/** What Mesos and Marathon know: agents, apps, tasks, deployments. ZooKeeper keeps it; every instance sees the same. */
import { randomUUID } from 'node:crypto';
import { compare } from '../../release/version.ts';
import type { GivenApp } from './app.ts';
import type { Runs, StandInAgent } from './run.ts';

export interface Held {
  readonly app: GivenApp;
  /** When it got its present form. */
  readonly version: string;
  /** A task may be launched again only then: back-off after a failure. */
  notBefore: number;
  failure?: Failure;
}

export interface Failure {
  readonly message: string;
  readonly state: string;
  readonly task: string;
  readonly host: string;
  readonly at: string;
}

export interface Task {
  readonly id: string;
  readonly app: string;
  /** Of the app that it was launched for: one of another version is replaced. */
  readonly version: string;
  readonly agent: StandInAgent;
  readonly stagedAt: string;
  state: 'TASK_STAGING' | 'TASK_RUNNING' | 'TASK_KILLING';
  startedAt?: string;
  startedMs?: number;
  runs?: Runs;
  /** Of each health check of the app, in order; undefined before its first result. */
  alive: (boolean | undefined)[];
  /** When the last run of them ended; and whether one is going on. */
  checkedMs: number;
  checking: boolean;
}

export interface Deployment {
  readonly id: string;
  readonly version: string;
  readonly begun: number;
  readonly starts: readonly string[];
  readonly stops: readonly string[];
}

export interface World {
  readonly agents: readonly StandInAgent[];
  readonly apps: Map<string, Held>;
  readonly tasks: Map<string, Task>;
  readonly deployments: Map<string, Deployment>;
  readonly framework: string;
  readonly cluster: string;
}

export const newWorld = (agents: readonly StandInAgent[]): World => ({
  agents,
  apps: new Map(),
  tasks: new Map(),
  deployments: new Map(),
  framework: `${randomUUID()}-0000`,
  cluster: randomUUID(),
});

export const tasksOf = (world: World, app: string): Task[] =>
  [...world.tasks.values()].filter((task) => task.app === app);

export const agentId = ({ cluster, agents }: World, agent: StandInAgent): string =>
  `${cluster}-S${agents.indexOf(agent)}`;

/** `verify_client-1.2da6109e-…`; from 1.9 on with the instance and the number of its incarnation. */
export function taskId(app: string, marathon: string): string {
  const path = app.slice(1).replaceAll('/', '_');
  return compare(marathon, '1.9') < 0 ? `${path}.${randomUUID()}` : `${path}.instance-${randomUUID()}._app.1`;
}

/** The deployments that hold one of these ids: an app of theirs, or the group that it is in. */
export const holding = ({ deployments }: World, ids: readonly string[]): Deployment[] =>
  [...deployments.values()].filter(({ starts, stops }) =>
    [...starts, ...stops].some((held) => ids.some((id) => held === id || held.startsWith(`${id}/`))),
  );

/** An app is well when all its tasks run and no check of theirs has failed or not yet passed. */
export function well(world: World, id: string): boolean {
  const held = world.apps.get(id);
  if (held === undefined) return false;
  const tasks = tasksOf(world, id).filter(
    ({ state, alive, version }) => state === 'TASK_RUNNING' && alive.every(Boolean) && version === held.version,
  );
  return tasks.length >= (held.app.instances ?? 1);
}
