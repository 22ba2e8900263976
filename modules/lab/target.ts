/** The lab as the verifier sees it. */
import type { Cluster } from '../cluster/cluster.ts';
import { profileWrites } from '../datastore/calico.ts';
import type { Profile } from '../policy/model.ts';
import {
  TargetFailed,
  type Change,
  type LaunchedTask,
  type Observation,
  type Probe,
  type Programmed,
  type Services,
  type Target,
  type TaskSpec,
} from '../verify/target.ts';
import type { TaskRequest, Tools } from './api.ts';
import type { Lab } from './lab.ts';

/** Probes without an answer at one time; each holds a file descriptor. */
const inFlight = 4000;

/** What no program of the lab does for real, in words for a report. */
export const standIns = [
  'tasks are network namespaces, started by the lab in place of Marathon and the Mesos agent',
  "an agent of the lab's own programs the kernel in place of Felix, in Felix's structure",
];

export const real = ({ versions }: Tools): string[] => [
  'network namespaces, veth pairs, routing and conntrack of this kernel',
  `${versions.iptables} and ipset`,
  `BIRD ${versions.bird}`,
  `etcd ${versions.etcd}`,
];

export class LabTarget implements Target {
  readonly real: readonly string[];
  readonly standIns = standIns;
  readonly timeoutMs = 500;
  readonly budgetMs = 1_000;
  readonly #lab: Lab;
  readonly #cluster: Cluster;

  constructor(lab: Lab, cluster: Cluster, tools: Tools) {
    this.#lab = lab;
    this.#cluster = cluster;
    this.real = real(tools);
  }

  /** Tasks that run already, from `lab up`, are used as they are. */
  async launch(tasks: readonly TaskSpec[], services: Services): Promise<readonly LaunchedTask[]> {
    const there = new Map<string, { readonly address: string }>();
    const attach = async (): Promise<void> => {
      const { tasks: running } = await this.#lab.call('status', {});
      for (const task of running) there.set(task.name, task);
      const missing = tasks.filter((task) => !there.has(task.name));
      const attached = await this.#lab.call('attach', { tasks: missing.map((task) => this.#request(task)) });
      for (const task of attached.tasks) there.set(task.name, task);
      await this.#lab.call('listen', {
        listen: tasks.map(({ name }) => ({ namespace: name, tcp: services.tcp, udp: services.udp })),
      });
      await this.#lab.call('programmed', { index: attached.index, limitMs: 10_000 });
    };
    await Promise.all([attach(), this.#lab.call('routed', {})]);
    return tasks.map((task) => ({ ...task, address: there.get(task.name)!.address }));
  }

  async remove(tasks: readonly string[]): Promise<void> {
    await this.#lab.call('detach', { names: tasks });
  }

  write(profiles: readonly Profile[]): Promise<Change> {
    return this.#lab.call('write', { writes: profiles.flatMap(profileWrites) });
  }

  async programmed({ index }: Change, limitMs: number): Promise<Programmed> {
    const { hosts, ms, done } = await this.#lab.call('programmed', { index, limitMs });
    const behind = Object.entries(hosts).filter(([, applied]) => applied < index);
    return { done, ms, behind: behind.map(([host]) => host) };
  }

  async probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
    const batch = probes.map(({ sourcePorts, ...probe }) => ({
      ...probe,
      sourcePorts: [sourcePorts.from, sourcePorts.to] as const,
    }));
    try {
      const { results, arrived } = await this.#lab.call('probe', { probes: batch, timeoutMs, inFlight });
      const reached = new Set(arrived);
      return results.map(([verdict, ms, startMs, note], index) => ({
        verdict,
        ms,
        startMs,
        arrived: reached.has(index),
        ...(note === undefined ? {} : { note }),
      }));
    } catch (error) {
      throw new TargetFailed(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  #request({ name, node, network, profiles }: TaskSpec): TaskRequest {
    const docker = (this.#cluster.networks[network]?.containerizer ?? 'docker') === 'docker';
    const orchestrator = docker ? 'libnetwork' : this.#cluster.release.unified.via === 'cni' ? 'cni' : 'mesos';
    return { name, host: node, network, profiles, orchestrator };
  }
}
