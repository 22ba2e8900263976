/** The lab as the verifier sees it. */
import { randomUUID } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';
import { keys, profileWrites, tierWrites } from '../datastore/calico.ts';
import type { Profile, Tier } from '../policy/model.ts';
import { standInId } from '../policy/network.ts';
import { controlNetwork } from '../verify/plan.ts';
import type {
  Change,
  Faults,
  HeldFlow,
  Holding,
  LaunchedTask,
  Observation,
  Place,
  Probe,
  Programmed,
  Services,
  Target,
  TaskSpec,
  Views,
} from '../verify/target.ts';
import type { LabTask, TaskRequest, Tools, Undo } from './api.ts';
import { namesOf } from './ask.ts';
import { asked } from './asked.ts';
import { Before } from './before.ts';
import { faultsOf, leaseOf, placesOf } from './capable.ts';
import { held } from './held.ts';
import { hold } from './hold.ts';
import type { Lab } from './lab.ts';
import { views } from './views.ts';

/**
 * Probes without an answer at one time; each holds a file descriptor. So many that a large table does not wait for
 * denials: sending as many takes the prober about as long as one time-out.
 */
export const inFlight = 8000;

/** What no program of the lab does for real, in words for a report. */
const standIns = ({ versions }: Tools): string[] => [
  ...(versions.docker === undefined
    ? ['tasks are network namespaces, started by the lab in place of Marathon and the Mesos agent']
    : [
        'tasks on Docker networks are containers, others network namespaces; the lab starts them in place of Marathon and the Mesos agent',
        "a network driver of the lab's own answers Docker in place of Calico's plugin, as that one does",
      ]),
  "a name server of the lab's own on each master answers for tasks in place of Mesos-DNS",
  "an agent of the lab's own programs the kernel in place of Felix, in Felix's structure",
];

const real = ({ versions }: Tools): string[] => [
  'network namespaces, veth pairs, routing and conntrack of this kernel',
  `${versions.iptables} and ipset`,
  `BIRD ${versions.bird}`,
  `etcd ${versions.etcd}`,
  ...(versions.docker === undefined
    ? []
    : [`Docker ${versions.docker}, an engine on each agent, its networks in etcd`]),
];

/** How long things may take, milliseconds; the tests of the verifier have less patience. */
export type Patience = Pick<Target, 'timeoutMs' | 'budgetMs' | 'neverMs'> & {
  /** On top of the time-outs of its probes, before a prober that does not answer is given up. */
  readonly graceMs: number;
};

const patience: Patience = { timeoutMs: 500, budgetMs: 1_000, neverMs: 10_000, graceMs: 10_000 };

export class LabTarget implements Target {
  readonly real: readonly string[];
  readonly standIns: readonly string[];
  readonly timeoutMs: number;
  readonly budgetMs: number;
  readonly neverMs: number;
  readonly mtu: number;
  readonly lease: ReturnType<typeof leaseOf>;
  readonly places: () => Promise<readonly Place[]>;
  readonly names: ReturnType<typeof namesOf>;
  readonly faults: Faults;
  readonly #graceMs: number;
  readonly #lab: Lab;
  readonly #cluster: Cluster;
  readonly #id = randomUUID();
  /** Tasks that were started here. */
  readonly #started = new Set<string>();
  readonly #before = new Before();
  #bound = false;
  #routed: Promise<void> | undefined;
  /** Ids of Docker's networks by name, where there are engines; and those of them that were not there before. */
  readonly #ids = new Map<string, string>();
  readonly #made = new Set<string>();
  /** What is being made just now: Ctrl-C cleans up after it. */
  #making: Promise<unknown> = Promise.resolve();
  #cleaning: Promise<void> | undefined;
  /** Of the last task that was started: its endpoint has to be programmed too. */
  #attached = 0;

  constructor(lab: Lab, cluster: Cluster, tools: Tools, limits: Partial<Patience> = {}) {
    this.#lab = lab;
    this.#cluster = cluster;
    this.real = real(tools);
    this.standIns = standIns(tools);
    const { timeoutMs, budgetMs, neverMs, graceMs } = { ...patience, ...limits };
    this.timeoutMs = timeoutMs;
    this.budgetMs = budgetMs;
    this.neverMs = neverMs;
    this.#graceMs = graceMs;
    this.mtu = cluster.calico.mtu;
    this.lease = leaseOf(lab);
    this.places = () => placesOf(lab);
    this.names = namesOf(lab);
    this.faults = faultsOf(lab, tools);
  }

  /** Tasks that run already, from `lab up`, are used as they are. */
  launch(tasks: readonly TaskSpec[], services: Services): Promise<readonly LaunchedTask[]> {
    return asked(async () => {
      const start = this.#make(() => this.#start(tasks, services));
      const [there] = await Promise.all([start, this.#spread()]);
      return tasks.map((task) => ({ ...task, address: there.get(task.name)!.address }));
    });
  }

  /** From now on all that is done here is undone when this process ends, however it ends. */
  bind(): void {
    this.#bound = true;
  }

  readonly views = (): Promise<Views> =>
    asked(async () => {
      await this.#spread();
      return views(this.#lab);
    });

  readonly hold = (from: string, to: LaunchedTask, port: number): Promise<HeldFlow> =>
    asked(() => hold(this.#lab, from, to, port));

  readonly held = (): Promise<readonly Holding[]> => asked(() => held(this.#lab));

  readonly end = (names: readonly string[]): Promise<void> =>
    asked(() =>
      this.#make(async () => {
        const own = names.filter((name) => this.#started.has(name));
        const { index } = await this.#lab.call('detach', { names: own });
        for (const name of own) this.#started.delete(name);
        await this.#promise();
        await this.#lab.call('programmed', { index, limitMs: this.neverMs });
      }),
    );

  /** Asked twice at once, by Ctrl-C and by the run that it ends, it is done once. */
  cleanUp(): Promise<void> {
    this.#cleaning ??= this.#clear().finally(() => (this.#cleaning = undefined));
    return this.#cleaning;
  }

  #clear(): Promise<void> {
    return asked(async () => {
      await this.#making;
      if (this.#started.size === 0 && this.#made.size === 0 && this.#before.isEmpty) return;
      const { index } = await this.#lab.call('undo', this.#undo());
      this.#started.clear();
      this.#before.clear();
      for (const name of [...this.#made]) this.#forget(name);
      await this.#promise();
      // What agents have not seen yet would look as if it had been left behind.
      await this.#lab.call('programmed', { index, limitMs: this.neverMs });
    });
  }

  write(profiles: readonly Profile[], tiers: readonly Tier[] = []): Promise<Change> {
    return asked(async () => {
      await this.#make(() => this.#makeNetworks(profiles));
      const writes = [...profiles.flatMap(profileWrites), ...tiers.flatMap(tierWrites)].map(({ key, value }) => ({
        key: this.#named(key),
        value: this.#named(value),
      }));
      const folders = [...profiles.map(({ name }) => keys.profile(name)), ...tiers.map(({ name }) => keys.tier(name))];
      const read = async (key: string) => (await this.#lab.call('read', { key })).node;
      const more = await this.#before.remember(
        folders.map((folder) => this.#named(folder)),
        writes,
        read,
      );
      if (more) await this.#promise();
      return this.#lab.call('write', { writes });
    });
  }

  /** What is held is given up: for the end in a hurry. */
  readonly release = (): Promise<void> => this.lease.release();

  async programmed(change: Change, limitMs: number): Promise<Programmed> {
    const index = Math.max(change.index, this.#attached);
    const { hosts, ms, done } = await asked(() => this.#lab.call('programmed', { index, limitMs }));
    const behind = Object.entries(hosts).filter(([, applied]) => applied < index);
    return { done, ms, behind: behind.map(([host]) => host) };
  }

  async probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
    const batch = probes.map(({ sourcePorts, ...probe }) => ({
      ...probe,
      sourcePorts: [sourcePorts.from, sourcePorts.to] as const,
    }));
    const { results, arrived } = await asked(() =>
      this.#lab.call('probe', { probes: batch, timeoutMs, inFlight, graceMs: this.#graceMs }),
    );
    const reached = new Set(arrived);
    return results.map(([verdict, ms, startMs, note], index) => ({
      verdict,
      ms,
      startMs,
      arrived: reached.has(index),
      ...(note === undefined ? {} : { note }),
    }));
  }

  /** The networks of these profiles, on the engines if there are any; Docker says their ids. */
  async #makeNetworks(profiles: readonly Profile[]): Promise<void> {
    const names = [...Object.keys(this.#cluster.networks), controlNetwork].filter((name) => {
      const own = [name, standInId(name)];
      return !this.#ids.has(name) && this.#isDocker(name) && profiles.some((profile) => own.includes(profile.name));
    });
    if (names.length === 0) return;
    const { ids, made } = await this.#lab.call('networks', { names });
    for (const [name, id] of Object.entries(ids)) this.#ids.set(name, id);
    for (const name of made) this.#made.add(name);
    if (made.length > 0) await this.#promise();
  }

  /** Waits until every host has heard of every other's block, once. */
  #spread(): Promise<void> {
    return (this.#routed ??= this.#lab.call('routed', {}).catch((error: unknown) => {
      this.#routed = undefined;
      throw error;
    }));
  }

  #undo(): Undo {
    const networks = [...this.#made];
    // A network that is new takes its profile with it, which Docker's driver made before anything was written here.
    const own = networks.flatMap((name) => [name, this.#ids.get(name) ?? name].map(keys.profile));
    const others = this.#before.writes().filter(({ key }) => !own.some((folder) => `${key}/`.startsWith(`${folder}/`)));
    return { tasks: [...this.#started], networks, writes: [...own.map((key) => ({ key })), ...others] };
  }

  /** Leaves the undoing to the lab, should this process end. */
  async #promise(): Promise<void> {
    if (this.#bound) await this.#lab.call('bind', { id: this.#id, undo: this.#undo() });
  }

  #forget(network: string): void {
    this.#ids.delete(network);
    this.#made.delete(network);
  }

  /** One thing at a time, and nothing new while what is there is taken away. */
  #make<T>(work: () => Promise<T>): Promise<T> {
    if (this.#cleaning) return Promise.reject(new Error('the run is being ended'));
    const made = this.#making.then(work, work);
    this.#making = made.catch(() => undefined);
    return made;
  }

  /** Text with the ids that Docker gave to networks, for those that stood in for them. */
  #named(text: string): string {
    return [...this.#ids].reduce((so, [name, id]) => so.replaceAll(standInId(name), id), text);
  }

  #isDocker(network: string): boolean {
    return (this.#cluster.networks[network]?.containerizer ?? 'docker') === 'docker';
  }

  async #start(tasks: readonly TaskSpec[], services: Services): Promise<ReadonlyMap<string, LabTask>> {
    const { tasks: running } = await this.#lab.call('layout', {});
    const there = new Map(running.map((task) => [task.name, task]));
    const missing = tasks.filter((task) => !there.has(task.name));
    for (const { name } of missing) this.#started.add(name);
    await this.#promise();
    const attached = await this.#lab.call('attach', { tasks: missing.map((task) => this.#request(task)) });
    this.#attached = Math.max(this.#attached, attached.index);
    for (const task of attached.tasks) there.set(task.name, task);
    await this.#lab.call('listen', {
      listen: tasks.map(({ name }) => ({ namespace: name, tcp: services.tcp, udp: services.udp })),
    });
    await this.#lab.call('programmed', { index: attached.index, limitMs: this.neverMs });
    return there;
  }

  #request({ name, node, network, profiles }: TaskSpec): TaskRequest {
    // The control tasks' network is in no description: they run in what their agent has.
    const containerizer =
      this.#cluster.networks[network]?.containerizer ??
      this.#cluster.nodes.find((one) => one.name === node)?.containerizers[0];
    const docker = containerizer !== 'mesos';
    const orchestrator = docker ? 'libnetwork' : this.#cluster.release.unified.via === 'cni' ? 'cni' : 'mesos';
    return { name, host: node, network, profiles: profiles.map((profile) => this.#named(profile)), orchestrator };
  }
}
