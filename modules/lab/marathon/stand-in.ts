/**
 * Stands in for Mesos' masters and agents and for Marathon, in the HTTP dialect of their versions, so that the clients of
 * modules/mesos run against it as against them. It is strict where they are lenient: a form that a version does not know
 * is refused. Tasks are started by a `Runner`; in a process that ends, `close` ends them.
 */
import { compare } from '../../release/version.ts';
import { marathonReply, type Scene } from './marathon.ts';
import { agentReply, masterReply } from './mesos.ts';
import { published } from './published.ts';
import type { Settings } from './rules.ts';
import type { Pace, Runner, StandInAgent } from './run.ts';
import { json, page, type Handle } from './wire.ts';
import { work } from './work.ts';
import { newWorld, tasksOf } from './world.ts';

export interface StandInOptions extends Settings {
  /** Version of Mesos; `version` is Marathon's. */
  readonly mesos: string;
  readonly agents: readonly StandInAgent[];
  readonly runner: Runner;
  readonly pace: Pace;
}

export interface StandIn {
  /** One instance of Marathon, which is called `self` (`host:port`). */
  readonly marathon: (self: string) => Handle;
  readonly master: (self: string) => Handle;
  readonly agent: (hostname: string) => Handle;
  /** Who leads from now on, by its `host:port`; nobody without one. */
  lead(service: 'marathon' | 'mesos', leader?: string): void;
  /** Takes a task of an app away, as when its agent loses it. */
  lose(app: string, message?: string): Promise<void>;
  /** Ends every task. */
  close(): Promise<void>;
}

export function standIn(options: StandInOptions): StandIn {
  const { version, mesos, agents, runner, pace } = options;
  if (compare(version, '0.14') < 0 || compare(version, '1.12') >= 0)
    throw new Error(`the stand-in speaks Marathon 0.14 to 1.11, not ${version}`);
  const world = newWorld(agents);
  const leaders: { marathon?: string | undefined; mesos?: string | undefined } = {};
  const doing = work(world, runner, options, pace);
  const scene: Scene = {
    world,
    settings: options,
    work: doing,
    judge: published(version),
    leader: () => leaders.marathon,
  };
  return {
    marathon: (self) => (asked) => {
      const leader = leaders.marathon;
      if (leader === undefined && asked.path !== '/ping') return page(503, 'Could not determine the current leader');
      const reply = marathonReply(scene, asked);
      const headers = { ...reply.headers, 'x-marathon-leader': `http://${leader ?? ''}` };
      // One that follows asks the leader, and passes its answer on.
      return { ...reply, headers: leader === self ? headers : { ...headers, 'x-marathon-via': self } };
    },
    master: (self) => (asked) => masterReply(world, mesos, self, leaders.mesos, asked),
    agent: (hostname) => {
      const agent = agents.find((one) => one.hostname === hostname);
      return (asked) => (agent === undefined ? json(404, {}) : agentReply(world, mesos, agent, asked));
    },
    lead: (service, leader) => {
      leaders[service] = leader;
    },
    lose: async (app, message = 'Abnormal executor termination') => {
      const [task] = tasksOf(world, app);
      if (task === undefined) throw new Error(`${app} has no task`);
      await doing.lose(task.id, message);
    },
    close: () => doing.close(),
  };
}
