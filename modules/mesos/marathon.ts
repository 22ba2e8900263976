/**
 * Marathon, as a launcher of probe tasks. Everything that changes something is a PUT or a DELETE: said twice it is the
 * same, so that a request whose answer was lost is safe to repeat.
 */
import { readInfo, readLeader } from './answers.ts';
import { appOf, type App, type ProbeTask } from './apps.ts';
import { call, usualPatience, type Patience } from './call.ts';
import { end } from './end.ts';
import type { Problem } from '../problem/problem.ts';
import type { Ask } from './http.ts';
import { launch, type Launch } from './launch.ts';
import type { Talk } from './talk.ts';
import { failed, told, type Told } from './told.ts';
import type { LaunchedApp, Waiting } from './wait.ts';

export interface Info {
  readonly version: string;
  /** `host:port`, where one is elected. */
  readonly leader: string | undefined;
  readonly frameworkId: string | undefined;
  /** For tasks that name no network: `--default_network_name`. */
  readonly defaultNetwork: string | undefined;
}

export interface Marathon {
  info(signal?: AbortSignal): Promise<Told<Info>>;
  /** `host:port`; a problem where nobody leads. */
  leader(signal?: AbortSignal): Promise<Told<string>>;
  /** The apps of these tasks, in the form that this Marathon takes; all problems at once. */
  apps(tasks: readonly ProbeTask[], signal?: AbortSignal): Promise<AppsTold>;
  /**
   * Starts apps, and waits until every task runs and is healthy. What was begun before a problem stays for `end`, which
   * takes ids of apps and groups, known to Marathon or not.
   */
  launch(what: Launch, waiting: Waiting): Promise<Told<readonly LaunchedApp[]>>;
  /** Ends apps and groups, whatever is going on with them, and waits until no task of theirs is left. */
  end(ids: readonly string[], waiting: Waiting): Promise<Told<undefined>>;
}

export type AppsTold =
  | { readonly ok: true; readonly value: readonly App[] }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] };

export function marathon(ask: Ask, patience: Patience = usualPatience): Marathon {
  const talk: Talk = (question, signal) => call('marathon', ask, question, patience, signal);
  const info = (signal?: AbortSignal): Promise<Told<Info>> => infoOf(talk, signal);
  return {
    info,
    leader: (signal) => leaderOf(talk, signal),
    apps: async (tasks, signal) => {
      const about = await info(signal);
      return about.ok ? formed(tasks, about.value.version) : { ok: false, problems: [about.problem] };
    },
    launch: (what, waiting) => launch(talk, what, waiting),
    end: (ids, waiting) => end(talk, ids, waiting),
  };
}

function formed(tasks: readonly ProbeTask[], version: string): AppsTold {
  const all = tasks.map((task) => appOf(task, version));
  const [first, ...more] = all.flatMap((one) => (one.ok ? [] : [one.problem]));
  if (first !== undefined) return { ok: false, problems: [first, ...more] };
  return { ok: true, value: all.flatMap((one) => (one.ok ? [one.value] : [])) };
}

async function infoOf(talk: Talk, signal: AbortSignal | undefined): Promise<Told<Info>> {
  const reply = await talk({ method: 'GET', path: '/v2/info' }, signal);
  if (!reply.ok) return reply;
  const read = readInfo('GET /v2/info', reply.value);
  if (!read.ok) return read;
  const { version, leader, frameworkId, marathon_config } = read.value;
  return told({
    version,
    leader: leader ?? undefined,
    frameworkId: frameworkId ?? undefined,
    defaultNetwork: marathon_config?.default_network_name ?? undefined,
  });
}

async function leaderOf(talk: Talk, signal: AbortSignal | undefined): Promise<Told<string>> {
  const reply = await talk({ method: 'GET', path: '/v2/leader' }, signal);
  if (!reply.ok) return reply;
  if (reply.value.status === 404)
    return failed({
      code: 'marathon-no-leader',
      what: 'Marathon has no leader.',
      remedy: 'look at its log for ZooKeeper, and for the Mesos master that it registers with',
    });
  const read = readLeader('GET /v2/leader', reply.value);
  return read.ok ? told(read.value.leader) : read;
}
