/** Starts apps, and waits until their tasks run and are healthy. */
import type { Problem } from '../problem/problem.ts';
import { readQueue, type MarathonApp, type MarathonTask } from './answers.ts';
import { isPath, type App } from './apps.ts';
import { change } from './change.ts';
import type { Question } from './http.ts';
import type { Talk } from './talk.ts';
import { failed, told, type Told } from './told.ts';
import { apps, deployments, healthy, launched, running, some, until, type LaunchedApp, type Waiting } from './wait.ts';

/** Apps one by one, or all in a group of their own: one deployment, and one thing to end. */
export interface Launch {
  readonly apps: readonly App[];
  readonly group?: string;
}

export async function launch(talk: Talk, what: Launch, waiting: Waiting): Promise<Told<readonly LaunchedApp[]>> {
  const begun = performance.now();
  if (what.apps.length === 0) return told([]);
  const problem = await groupProblem(talk, what, waiting);
  if (problem !== undefined) return failed(problem);
  const ids = what.apps.map(({ id }) => id);
  const begunBy: string[] = [];
  for (const question of questions(what)) {
    const made = await change(talk, question, waiting, begun, (id) => touches(talk, id, ids, waiting));
    if (!made.ok) return made;
    begunBy.push(...made.value);
  }
  const deployed = await deployedAll(talk, begunBy, ids, waiting, begun);
  return deployed.ok ? wellAll(talk, what, waiting, begun) : deployed;
}

/** A group that is said anew loses what is not said: it has to be ours alone. */
async function groupProblem(
  talk: Talk,
  { apps: list, group }: Launch,
  { signal }: Waiting,
): Promise<Problem | undefined> {
  if (group === undefined) return undefined;
  if (!isPath(group)) return { code: 'app-id', what: `"${group}" is not the id of a group.` };
  const stray = list.find(({ id }) => !id.startsWith(`${group}/`));
  if (stray !== undefined) return { code: 'app-id', what: `${stray.id} is no app of the group ${group}.` };
  const there = await apps(talk, `${group}/`, signal);
  if (!there.ok) return there.problem;
  const other = there.value.find(({ id }) => id.startsWith(`${group}/`) && !list.some((app) => app.id === id));
  return (
    other && {
      code: 'marathon-group-taken',
      what: `the group ${group} has apps that are not ours: ${other.id}.`,
      rule: 'a group that is put loses the apps that it is put without.',
    }
  );
}

function questions({ apps: list, group }: Launch): Question[] {
  if (group !== undefined) return [{ method: 'PUT', path: `/v2/groups${group}`, body: { id: group, apps: list } }];
  return list.map((app) => ({ method: 'PUT', path: `/v2/apps${app.id}`, body: app }));
}

/** These ids are nobody else's: a deployment that has to do with one of them is ours. */
async function touches(talk: Talk, id: string, ids: readonly string[], { signal }: Waiting): Promise<Told<boolean>> {
  const going = await deployments(talk, signal);
  return going.ok ? told((going.value.get(id) ?? []).some((app) => ids.includes(app))) : going;
}

async function deployedAll(
  talk: Talk,
  begunBy: readonly string[],
  ids: readonly string[],
  waiting: Waiting,
  begun: number,
): Promise<Told<true>> {
  let left: readonly string[] = begunBy;
  let seen: readonly MarathonApp[] = [];
  const late = async () => notUp(talk, ids, seen, `the deployment ${some(left)} is not finished`, waiting);
  return until(waiting, begun, late, async () => {
    const going = await deployments(talk, waiting.signal);
    if (!going.ok) return going;
    left = begunBy.filter((id) => going.value.has(id));
    if (left.length === 0) return told(true as const);
    const found = await mine(talk, ids, waiting);
    if (!found.ok) return found;
    seen = found.value;
    const missing = ids.filter((id) => wellOf(seen, id) === undefined);
    const ms = performance.now() - begun;
    waiting.onProgress?.({ what: 'deployment', done: ids.length - missing.length, of: ids.length, ms, missing });
    return told(undefined);
  });
}

/** A deployment that is gone may have been finished, or cancelled: what counts is the tasks. */
async function wellAll(
  talk: Talk,
  { apps: list }: Launch,
  waiting: Waiting,
  begun: number,
): Promise<Told<readonly LaunchedApp[]>> {
  const ids = list.map(({ id }) => id);
  let seen: readonly MarathonApp[] = [];
  const late = async () => notUp(talk, ids, seen, 'the deployment is finished', waiting);
  return until(waiting, begun, late, async () => {
    const found = await mine(talk, ids, waiting);
    if (!found.ok) return found;
    seen = found.value;
    const well = ids.map((id) => wellOf(seen, id));
    const missing = ids.filter((_, index) => well[index] === undefined);
    const ms = performance.now() - begun;
    waiting.onProgress?.({ what: 'tasks', done: ids.length - missing.length, of: ids.length, ms, missing });
    return told(missing.length > 0 ? undefined : well.flatMap((task) => (task === undefined ? [] : [launched(task)])));
  });
}

function wellOf(seen: readonly MarathonApp[], id: string): MarathonTask | undefined {
  const app = seen.find((one) => one.id === id);
  return app && (app.tasks ?? []).find((task) => running(task) && healthy(app, task));
}

/** One question for all: by what their ids have in common. */
async function mine(talk: Talk, ids: readonly string[], { signal }: Waiting): Promise<Told<readonly MarathonApp[]>> {
  const found = await apps(talk, common(ids), signal);
  return found.ok ? told(found.value.filter(({ id }) => ids.includes(id))) : found;
}

function common(ids: readonly string[]): string {
  const [first = '/', ...rest] = ids;
  let length = first.length;
  for (const id of rest) while (!id.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, Math.max(1, length));
}

/** What is known of the tasks that are missing when the time is over. */
async function notUp(
  talk: Talk,
  ids: readonly string[],
  seen: readonly MarathonApp[],
  state: string,
  { limitMs, signal }: Waiting,
): Promise<Problem> {
  const missing = ids.filter((id) => wellOf(seen, id) === undefined);
  const queue = await waitingForOffers(talk, signal);
  const why = missing.slice(0, 3).map((id) => `${id}: ${whyNot(seen, id, queue)}`);
  return {
    code: 'marathon-not-up',
    what: `${missing.length} of ${ids.length} tasks are not up after ${(limitMs / 1000).toFixed(0)} s, and ${state}. ${why.join('; ')}.`,
    remedy: 'look at the task in the web pages of Mesos: its sandbox has stderr; at the agents: enough cpus and memory',
  };
}

function whyNot(seen: readonly MarathonApp[], id: string, queue: ReadonlyMap<string, string>): string {
  const app = seen.find((one) => one.id === id);
  if (app === undefined) return 'Marathon does not know it: its deployment was cancelled, or another one removed it';
  const { lastTaskFailure: last, tasks = [] } = app;
  const failure = last ? `its last task ended with ${last.state ?? 'no state'}: ${last.message?.trim() ?? ''}` : '';
  const [task] = tasks ?? [];
  const runs = task && running(task) ? 'its task runs, and its health check does not pass' : undefined;
  const at = task ? `its task on ${task.host} is ${task.state ?? 'staged'}` : undefined;
  const now = runs ?? at ?? queue.get(id) ?? 'it has no task';
  return [now, failure].filter((part) => part !== '').join('; ');
}

/** Best effort: an explanation that cannot be had must not hide what it was to explain. */
async function waitingForOffers(talk: Talk, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>> {
  const reply = await talk({ method: 'GET', path: '/v2/queue' }, signal);
  const read = reply.ok ? readQueue('GET /v2/queue', reply.value) : undefined;
  if (!read?.ok) return new Map();
  return new Map(
    read.value.queue.flatMap(({ app, processedOffersSummary }) => {
      if (!app) return [];
      const declined = (processedOffersSummary?.rejectSummaryLastOffers ?? [])
        .filter((one) => (one.declined ?? 0) > 0)
        .map((one) => `${one.reason} ${one.declined ?? 0}`);
      const reasons = declined.length === 0 ? '' : ` (declined for ${declined.join(', ')})`;
      return [[app.id, `no agent has offered what it needs${reasons}`] as const];
    }),
  );
}
