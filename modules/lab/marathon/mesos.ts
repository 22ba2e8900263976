/** The HTTP of Mesos' masters and agents, as a version answers it. */
import type { Reply } from '../../mesos/http.ts';
import { compare } from '../../release/version.ts';
import type { StandInAgent } from './run.ts';
import { json, page, type Asked } from './wire.ts';
import { agentId, type Task, type World } from './world.ts';

/** `leader`: `host:port` of the master that leads, where one does. */
export function masterReply(
  world: World,
  version: string,
  self: string,
  leader: string | undefined,
  asked: Asked,
): Reply {
  const path = asked.path.replace(/^\/master(?=\/)/, '').replace(/\.json$/, '');
  // One that knows of no leader leads to itself.
  if (path === '/redirect') return { status: 307, body: '', headers: { location: `//${leader ?? self}` } };
  if (path === '/version') return json(200, { version });
  if (path === '/metrics/snapshot') return json(200, { 'master/elected': leader === self ? 1 : 0 });
  if (path !== '/state' && path !== '/slaves') return page(404, 'Not Found');
  const follows = leader !== self;
  if (follows && leader !== undefined && compare(version, '1.0') >= 0)
    return { status: 307, body: '', headers: { location: `//${leader}${asked.path}` } };
  if (follows && leader === undefined && compare(version, '1.0') >= 0) return page(503, 'No leader elected');
  const slaves = follows ? [] : world.agents.map((agent) => slaveView(world, agent, version));
  if (path === '/slaves') return json(200, { slaves });
  return json(200, {
    version,
    id: world.cluster,
    pid: `master@${self}`,
    hostname: self.split(':')[0],
    activated_slaves: slaves.length,
    deactivated_slaves: 0,
    ...(leader === undefined ? {} : { leader: `master@${leader}` }),
    flags: { quorum: '1', zk: 'zk://127.0.0.1:2181/mesos' },
    slaves,
    frameworks: follows ? [] : [frameworkView(world, [...world.tasks.values()], version)],
    completed_frameworks: [],
    orphan_tasks: [],
    unregistered_frameworks: [],
  });
}

const slaveView = (world: World, agent: StandInAgent, version: string): object => ({
  id: agentId(world, agent),
  pid: `slave(1)@${agent.address}`,
  hostname: agent.hostname,
  attributes: agent.attributes ?? {},
  resources: { cpus: 4, mem: 4096, disk: 10_000, ports: '[31000-32000]' },
  active: true,
  version,
});

const frameworkView = (world: World, tasks: readonly Task[], version: string): object => ({
  id: world.framework,
  name: 'marathon',
  active: true,
  tasks: tasks.map((task) => taskView(world, task, version)),
  completed_tasks: [],
});

/** Marathon names the tasks of an app after its path, from the end. */
export const taskTitle = (app: string): string => app.slice(1).split('/').reverse().join('.');

function taskView(world: World, task: Task, version: string): object {
  const statuses = task.runs
    ? [{ state: 'TASK_RUNNING', timestamp: (task.startedMs ?? 0) / 1000, container_status: statusView(task, version) }]
    : [];
  return {
    id: task.id,
    name: taskTitle(task.app),
    framework_id: world.framework,
    // A command task has an executor of its own.
    executor_id: '',
    slave_id: agentId(world, task.agent),
    state: task.state,
    resources: { cpus: 0.1, mem: 32 },
    statuses,
  };
}

/** The container and its process are in it from 1.0 on. */
const statusView = ({ runs }: Task, version: string): object => ({
  ...(compare(version, '1.0') < 0
    ? {}
    : {
        container_id: { value: runs?.containerId ?? '' },
        ...(runs?.pid === undefined ? {} : { executor_pid: runs.pid }),
      }),
  network_infos: [{ ip_addresses: (runs?.addresses ?? []).map((ip_address) => ({ protocol: 'IPv4', ip_address })) }],
});

export function agentReply(world: World, version: string, agent: StandInAgent, asked: Asked): Reply {
  const path = asked.path.replace(/^\/slave\(1\)(?=\/)/, '').replace(/\.json$/, '');
  const tasks = [...world.tasks.values()].filter((task) => task.agent === agent && task.runs !== undefined);
  if (path === '/state')
    return json(200, {
      version,
      id: agentId(world, agent),
      pid: `slave(1)@${agent.address}`,
      hostname: agent.hostname,
      attributes: agent.attributes ?? {},
      flags: { containerizers: agent.containerizers.join(','), isolation: agent.isolation.join(','), port: '5051' },
      frameworks: tasks.length === 0 ? [] : [{ id: world.framework, name: 'marathon', executors: tasks.map(executor) }],
      completed_frameworks: [],
    });
  if (path === '/containers' && compare(version, '1.0') >= 0)
    return json(
      200,
      tasks.map((task) => containerView(world, task, version)),
    );
  return page(404, 'Not Found');

  function executor(task: Task): object {
    return {
      id: task.id,
      name: `Command Executor (Task: ${task.id})`,
      source: task.id,
      container: task.runs?.containerId ?? '',
      tasks: [taskView(world, task, version)],
      queued_tasks: [],
      completed_tasks: [],
    };
  }
}

const containerView = (world: World, task: Task, version: string): object => ({
  framework_id: world.framework,
  executor_id: task.id,
  executor_name: `Command Executor (Task: ${task.id})`,
  source: task.id,
  container_id: task.runs?.containerId ?? '',
  statistics: { timestamp: Date.now() / 1000 },
  status: statusView(task, version),
});
