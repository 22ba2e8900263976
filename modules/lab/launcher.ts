/**
 * The lab's stand-in for Marathon and the Mesos agent: starts a task as a network namespace and wires it as Calico's
 * plugins do. What it leaves in etcd is what they leave there.
 */
import { endpointWrite, keys, type WorkloadEndpoint, type Write } from '../datastore/calico.ts';
import type { Etcd } from '../datastore/etcd.ts';
import { must, type Shell } from '../shell/shell.ts';
import type { LabTask, TaskRequest } from './api.ts';
import type { Engines } from './docker/engines.ts';
import type { Ipam } from './ipam.ts';
import { runSteps } from './ip.ts';
import { stableId, type LabHost, type Topology } from './topology.ts';
import { taskSteps } from './wiring.ts';

/** The MAC address that libnetwork-plugin gives to every endpoint: there is no bridge on which it could clash. */
const mac = 'ee:ee:ee:ee:ee:ee';

export class Launcher {
  readonly tasks = new Map<string, LabTask>();
  readonly #shell: Shell;
  readonly #topology: Topology;
  readonly #ipam: Ipam;
  readonly #engines: Engines | undefined;
  /** How often a task of each name was started: each time it is another endpoint, on another interface. */
  readonly #starts = new Map<string, number>();
  /** The last write of each host's block. */
  readonly #writing = new Map<string, Promise<unknown>>();

  /** `engines`: tasks on Docker's networks are containers of them. */
  constructor(shell: Shell, topology: Topology, ipam: Ipam, engines: Engines | undefined) {
    this.#ipam = ipam;
    this.#engines = engines;
    this.#shell = shell;
    this.#topology = topology;
  }

  async attach(requests: readonly TaskRequest[], etcd: Etcd): Promise<{ tasks: LabTask[]; index: number }> {
    const taken = new Set([...this.tasks.keys(), ...this.#topology.hosts.map((host) => host.name)]);
    for (const { name, host } of requests) {
      this.#host(host);
      if (taken.has(name)) throw new Error(`a task or host ${name} runs already`);
      taken.add(name);
    }
    const docker = requests.filter((request) => this.#inDocker(request));
    const plain = await this.#attachPlain(
      requests.filter((request) => !this.#inDocker(request)),
      etcd,
    );
    if (!this.#engines || docker.length === 0) return plain;
    const { tasks, index } = await this.#engines.run(docker).catch(async (error: unknown) => {
      // All or none.
      await this.detach(
        plain.tasks.map((task) => task.name),
        etcd,
      );
      throw error;
    });
    for (const task of tasks) this.tasks.set(task.name, task);
    return { tasks: [...plain.tasks, ...tasks], index: Math.max(plain.index, index) };
  }

  #inDocker({ orchestrator }: TaskRequest): boolean {
    return this.#engines !== undefined && orchestrator === 'libnetwork';
  }

  async #attachPlain(requests: readonly TaskRequest[], etcd: Etcd): Promise<{ tasks: LabTask[]; index: number }> {
    const tasks: LabTask[] = [];
    try {
      for (const request of requests) tasks.push(this.#plan(request));
      const wires = tasks.map((task) => ({ ...task, task: task.name, mac }));
      await runSteps(this.#shell, taskSteps(wires, this.#topology.mtu));
    } catch (error) {
      // All or none: what could not be started keeps no address and no namespace.
      for (const task of tasks) this.#ipam.release(this.#host(task.host), handle(task.name));
      await this.#shell.run(['ip', '-force', '-batch', '-'], { input: endLines(tasks.map((task) => task.name)) });
      throw error;
    }
    for (const task of tasks) this.tasks.set(task.name, task);
    const hosts = [...new Set(tasks.map((task) => task.host))].map((name) => this.#host(name));
    const write = (writes: readonly Write[]): Promise<number[]> =>
      Promise.all(writes.map(({ key, value }) => etcd.set(key, value)));
    await Promise.all(hosts.map((host) => this.#writeBlock(host, etcd)));
    // Only what Felix follows has an index that it can be waited for.
    const indexes = await write(tasks.map((task) => endpointWrite(endpoint(task))));
    return { tasks, index: Math.max(0, ...indexes) };
  }

  async detach(names: readonly string[], etcd: Etcd): Promise<number> {
    let index = 0;
    const tasks = names.map((name) => {
      const task = this.tasks.get(name);
      if (!task) throw new Error(`no task ${name}`);
      return task;
    });
    const containers = tasks.filter((task) => this.#inDocker(task));
    if (containers.length > 0) index = await this.#engines!.end(containers);
    for (const { name } of containers) this.tasks.delete(name);
    const plain = tasks.filter((task) => !containers.includes(task));
    for (const task of plain) {
      const host = this.#host(task.host);
      index = Math.max(index, await etcd.delete(keys.endpoint(endpoint(task))));
      this.#ipam.release(host, handle(task.name));
      await this.#writeBlock(host, etcd);
      this.tasks.delete(task.name);
    }
    const ended = plain.map((task) => task.name);
    await must(this.#shell, ['ip', '-batch', '-'], { input: endLines(ended), timeoutMs: 30_000 });
    return index;
  }

  /** Wires the tasks of a host once more, after the host was away; to the datastore they are the same. */
  async plugAgain(host: string): Promise<readonly LabTask[]> {
    const tasks = [...this.tasks.values()].filter((task) => task.host === host);
    const gone = endLines(tasks.map((task) => task.name));
    await this.#shell.run(['ip', '-force', '-batch', '-'], { input: gone, timeoutMs: 30_000 });
    const wires = tasks.map((task) => ({ ...task, task: task.name, mac }));
    await runSteps(this.#shell, taskSteps(wires, this.#topology.mtu));
    return tasks;
  }

  /** As it is when its turn comes: whoever starts or ends tasks at the same time must not write an older one over it. */
  #writeBlock(host: LabHost, etcd: Etcd): Promise<unknown> {
    const write = (): Promise<number> => {
      const { key, value } = this.#ipam.write(host);
      return etcd.set(key, value);
    };
    const done = (this.#writing.get(host.name) ?? Promise.resolve()).then(write, write);
    this.#writing.set(host.name, done);
    return done;
  }

  #plan(request: TaskRequest): LabTask {
    const start = this.#starts.get(request.name) ?? 0;
    const endpoint = stableId('endpoint', request.name, ...(start === 0 ? [] : [String(start)]));
    const address = this.#ipam.assign(this.#host(request.host), handle(request.name));
    this.#starts.set(request.name, start + 1);
    return { ...request, address, endpoint, interface: `cali${endpoint.slice(0, 11)}` };
  }

  #host(name: string): LabHost {
    const host = this.#topology.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }
}

const endLines = (names: readonly string[]): string => names.map((name) => `netns del ${name}\n`).join('');

const handle = (task: string): string => stableId('container', task);

function endpoint(task: LabTask): WorkloadEndpoint {
  return {
    host: task.host,
    orchestrator: task.orchestrator,
    workload: task.orchestrator === 'libnetwork' ? 'libnetwork' : stableId('container', task.name),
    id: task.endpoint,
    interface: task.interface,
    mac,
    profiles: task.profiles,
    address: task.address,
  };
}
