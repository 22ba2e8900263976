/** Waiting for Marathon to do what it said it would: for deployments, for tasks, each with a limit and a word on how far. */
import type { Problem } from '../problem/problem.ts';
import { readApps, readDeployments, readTasks, type MarathonApp, type MarathonTask } from './answers.ts';
import { pause } from './pause.ts';
import type { Talk } from './talk.ts';
import { failed, told, type Told } from './told.ts';

export interface Waiting {
  /** For everything together, milliseconds. */
  readonly limitMs: number;
  /** Between two looks. */
  readonly pauseMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LaunchProgress) => void;
}

export interface LaunchProgress {
  readonly what: 'lock' | 'deployment' | 'tasks' | 'end';
  /** Tasks that run and are healthy, or that have ended; and of how many. */
  readonly done: number;
  readonly of: number;
  readonly ms: number;
  /** Names of what is waited for, the first few. */
  readonly missing: readonly string[];
}

/** One task of an app, running and healthy. */
export interface LaunchedApp {
  readonly app: string;
  readonly task: string;
  /** The agent's hostname, as Mesos knows it. */
  readonly host: string;
  /** The agent's id; Marathon 0.14 may leave it out. */
  readonly agent: string | undefined;
  /** As Marathon says. It is no proof: what a task has is seen on its agent. */
  readonly addresses: readonly string[];
  /** Of the agent. */
  readonly ports: readonly number[];
}

/** Looks again and again until a look gives something. */
export async function until<T>(
  waiting: Waiting,
  begun: number,
  late: () => Promise<Problem> | Problem,
  look: () => Promise<Told<T | undefined>>,
): Promise<Told<T>> {
  for (;;) {
    if (waiting.signal?.aborted) return failed({ code: 'interrupted', what: 'nobody waited any longer for Marathon.' });
    const seen = await look();
    if (!seen.ok) return seen;
    if (seen.value !== undefined) return told(seen.value);
    if (performance.now() - begun > waiting.limitMs) return failed(await late());
    await pause(waiting.pauseMs, waiting.signal);
  }
}

/** The deployments that are still going on, all of Marathon's. */
export async function deployments(
  talk: Talk,
  signal?: AbortSignal,
): Promise<Told<ReadonlyMap<string, readonly string[]>>> {
  const reply = await talk({ method: 'GET', path: '/v2/deployments' }, signal);
  if (!reply.ok) return reply;
  const read = readDeployments('GET /v2/deployments', reply.value);
  return read.ok ? told(new Map(read.value.map(({ id, affectedApps }) => [id, affectedApps ?? []]))) : read;
}

const embeds = ['tasks', 'counts', 'deployments', 'lastTaskFailure'].map((one) => `embed=apps.${one}`).join('&');

/** The apps whose id contains a text, with their tasks. */
export async function apps(talk: Talk, contains: string, signal?: AbortSignal): Promise<Told<readonly MarathonApp[]>> {
  const reply = await talk({ method: 'GET', path: `/v2/apps?id=${encodeURIComponent(contains)}&${embeds}` }, signal);
  if (!reply.ok) return reply;
  const read = readApps('GET /v2/apps', reply.value);
  return read.ok ? told(read.value.apps) : read;
}

export async function tasks(talk: Talk, signal?: AbortSignal): Promise<Told<readonly MarathonTask[]>> {
  const reply = await talk({ method: 'GET', path: '/v2/tasks' }, signal);
  if (!reply.ok) return reply;
  const read = readTasks('GET /v2/tasks', reply.value);
  return read.ok ? told(read.value.tasks) : read;
}

/** Up to 1.1 a task has no state: it has begun, or it has not. */
export const running = ({ state, startedAt }: MarathonTask): boolean =>
  state === undefined || state === null ? typeof startedAt === 'string' : state === 'TASK_RUNNING';

/** All checks of the app have passed; one without checks is well when it runs. */
export function healthy({ healthChecks }: MarathonApp, { healthCheckResults }: MarathonTask): boolean {
  const asked = healthChecks?.length ?? 0;
  const passed = (healthCheckResults ?? []).filter((result) => result?.alive === true).length;
  return asked === 0 || (passed >= asked && passed === healthCheckResults?.length);
}

export const launched = (task: MarathonTask): LaunchedApp => ({
  app: task.appId,
  task: task.id,
  host: task.host,
  agent: task.slaveId ?? undefined,
  addresses: (task.ipAddresses ?? []).flatMap(({ ipAddress }) => (typeof ipAddress === 'string' ? [ipAddress] : [])),
  ports: task.ports ?? [],
});

/** As many names as a line holds. */
export const some = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
