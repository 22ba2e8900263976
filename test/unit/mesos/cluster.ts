/** A cluster of the stand-in on real sockets, whose tasks are only entries in a list. */
import { onTestFinished } from 'vitest';
import { listen, type Listening } from '../../../modules/lab/marathon/listen.ts';
import type { Runner, Runs, TaskToRun } from '../../../modules/lab/marathon/run.ts';
import { standIn, type StandIn } from '../../../modules/lab/marathon/stand-in.ts';
import { page, type Handle } from '../../../modules/lab/marathon/wire.ts';
import type { Patience } from '../../../modules/mesos/call.ts';
import { through } from '../../../modules/mesos/doors.ts';
import { over, type Ask } from '../../../modules/mesos/http.ts';
import { marathon, type Marathon } from '../../../modules/mesos/marathon.ts';
import type { Waiting } from '../../../modules/mesos/wait.ts';

/** Starts nothing, and remembers what it was asked to. */
export interface Listed extends Runner {
  readonly running: ReadonlyMap<string, TaskToRun>;
  /** What a start does instead, and whether a health check passes. */
  fault: ((task: TaskToRun) => void) | undefined;
  well: boolean;
  ends: number;
}

export function listed(): Listed {
  const running = new Map<string, TaskToRun>();
  let count = 0;
  return {
    running,
    fault: undefined,
    well: true,
    ends: 0,
    start(task) {
      this.fault?.(task);
      running.set(task.id, task);
      count += 1;
      const addresses = task.attachment.kind === 'host' ? [`10.64.0.${task.agent.slice(1)}`] : [`192.168.0.${count}`];
      return Promise.resolve<Runs>({ containerId: `c-${count}`, pid: 4000 + count, addresses });
    },
    end(id) {
      this.ends += 1;
      running.delete(id);
      return Promise.resolve();
    },
    healthy() {
      return Promise.resolve(this.well);
    },
  };
}

export interface TestCluster {
  readonly stand: StandIn;
  readonly runner: Listed;
  readonly client: Marathon;
  /** Of the first instance of Marathon, and of both. */
  readonly ask: Ask;
  readonly asks: Ask;
  /** `host:port` of the two instances of Marathon, the two masters, the agents. */
  readonly marathons: readonly Listening[];
  readonly masters: readonly Listening[];
  readonly agents: Readonly<Record<string, Ask>>;
  /** `GET /v2/info`, as they came to the first instance. */
  readonly seen: string[];
  /** In place of the first instance's own answer; undefined lets it answer. */
  before: Handle2 | undefined;
}
type Handle2 = (...asked: Parameters<Handle>) => ReturnType<Handle> | undefined;

export const soon: Patience = { limitMs: 3_000, attemptMs: 500, pauseMs: 10 };
export const waiting: Waiting = { limitMs: 8_000, pauseMs: 15 };
export const pace = { deployMs: 40, offerMs: 10, tickMs: 10 };

export async function cluster(
  version: string,
  over_: { mesos?: string; pace?: typeof pace } = {},
): Promise<TestCluster> {
  const runner = listed();
  const stand = standIn({
    version,
    mesos: over_.mesos ?? '1.4.0',
    pace: over_.pace ?? pace,
    runner,
    agents: ['a1', 'a2'].map((hostname) => ({
      hostname,
      address: `${hostname}:5051`,
      containerizers: ['docker', 'mesos'],
      isolation: ['network/cni'],
      attributes: { rack: hostname },
    })),
  });
  const open: Listening[] = [];
  const all = { before: undefined as Handle2 | undefined, seen: [] as string[] };
  const up = async (of: (self: string) => Handle, first = false): Promise<Listening> => {
    let handle: Handle = () => page(503, 'starting');
    const listening = await listen((asked) => {
      if (first) all.seen.push(`${asked.method} ${asked.path}`);
      return (first ? all.before?.(asked) : undefined) ?? handle(asked);
    });
    handle = of(listening.name);
    open.push(listening);
    return listening;
  };
  const marathons = [await up(stand.marathon, true), await up(stand.marathon)];
  const masters = [await up(stand.master), await up(stand.master)];
  const agents: Record<string, Ask> = {};
  for (const name of ['a1', 'a2']) agents[name] = asking(await up(() => stand.agent(name)));
  stand.lead('marathon', marathons[0]!.name);
  stand.lead('mesos', masters[0]!.name);
  onTestFinished(async () => {
    await stand.close();
    for (const one of open) await one.close();
  });
  const ask = asking(marathons[0]!);
  const asks = through(marathons.map((one) => ({ names: [one.name], ask: asking(one) })));
  return Object.assign(all, { stand, runner, client: marathon(ask, soon), ask, asks, marathons, masters, agents });
}

export const asking = ({ port }: Listening): Ask => over({ host: '127.0.0.1', port });
