/** A real cluster as the verifier sees it: Marathon launches, etcd holds the policy, and agents are asked over SSH. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { Marathon } from '../mesos/marathon.ts';
import type { Master } from '../mesos/mesos.ts';
import type { Told } from '../mesos/told.ts';
import type { LaunchedApp } from '../mesos/wait.ts';
import type { Profile, Tier } from '../policy/model.ts';
import { format } from '../problem/problem.ts';
import {
  TargetFailed,
  type Change,
  type LaunchedTask,
  type Lease,
  type Observation,
  type Probe,
  type Programmed,
  type Services,
  type Target,
  type TaskSpec,
} from '../verify/target.ts';
import type { Agent } from './agent.ts';
import type { Journal } from './journal.ts';
import type { Store } from './store.ts';
import { probeTask } from './tasks.ts';

/** What a run works with; `open.ts` makes it. */
export interface Parts {
  readonly cluster: Cluster;
  readonly marathon: Marathon;
  readonly master: Master;
  readonly store: Store;
  readonly journal: Journal;
  readonly lease: Lease;
  /** By node. */
  readonly agents: ReadonlyMap<string, Agent & { readonly hostname: string }>;
  /** Of the apps of this run. */
  readonly group: string;
  /** Of probe tasks of the Docker Containerizer. */
  readonly image: string;
  readonly real: readonly string[];
  /** Told how far launching is. */
  readonly onProgress?: (text: string) => void;
}

/** Milliseconds. An image may have to be fetched first. */
const limits = { launch: 300_000, end: 120_000, look: 500, marker: 50 };

export class RemoteTarget implements Target {
  readonly real: readonly string[];
  readonly standIns: readonly string[] = [];
  readonly timeoutMs = 500;
  readonly budgetMs = 5_000;
  readonly neverMs = 30_000;
  readonly lease: Lease;
  readonly #parts: Parts;
  /** The node of each task that was launched. */
  readonly #nodes = new Map<string, string>();
  readonly #markers = new Map<number, string>();
  #nonce = 1;
  #launched = false;
  #launching: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.real = parts.real;
    this.lease = parts.lease;
  }

  async launch(tasks: readonly TaskSpec[], services: Services): Promise<readonly LaunchedTask[]> {
    const { cluster, marathon, journal, agents, group, image } = this.#parts;
    await etcdSays(() => journal.begin());
    const specs = tasks.map((task) => probeTask(cluster, group, image, task, this.#agent(task.node).hostname));
    const apps = await marathon.apps(specs);
    if (!apps.ok) throw new TargetFailed(apps.problems.map(format).join(' '));
    this.#goesOn();
    this.#launched = true;
    const launching = marathon.launch(
      { apps: apps.value, group },
      {
        limitMs: limits.launch,
        pauseMs: limits.look,
        signal: this.#stop.signal,
        onProgress: ({ done, of, missing }) =>
          this.#parts.onProgress?.(
            `launch: ${done} of ${of} tasks run${missing[0] === undefined ? '' : `, not yet ${missing[0]}`}`,
          ),
      },
    );
    this.#launching = launching;
    const launched = valueOf(await launching);
    const addresses = await this.#addresses(launched);
    const started = tasks.map((task, index) => ({ ...task, address: addresses.get(specs[index]!.id) ?? '' }));
    const silent = started.filter(({ address }) => address === '').map(({ name }) => name);
    if (silent.length > 0)
      throw new TargetFailed(`neither Marathon nor Mesos tells an address of ${silent.join(', ')}`);
    await Promise.all(
      [...agents].map(async ([node, agent]) => {
        const own = started.filter((task) => task.node === node);
        await agent.enter(own);
        await agent.listen(
          own.map(({ name }) => name),
          services.tcp,
          services.udp,
        );
        for (const { name } of own) this.#nodes.set(name, node);
      }),
    );
    return started;
  }

  /** Safe to ask for at any moment, and more than once. */
  cleanUp(): Promise<void> {
    return (this.#ending ??= this.#cleanUp().finally(() => (this.#ending = undefined)));
  }

  /** Whether nothing is left for `cleanUp` to do. */
  get isClean(): boolean {
    return !this.#launched && this.#parts.store.isClean();
  }

  /** For good: whoever goes on with the run meanwhile starts and writes nothing more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.cleanUp();
  }

  #goesOn(): void {
    if (this.#stop.signal.aborted) throw new TargetFailed('the run is being stopped');
  }

  async #cleanUp(): Promise<void> {
    const { marathon, store, journal, group } = this.#parts;
    const faults: string[] = [];
    const step = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    };
    await this.#launching.catch(() => undefined);
    // Tasks first: nobody is to run with a profile that is being taken away.
    if (this.#launched)
      await step(async () => {
        valueOf(await marathon.end([group], { limitMs: limits.end, pauseMs: limits.look }));
        this.#launched = false;
      });
    this.#nodes.clear();
    // Who has taken the cluster over has put back what this run wrote.
    await step(() => etcdSays(async () => ((await journal.isOurs()) ? store.restore() : undefined)));
    if (faults.length > 0) throw new TargetFailed(faults.join('; '));
  }

  async write(profiles: readonly Profile[], tiers: readonly Tier[] = []): Promise<Change> {
    this.#goesOn();
    const { index, marker } = await etcdSays(() => this.#parts.store.write(profiles, tiers));
    this.#markers.set(index, marker);
    return { index };
  }

  /** Felix tells nobody how far it is. The marker of the change, in the kernel of each agent that has tasks, does. */
  async programmed({ index }: Change, limitMs: number): Promise<Programmed> {
    const begin = performance.now();
    const marker = this.#markers.get(index);
    if (marker === undefined) throw new TargetFailed(`there is no change ${index}`);
    const behind = new Set(this.#nodes.values());
    for (;;) {
      await Promise.all(
        [...behind].map(async (node) => {
          if ((await this.#agent(node).marked(marker)) > 0) behind.delete(node);
        }),
      );
      const ms = Math.round(performance.now() - begin);
      if (behind.size === 0 || ms > limitMs) return { done: behind.size === 0, ms, behind: [...behind] };
      await sleep(limits.marker);
    }
  }

  async probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
    const first = this.#nonce;
    this.#nonce = (this.#nonce + probes.length) % 0x7fff_ffff;
    const by = new Map<string, number[]>();
    for (const [index, { from }] of probes.entries()) {
      const node = this.#nodes.get(from) ?? from;
      by.set(node, [...(by.get(node) ?? []), index]);
    }
    const answers: Omit<Observation, 'arrived'>[] = [];
    const begin = performance.now();
    await Promise.all(
      [...by].map(async ([node, own]) => {
        const sent = own.map((index) => ({ probe: probes[index]!, nonce: first + index }));
        const told = await this.#agent(node).probe(sent, timeoutMs);
        for (const [at, index] of own.entries()) answers[index] = told[at]!;
      }),
    );
    const seen = await Promise.all([...this.#parts.agents.values()].map((agent) => agent.arrived()));
    return answers.map((answer, index) => {
      const told = seen.map((nonces) => nonces.get(first + index)).find((at) => at !== undefined);
      if (told === undefined) return { ...answer, arrived: false };
      return { ...answer, arrived: true, late: told - begin >= answer.startMs + timeoutMs };
    });
  }

  /** By app: what Marathon says where it is in a pool of Calico, else what Mesos says. The agent proves it later. */
  async #addresses(launched: readonly LaunchedApp[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const note = (app: string, all: readonly string[]): void => {
      const [address] = all.filter((one) => /^\d+\.\d+\.\d+\.\d+$/.test(one));
      if (address !== undefined) found.set(app, address);
    };
    for (const { app, addresses } of launched) note(app, addresses);
    if (found.size === launched.length) return found;
    const state = valueOf(await this.#parts.master.state());
    for (const { app, task } of launched) {
      if (!found.has(app)) note(app, state.tasks.find(({ id }) => id === task)?.addresses ?? []);
    }
    return found;
  }

  #agent(node: string): Agent & { readonly hostname: string } {
    const agent = this.#parts.agents.get(node);
    if (agent === undefined) throw new TargetFailed(`there is no agent ${node}`);
    return agent;
  }
}

/** What etcd refuses, or does not answer, is a failure of the target. */
export async function etcdSays<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TargetFailed) throw error;
    throw new TargetFailed(`etcd: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function valueOf<T>(told: Told<T>): T {
  if (!told.ok) throw new TargetFailed(format(told.problem));
  return told.value;
}
