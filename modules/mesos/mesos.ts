/** Mesos' masters and agents, as far as a probe of a cluster asks them: who leads, who is registered, where a task is. */
import { call, usualPatience, type Patience } from './call.ts';
import { leaderOf } from './doors.ts';
import type { Ask } from './http.ts';
import {
  readAgent,
  readContainers,
  readMaster,
  readSlaves,
  type ContainerJson,
  type ExecutorJson,
  type SlaveJson,
  type StatusJson,
  type TaskJson,
} from './states.ts';
import { failed, told, type Told } from './told.ts';

export interface RegisteredAgent {
  readonly id: string;
  readonly hostname: string;
  /** `host:port` where it listens. */
  readonly address: string;
  readonly active: boolean;
  readonly version: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface MesosTask {
  readonly id: string;
  readonly agent: string;
  readonly state: string;
  readonly framework: string | undefined;
  /** The executor's id; a command task's own executor has the task's. */
  readonly executor: string;
  /** What the newest status that speaks of the container says. */
  readonly containerId: string | undefined;
  readonly pid: number | undefined;
  readonly addresses: readonly string[];
  readonly networks: readonly string[];
}

export interface MasterState {
  readonly version: string;
  /** `host:port`. */
  readonly leader: string | undefined;
  readonly agents: readonly RegisteredAgent[];
  readonly frameworks: readonly { readonly id: string; readonly name: string; readonly active: boolean }[];
  readonly tasks: readonly MesosTask[];
}

export interface AgentState {
  readonly version: string;
  readonly id: string;
  readonly hostname: string;
  readonly address: string;
  readonly containerizers: readonly string[];
  readonly isolation: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** One for each executor that runs. */
  readonly executors: readonly Executor[];
}

export interface Executor {
  readonly id: string;
  readonly framework: string;
  readonly containerId: string | undefined;
  readonly tasks: readonly MesosTask[];
}

export interface Container {
  readonly id: string;
  readonly executor: string | undefined;
  readonly framework: string | undefined;
  /** Of its first process, as the agent's host counts; its network namespace is the task's. */
  readonly pid: number | undefined;
  readonly addresses: readonly string[];
}

export interface Master {
  /** `host:port` of the master that leads. */
  leader(signal?: AbortSignal): Promise<Told<string>>;
  /** Of the master that leads; another one's is a problem. */
  state(signal?: AbortSignal): Promise<Told<MasterState>>;
  /** As the master knows them: one that follows, and is older than 1.0, knows none. */
  agents(signal?: AbortSignal): Promise<Told<readonly RegisteredAgent[]>>;
}

export interface Agent {
  state(signal?: AbortSignal): Promise<Told<AgentState>>;
  /** From 1.0 on; none before, where nothing says which process a container has. */
  containers(signal?: AbortSignal): Promise<Told<readonly Container[]>>;
}

export function master(ask: Ask, patience: Patience = usualPatience): Master {
  const get = (path: string, signal?: AbortSignal) => call('mesos', ask, { method: 'GET', path }, patience, signal);
  return {
    async leader(signal) {
      const reply = await redirect(ask, patience, signal);
      if (reply.ok) return reply;
      // A master behind a proxy that follows redirects itself still says who leads.
      const state = await get('/state', signal);
      const read = state.ok ? readMaster('GET /state', state.value) : state;
      const leader = read.ok ? hostOf(read.value.leader ?? '') : undefined;
      return leader === undefined ? reply : told(leader);
    },
    async state(signal) {
      const reply = await get('/state', signal);
      if (!reply.ok) return reply;
      const read = readMaster('GET /state', reply.value);
      if (!read.ok) return read;
      const { version, pid, leader, slaves, frameworks } = read.value;
      // One that follows redirects to the leader; an old one answers itself, and knows nothing.
      if (pid && leader && pid !== leader) return failed(follows(pid, leader));
      const all = frameworks ?? [];
      return told({
        version,
        leader: hostOf(leader ?? ''),
        agents: (slaves ?? []).map(registered),
        frameworks: all.map(({ id, name, active }) => ({ id, name: name ?? '', active: active !== false })),
        tasks: all.flatMap((framework) => (framework.tasks ?? []).map((task) => taskOf(task, framework.id))),
      });
    },
    async agents(signal) {
      const reply = await get('/slaves', signal);
      if (!reply.ok) return reply;
      const read = readSlaves('GET /slaves', reply.value);
      return read.ok ? told(read.value.slaves.map(registered)) : read;
    },
  };
}

const follows = (pid: string, leader: string) => ({
  code: 'mesos-elsewhere',
  what: `the master ${hostOf(pid) ?? pid} follows ${hostOf(leader) ?? leader}, and knows neither agents nor tasks.`,
  remedy: 'ask the one that leads',
});

/** The redirect is the answer. A master that knows of no leader redirects to itself. */
async function redirect(ask: Ask, patience: Patience, signal: AbortSignal | undefined): Promise<Told<string>> {
  let to: string | undefined;
  const listening: Ask = async (question, limitMs, until) => {
    const reply = await ask(question, limitMs, until);
    to = leaderOf(reply)?.host;
    // To whom it leads has been heard: it is no error here.
    return to === undefined ? reply : { ...reply, status: 200 };
  };
  const reply = await call('mesos', listening, { method: 'GET', path: '/master/redirect' }, patience, signal);
  if (!reply.ok) return reply;
  if (to !== undefined) return told(to);
  const what = `no master says who leads: GET /master/redirect was answered with ${reply.value.status}.`;
  return failed({ code: 'mesos-no-leader', what, remedy: 'look at ZooKeeper, and at the log of mesos-master' });
}

export function agent(ask: Ask, patience: Patience = usualPatience): Agent {
  const get = (path: string, signal?: AbortSignal) => call('mesos', ask, { method: 'GET', path }, patience, signal);
  return {
    async state(signal) {
      const reply = await get('/state', signal);
      if (!reply.ok) return reply;
      const read = readAgent('GET /state', reply.value);
      if (!read.ok) return read;
      const { version, id, hostname, pid, attributes, flags, frameworks } = read.value;
      return told({
        version,
        id,
        hostname,
        address: hostOf(pid) ?? pid,
        containerizers: words(flags?.['containerizers']),
        isolation: words(flags?.['isolation']),
        flags: flags ?? {},
        attributes: attributes ?? {},
        executors: (frameworks ?? []).flatMap((one) => (one.executors ?? []).map((each) => executorOf(each, one.id))),
      });
    },
    async containers(signal) {
      const reply = await get('/containers', signal);
      if (!reply.ok) return reply;
      if (reply.value.status === 404) return told([]);
      const read = readContainers('GET /containers', reply.value);
      return read.ok ? told(read.value.map(containerOf)) : read;
    },
  };
}

/** `slave(1)@10.0.0.2:5051`, `master@10.0.0.1:5050`. */
function hostOf(pid: string): string | undefined {
  const [, host] = /@(.+:\d+)$/.exec(pid) ?? [];
  return host;
}

const words = (flag: unknown): readonly string[] =>
  typeof flag === 'string' ? flag.split(',').map((word) => word.trim()) : [];

const registered = ({ id, pid, hostname, active, version, attributes }: SlaveJson): RegisteredAgent => ({
  id,
  hostname,
  address: hostOf(pid) ?? pid,
  active: active !== false,
  version: version ?? undefined,
  attributes: attributes ?? {},
});

function taskOf(task: TaskJson, framework: string | undefined): MesosTask {
  const statuses = [...(task.statuses ?? [])].sort((a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0));
  const status = statuses.map((one) => one.container_status).find((one) => one !== undefined && one !== null);
  const { executor_id } = task;
  return {
    id: task.id,
    agent: task.slave_id,
    state: task.state,
    framework: task.framework_id ?? framework,
    executor: executor_id === undefined || executor_id === null || executor_id === '' ? task.id : executor_id,
    containerId: status?.container_id?.value,
    pid: status?.executor_pid ?? undefined,
    addresses: addressesOf(status ?? undefined),
    networks: (status?.network_infos ?? []).flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
  };
}

const addressesOf = (status: StatusJson | undefined): readonly string[] =>
  (status?.network_infos ?? []).flatMap(({ ip_address, ip_addresses }) =>
    [...(ip_addresses ?? []).map((one) => one.ip_address), ...(ip_addresses ? [] : [ip_address])].flatMap((one) =>
      typeof one === 'string' ? [one] : [],
    ),
  );

const executorOf = ({ id, executor_id, container, tasks }: ExecutorJson, framework: string): Executor => ({
  id: id ?? executor_id ?? '',
  framework,
  containerId: container ?? undefined,
  tasks: (tasks ?? []).map((task) => taskOf(task, framework)),
});

function containerOf({ container_id, executor_id, framework_id, status, container_status }: ContainerJson): Container {
  const seen = status ?? container_status ?? undefined;
  return {
    id: container_id,
    executor: executor_id ?? undefined,
    framework: framework_id ?? undefined,
    pid: seen?.executor_pid ?? undefined,
    addresses: addressesOf(seen),
  };
}
