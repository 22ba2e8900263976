/**
 * The lab's stand-in for Marathon and the Mesos agent: starts a task as a network namespace and wires it as Calico's
 * plugins do. What it leaves in etcd is what they leave there.
 */
import { endpointWrite, keys, type WorkloadEndpoint, type Write } from '../datastore/calico.ts';
import type { Etcd } from '../datastore/etcd.ts';
import type { Shell } from '../shell/shell.ts';
import type { LabTask, TaskRequest } from './api.ts';
import { Ipam } from './ipam.ts';
import { runBatches } from './ip.ts';
import { stableId, type LabHost, type Topology } from './topology.ts';
import { taskBatches } from './wiring.ts';

/** The MAC address that libnetwork-plugin gives to every endpoint: there is no bridge on which it could clash. */
const mac = 'ee:ee:ee:ee:ee:ee';

export class Launcher {
  readonly tasks = new Map<string, LabTask>();
  readonly #shell: Shell;
  readonly #topology: Topology;
  readonly #ipam = new Ipam();

  constructor(shell: Shell, topology: Topology) {
    this.#shell = shell;
    this.#topology = topology;
  }

  async attach(requests: readonly TaskRequest[], etcd: Etcd): Promise<{ tasks: LabTask[]; index: number }> {
    const tasks = requests.map((request): LabTask => {
      if (this.tasks.has(request.name)) throw new Error(`a task ${request.name} runs already`);
      const id = stableId('endpoint', request.name);
      return {
        ...request,
        address: this.#ipam.assign(this.#host(request.host), handle(request.name)),
        interface: `cali${id.slice(0, 11)}`,
      };
    });
    const wires = tasks.map((task) => ({ ...task, task: task.name, mac }));
    await runBatches(this.#shell, taskBatches(wires, this.#topology.mtu));
    for (const task of tasks) this.tasks.set(task.name, task);
    const hosts = [...new Set(tasks.map((task) => task.host))].map((name) => this.#host(name));
    const write = (writes: readonly Write[]): Promise<number[]> =>
      Promise.all(writes.map(({ key, value }) => etcd.set(key, value)));
    await write(hosts.map((host) => this.#ipam.write(host)));
    // Only what Felix follows has an index that it can be waited for.
    const indexes = await write(tasks.map((task) => endpointWrite(endpoint(task))));
    return { tasks, index: Math.max(0, ...indexes) };
  }

  async detach(names: readonly string[], etcd: Etcd): Promise<number> {
    let index = 0;
    for (const name of names) {
      const task = this.tasks.get(name);
      if (!task) throw new Error(`no task ${name}`);
      const host = this.#host(task.host);
      index = Math.max(index, await etcd.delete(keys.endpoint(endpoint(task))));
      this.#ipam.release(host, handle(name));
      const { key, value } = this.#ipam.write(host);
      await etcd.set(key, value);
      this.tasks.delete(name);
    }
    await runBatches(this.#shell, [{ lines: names.map((name) => `netns del ${name}`) }]);
    return index;
  }

  #host(name: string): LabHost {
    const host = this.#topology.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }
}

const handle = (task: string): string => stableId('container', task);

function endpoint(task: LabTask): WorkloadEndpoint {
  return {
    host: task.host,
    orchestrator: task.orchestrator,
    workload: task.orchestrator === 'libnetwork' ? 'libnetwork' : stableId('container', task.name),
    id: stableId('endpoint', task.name),
    interface: task.interface,
    mac,
    profiles: task.profiles,
    address: task.address,
  };
}
