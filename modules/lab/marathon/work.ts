/**
 * What Mesos and Marathon do by themselves: launch what is missing where an agent fits, check health, carry deployments on
 * until they are done. One look at all of it every tick, as long as there is anything to do.
 */
import type { GivenApp } from './app.ts';
import { isDocker } from './app.ts';
import { meant } from './meant.ts';
import type { Settings } from './rules.ts';
import type { Pace, Runner, StandInAgent } from './run.ts';
import { taskId, tasksOf, well, type Held, type Task, type World } from './world.ts';

export interface Work {
  /** There is something to do, or there may be. */
  wake(): void;
  /** A task is gone, as when its agent or its process dies. */
  lose(id: string, message: string): Promise<void>;
  /** Ends all tasks; nothing is launched any more. */
  close(): Promise<void>;
}

export function work(world: World, runner: Runner, settings: Settings, pace: Pace): Work {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const going = new Set<Promise<void>>();
  const begin = (doing: Promise<void>): void => {
    going.add(doing);
    void doing.catch(() => undefined).finally(() => going.delete(doing));
  };

  const tick = (): void => {
    timer = undefined;
    if (closed) return;
    for (const [id, held] of world.apps) {
      const stopping = [...world.deployments.values()].some(({ stops }) => stops.includes(id));
      if (!stopping && Date.now() >= held.notBefore) launchMissing(id, held);
      for (const task of tasksOf(world, id)) {
        if (task.version === held.version) check(held.app, task);
        else kill(task);
      }
    }
    carryOn();
    wake();
  };
  const wake = (): void => {
    if (closed || timer !== undefined || (world.apps.size === 0 && world.deployments.size === 0)) return;
    timer = setTimeout(tick, pace.tickMs);
  };

  const launchMissing = (id: string, { app, version }: Held): void => {
    const missing = (app.instances ?? 1) - tasksOf(world, id).length;
    const agent = missing > 0 ? fitting(world, app)[0] : undefined;
    if (agent === undefined) return;
    const task: Task = {
      id: taskId(id, settings.version),
      app: id,
      version,
      agent,
      stagedAt: new Date().toISOString(),
      state: 'TASK_STAGING',
      alive: (app.healthChecks ?? []).map(() => undefined),
      checkedMs: 0,
      checking: false,
    };
    world.tasks.set(task.id, task);
    begin(launch(task, app));
  };

  const launch = async (task: Task, app: GivenApp): Promise<void> => {
    await new Promise((done) => setTimeout(done, pace.offerMs));
    const attachment = meant(app, settings.version, settings.defaultNetwork);
    try {
      if (attachment === 'no bridge') throw new Error('no bridge networks');
      const image = app.container?.docker?.image;
      task.runs = await runner.start({
        id: task.id,
        app: app.id,
        agent: task.agent.hostname,
        containerizer: isDocker(app) ? 'docker' : 'mesos',
        command: app.cmd ?? (app.args ?? []).join(' '),
        attachment,
        ...(image === undefined ? {} : { image }),
      });
    } catch (error) {
      fail(task, error instanceof Error ? error.message : String(error));
      return;
    }
    // It may have been killed while it was on its way.
    if (world.tasks.get(task.id)?.state !== 'TASK_STAGING') return runner.end(task.id);
    task.state = 'TASK_RUNNING';
    task.startedAt = new Date().toISOString();
    task.startedMs = Date.now();
  };

  const fail = (task: Task, message: string): void => {
    world.tasks.delete(task.id);
    const held = world.apps.get(task.app);
    if (held === undefined) return;
    held.failure = {
      message,
      state: 'TASK_FAILED',
      task: task.id,
      host: task.agent.hostname,
      at: new Date().toISOString(),
    };
    held.notBefore = Date.now() + pace.tickMs * 2;
  };

  const check = (app: GivenApp, task: Task): void => {
    const checks = app.healthChecks ?? [];
    if (checks.length === 0 || task.state !== 'TASK_RUNNING' || task.checking) return;
    // Until it is well, as often as we look; then as often as the app wants it.
    const every = task.alive.every(Boolean) ? Math.min(...checks.map((one) => one.intervalSeconds ?? 60)) * 1000 : 0;
    if (Date.now() - task.checkedMs < Math.max(every, pace.tickMs)) return;
    task.checking = true;
    begin(
      Promise.all(
        checks.map(async ({ protocol = 'HTTP', command }, index) => {
          // The stand-in reaches no port of a task: only what the executor runs in it has a result.
          const passed = protocol === 'COMMAND' && (await runner.healthy(task.id, command?.value ?? 'false'));
          const grace = (checks[index]?.gracePeriodSeconds ?? 300) * 1000;
          const graced = Date.now() - (task.startedMs ?? 0) < grace && task.alive[index] === undefined;
          if (passed || !graced) task.alive[index] = passed;
        }),
      )
        .then(() => undefined)
        .finally(() => {
          task.checking = false;
          task.checkedMs = Date.now();
        }),
    );
  };

  const kill = (task: Task): void => {
    if (task.state === 'TASK_KILLING') return;
    const staged = task.state === 'TASK_STAGING';
    task.state = 'TASK_KILLING';
    if (staged) world.tasks.delete(task.id);
    else begin(end(task));
  };
  const end = async (task: Task): Promise<void> => {
    await runner.end(task.id).catch(() => undefined);
    world.tasks.delete(task.id);
  };

  const carryOn = (): void => {
    for (const { id, begun, starts, stops } of world.deployments.values()) {
      for (const app of stops) for (const task of tasksOf(world, app)) kill(task);
      const stopped = stops.every((app) => tasksOf(world, app).length === 0);
      if (stopped) for (const app of stops) world.apps.delete(app);
      const early = starts.length > 0 && Date.now() - begun < pace.deployMs;
      if (stopped && !early && starts.every((app) => well(world, app))) world.deployments.delete(id);
    }
  };

  return {
    wake,
    lose: async (id, message) => {
      const task = world.tasks.get(id);
      if (task === undefined) throw new Error(`no task ${id}`);
      const { runs } = task;
      fail(task, message);
      if (runs !== undefined) await runner.end(id);
      wake();
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await Promise.allSettled(going);
      await Promise.all([...world.tasks.values()].map(end));
    },
  };
}

/** Agents on which an app's tasks may run: by its constraints, and by what the agents run. */
export function fitting(world: World, app: GivenApp): readonly StandInAgent[] {
  const containerizer = isDocker(app) ? 'docker' : 'mesos';
  return world.agents.filter(
    (agent) =>
      agent.containerizers.includes(containerizer) &&
      (app.constraints ?? []).every((constraint) => holds(constraint, agent)),
  );
}

function holds([field = '', operator = '', value]: readonly string[], agent: StandInAgent): boolean {
  const has = field === 'hostname' ? agent.hostname : agent.attributes?.[field];
  if (operator === 'CLUSTER' || operator === 'IS') return value === undefined || value === '' || has === value;
  if (operator === 'LIKE') return has !== undefined && new RegExp(`^(?:${value ?? ''})$`).test(has);
  if (operator === 'UNLIKE') return has === undefined || !new RegExp(`^(?:${value ?? ''})$`).test(has);
  // UNIQUE, GROUP_BY, MAX_PER are about the other tasks of an app; ours have one.
  return has !== undefined;
}
