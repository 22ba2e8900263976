/** The stand-in's answers, in the form of a version of Marathon. */
import { compare } from '../../release/version.ts';
import { isDocker, type GivenApp } from './app.ts';
import { meant, showsAddress } from './meant.ts';
import type { Settings } from './rules.ts';
import { agentId, tasksOf, type Deployment, type Held, type Task, type World } from './world.ts';
import { fitting } from './work.ts';

export function infoView({ version, defaultNetwork }: Settings, world: World, leader: string | undefined): object {
  return {
    name: 'marathon',
    version,
    elected: leader !== undefined,
    leader: leader ?? null,
    frameworkId: world.framework,
    marathon_config: { master: 'zk://127.0.0.1:2181/mesos', default_network_name: defaultNetwork ?? null },
    zookeeper_config: { zk: 'zk://127.0.0.1:2181/marathon' },
    http_config: { http_port: 8080, https_port: 8443 },
  };
}

export function taskView(world: World, task: Task, { version }: Settings): object {
  const held = world.apps.get(task.app);
  const shown = task.runs !== undefined && held !== undefined && showsAddress(held.app, version);
  const addresses = (task.runs?.addresses ?? []).map((ipAddress) => ({ ipAddress, protocol: 'IPv4' }));
  const instance = compare(version, '1.4') < 0 ? { taskId: task.id } : { instanceId: task.id };
  const results = task.alive.flatMap((alive) =>
    alive === undefined ? [] : [{ alive, consecutiveFailures: alive ? 0 : 1, lastFailure: null, ...instance }],
  );
  return {
    id: task.id,
    appId: task.app,
    host: task.agent.hostname,
    slaveId: agentId(world, task.agent),
    ports: [],
    stagedAt: task.stagedAt,
    startedAt: task.startedAt ?? null,
    version: held?.version ?? null,
    // 0.14 gives null where there is none, later versions leave it out or give an empty list.
    ipAddresses: shown ? addresses : compare(version, '1.0') < 0 ? null : [],
    ...(results.length > 0 ? { healthCheckResults: results } : {}),
    ...(compare(version, '1.2') < 0 ? {} : { state: task.state }),
    ...(compare(version, '1.8') < 0 ? {} : { region: 'primary', zone: 'a' }),
  };
}

/** `embeds`: `tasks`, `counts`, `deployments`, `lastTaskFailure`; without them, the app alone. */
export function appView(world: World, held: Held, settings: Settings, embeds: ReadonlySet<string>): object {
  const { app, version, failure } = held;
  const tasks = tasksOf(world, app.id);
  const of = (id: string): boolean =>
    [...(world.deployments.get(id)?.starts ?? []), ...(world.deployments.get(id)?.stops ?? [])].includes(app.id);
  return {
    ...canonical(app, settings),
    version,
    ...(embeds.has('tasks') ? { tasks: tasks.map((task) => taskView(world, task, settings)) } : {}),
    ...(embeds.has('counts')
      ? {
          tasksStaged: tasks.filter(({ state }) => state === 'TASK_STAGING').length,
          tasksRunning: tasks.filter(({ state }) => state === 'TASK_RUNNING').length,
          tasksHealthy: tasks.filter(({ alive }) => alive.length > 0 && alive.every(Boolean)).length,
          tasksUnhealthy: tasks.filter(({ alive }) => alive.includes(false)).length,
        }
      : {}),
    ...(embeds.has('deployments')
      ? { deployments: [...world.deployments.keys()].filter(of).map((id) => ({ id })) }
      : {}),
    ...(embeds.has('lastTaskFailure') && failure
      ? {
          lastTaskFailure: {
            appId: app.id,
            host: failure.host,
            message: failure.message,
            state: failure.state,
            taskId: failure.task,
            timestamp: failure.at,
            version,
          },
        }
      : {}),
  };
}

/** Up to 1.4 as it was given, with nulls; from 1.5 on whatever was given is told in the words of 1.5. */
function canonical(app: GivenApp, { version, defaultNetwork }: Settings): object {
  const given = { ...app, instances: app.instances ?? 1, healthChecks: app.healthChecks ?? [] };
  if (compare(version, '1.5') < 0) return { ipAddress: null, container: null, args: null, user: null, ...given };
  const how = meant(app, version, defaultNetwork);
  const { container } = given;
  const older = ['ipAddress', 'ports', 'networks', 'container'];
  const rest = Object.fromEntries(Object.entries(given).filter(([field]) => !older.includes(field)));
  const name = how !== 'no bridge' && how.kind === 'network' ? how.name : '';
  const image = container?.docker?.image;
  return {
    ...rest,
    role: '*',
    networks: name === '' ? [{ mode: 'host' }] : [{ mode: 'container', name }],
    ...(container === undefined
      ? {}
      : {
          container: {
            type: isDocker(app) ? 'DOCKER' : 'MESOS',
            ...(image === undefined ? {} : { docker: { image, parameters: container.docker?.parameters ?? [] } }),
            portMappings: [],
            volumes: [],
          },
        }),
  };
}

export function deploymentView({ id, version, starts, stops }: Deployment): object {
  const actions = [
    ...starts.map((app) => ({ action: 'StartApplication', app })),
    ...stops.map((app) => ({ action: 'StopApplication', app })),
  ];
  return {
    id,
    version,
    affectedApps: [...starts, ...stops],
    steps: actions.map((action) => ({ actions: [action] })),
    currentActions: actions,
    currentStep: 1,
    totalSteps: actions.length,
  };
}

/** Apps that lack tasks. From 1.4 on, with why agents were declined. */
export function queueView(world: World, settings: Settings): object {
  const queue = [...world.apps.values()].flatMap((held) => {
    const missing = (held.app.instances ?? 1) - tasksOf(world, held.app.id).length;
    if (missing <= 0) return [];
    const declined = world.agents.length - fitting(world, held.app).length;
    const summary = {
      processedOffersSummary: {
        rejectSummaryLastOffers: [{ reason: 'UnfulfilledConstraint', declined, processed: world.agents.length }],
      },
    };
    return [
      {
        count: missing,
        delay: { timeLeftSeconds: 0, overdue: true },
        app: canonical(held.app, settings),
        ...(compare(settings.version, '1.4') < 0 ? {} : summary),
      },
    ];
  });
  return { queue };
}
