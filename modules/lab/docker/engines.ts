/** The engines of a lab together: networks that all of them see, and tasks as containers on them. */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd } from '../../datastore/etcd.ts';
import { must, which, type ChildProcess, type Shell } from '../../shell/shell.ts';
import type { LabTask, TaskRequest } from '../api.ts';
import type { Ipam } from '../ipam.ts';
import type { LabHost, Topology } from '../topology.ts';
import { endAll } from './cgroups.ts';
import { ask, awaitEngine, cgroupOf, EngineError, prepareEngines, startEngine } from './engine.ts';
import { startPlugin } from './plugin.ts';

const image = 'lab/busybox';

/** How long one step may take: a container's route, a command; milliseconds. A starved machine is slow. */
const limitMs = 30_000;

interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly EndpointID: string; readonly IPAddress: string }>>;
  };
}

export interface EnginesOptions {
  readonly shell: Shell;
  readonly topology: Topology;
  readonly etcd: Etcd;
  readonly ipam: Ipam;
  readonly restore: string;
  readonly log: (host: string) => string;
  readonly keep: (host: LabHost, child: ChildProcess) => void;
  /** Throws when an engine has ended. */
  readonly alive: () => void;
}

export class Engines {
  readonly #shell: Shell;
  readonly #topology: Topology;
  /** Index of the last write of a plugin. */
  #index = 0;

  constructor({ shell, topology }: EnginesOptions) {
    this.#shell = shell;
    this.#topology = topology;
  }

  /** Starts a plugin and an engine on each agent; comes back when all have the image that tasks run. */
  async start({ etcd, ipam, restore, log, keep, alive }: EnginesOptions): Promise<void> {
    const shell = this.#shell;
    const topology = this.#topology;
    const agents = topology.hosts.filter((host) => host.role === 'agent');
    const store = topology.hosts.find((host) => host.role === 'master')!.address;
    prepareEngines(restore);
    for (const host of agents) {
      const cgroup = cgroupOf(topology.engines!.id);
      keep(host, startEngine(shell, { host, store: `${store}:2379`, cgroup, log: log(host.name) }));
    }
    const queue = new Map<string, Promise<unknown>>();
    const wrote = (index: number): void => void (this.#index = Math.max(this.#index, index));
    await Promise.all(agents.map((host) => startPlugin({ shell, topology, etcd, ipam, queue, wrote }, host)));
    const rootfs = await busybox(shell);
    await Promise.all(
      agents.map(async (host) => {
        await awaitEngine(host.name, alive);
        await ask(host.name, 'POST', `/images/create?fromSrc=-&repo=${image}&tag=latest`, rootfs);
      }),
    );
  }

  /** Makes the networks that are not there, on one engine for all; gives the id of each, and those that it made. */
  async networks(names: readonly string[]): Promise<{ ids: Record<string, string>; made: string[] }> {
    const { ipamDriver } = this.#topology.engines!;
    const first = this.#first();
    const known = new Map((await ask<Network[]>(first, 'GET', '/networks')).map((one) => [one.Name, one.Id]));
    const made = names.filter((name) => !known.has(name));
    for (const name of made) {
      const body = { Name: name, CheckDuplicate: true, Driver: 'calico', IPAM: { Driver: ipamDriver } };
      known.set(name, (await ask<{ Id: string }>(first, 'POST', '/networks/create', body)).Id);
    }
    return { ids: Object.fromEntries(names.map((name) => [name, known.get(name)!])), made };
  }

  async dropNetworks(names: readonly string[]): Promise<void> {
    for (const name of names) await ask(this.#first(), 'DELETE', `/networks/${name}`);
  }

  async run(requests: readonly TaskRequest[]): Promise<{ tasks: LabTask[]; index: number }> {
    const tried = await Promise.allSettled(requests.map((request) => this.#run(request)));
    const failed = tried.find((one) => one.status === 'rejected');
    if (failed) {
      await Promise.all(requests.map((request) => this.#remove(request)));
      throw failed.reason;
    }
    const tasks = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return { tasks, index: this.#index };
  }

  async end(tasks: readonly LabTask[]): Promise<number> {
    await Promise.all(tasks.map((task) => this.#remove(task)));
    return this.#index;
  }

  async #run(request: TaskRequest): Promise<LabTask> {
    const { name, host, network } = request;
    const container = containerName(name);
    await ask(host, 'POST', `/containers/create?name=${container}`, {
      Image: image,
      Cmd: ['/bin/sleep', '2147483647'],
      Hostname: container.slice(0, 63),
      Labels: { task: name },
      HostConfig: { NetworkMode: network },
      NetworkingConfig: { EndpointsConfig: { [network]: {} } },
    });
    await ask(host, 'POST', `/containers/${container}/start`);
    const { State, NetworkSettings } = await ask<Inspected>(host, 'GET', `/containers/${container}/json`);
    const at = NetworkSettings.Networks[network];
    if (!at) throw new Error(`${name} is not on the network ${network}`);
    await must(this.#shell, ['ip', 'netns', 'attach', name, String(State.Pid)], { timeoutMs: limitMs });
    await this.#routed(host, at.IPAddress);
    return {
      ...request,
      address: at.IPAddress,
      endpoint: at.EndpointID,
      interface: `cali${at.EndpointID.slice(0, 11)}`,
    };
  }

  /** Docker plugs a container in after its endpoint is known, so its host's route to it comes a little later. */
  async #routed(host: string, address: string): Promise<void> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const routes = await must(this.#shell, ['ip', '-n', host, 'route', 'show', `${address}/32`], {
        timeoutMs: limitMs,
      });
      if (routes.includes(address)) return;
      if (performance.now() > deadline)
        throw new Error(`${host} got no route to ${address} within ${limitMs / 1000} s`);
      await sleep(20);
    }
  }

  async #remove({ name, host }: Pick<TaskRequest, 'name' | 'host'>): Promise<void> {
    await this.#shell.run(['ip', 'netns', 'del', name], { timeoutMs: limitMs });
    try {
      await ask(host, 'DELETE', `/containers/${containerName(name)}?force=true`);
    } catch (error) {
      if (!(error instanceof EngineError && error.status === 404)) throw error;
    }
  }

  /** Ends every process of the lab but this, its first one, with what would stay. */
  clear(): Promise<void> {
    return endAll(this.#topology.engines!.id);
  }

  #first(): string {
    return this.#topology.hosts.find((host) => host.role === 'agent')!.name;
  }
}

/** Docker knows no `@`; names of containers on global networks are unique over all engines. */
const containerName = (task: string): string => task.replaceAll(/[^a-zA-Z0-9_.-]/g, '.');

/** The one image, made here: no registry is asked. */
async function busybox(shell: Shell): Promise<Uint8Array> {
  const folder = '/run/lab/docker/rootfs';
  const file = '/run/lab/docker/rootfs.tar';
  mkdirSync(`${folder}/bin`, { recursive: true });
  cpSync(which('busybox')!, `${folder}/bin/busybox`);
  for (const name of ['sh', 'sleep', 'ip', 'ping']) symlinkSync('busybox', `${folder}/bin/${name}`);
  for (const name of ['etc', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(`${folder}/${name}`);
  writeFileSync(`${folder}/etc/passwd`, 'root:x:0:0:root:/:/bin/sh\n');
  await must(shell, ['tar', '-C', folder, '-cf', file, '.'], { timeoutMs: limitMs });
  const bytes = await readFile(file);
  rmSync(folder, { recursive: true });
  rmSync(file);
  return bytes;
}
