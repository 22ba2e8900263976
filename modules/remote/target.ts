/**
 * A real cluster as the verifier sees it: Marathon or Docker launches, etcd holds the policy, and agents are asked over
 * SSH.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Profile, Tier } from '../policy/model.ts';
import {
  TargetFailed,
  type Change,
  type HeldFlow,
  type Holding,
  type LaunchedTask,
  type Lease,
  type Names,
  type NameServer,
  type Observation,
  type Probe,
  type Programmed,
  type Services,
  type Target,
  type TaskSpec,
  type Views,
} from '../verify/target.ts';
import type { Agent } from './agent.ts';
import type { Journal } from './journal.ts';
import type { Launcher } from './launcher.ts';
import { namesOver } from './names.ts';
import type { Store } from './store.ts';
import type { Traces } from './traces.ts';

/** What a run works with; `open.ts` makes it. */
export interface Parts {
  readonly launcher: Launcher;
  readonly store: Store;
  readonly journal: Journal;
  readonly lease: Lease;
  /** By node. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly traces: Traces;
  readonly held: () => Promise<readonly Holding[]>;
  /** Where Mesos-DNS runs. */
  readonly nameServers: readonly NameServer[];
  readonly real: readonly string[];
}

/** Between two looks for a marker, milliseconds. */
const pauseMs = 50;
/** For an answer on a connection that is held open, milliseconds: TCP says it again after a fifth of a second. */
const holdMs = 2_000;

export class RemoteTarget implements Target {
  readonly real: readonly string[];
  readonly standIns: readonly string[] = [];
  readonly timeoutMs = 500;
  readonly budgetMs = 5_000;
  readonly neverMs = 30_000;
  readonly lease: Lease;
  readonly held: () => Promise<readonly Holding[]>;
  readonly names?: Names;
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
    this.held = parts.held;
    const { called } = parts.launcher;
    const agent = (task: string): Agent => this.#agent(this.#nodes.get(task) ?? task);
    // Mesos-DNS knows only what Mesos has started.
    if (called !== undefined) this.names = namesOver(parts.nameServers, called, agent);
  }

  readonly views = (): Promise<Views> => etcdSays(() => this.#parts.traces.views());

  readonly hold = async (from: string, to: LaunchedTask, port: number): Promise<HeldFlow> => {
    const [caller, answerer] = [from, to.name].map((name) => this.#agent(this.#nodes.get(name) ?? name)) as [
      Agent,
      Agent,
    ];
    const close = async (): Promise<void> => {
      await caller.hang(from);
      await answerer.hang(to.name);
    };
    try {
      await answerer.answer(to.name, port);
      await caller.call(from, to.address, port);
    } catch (error) {
      await close();
      throw error;
    }
    return { asks: () => caller.nudge(from, holdMs), close };
  };

  /** Comes back once the agents have programmed that they are gone, or have had the time for it. */
  readonly end = async (names: readonly string[]): Promise<void> => {
    await this.#leave(names);
    await this.#parts.launcher.end(names);
    await this.programmed(await this.write([]), this.neverMs);
  };

  async launch(tasks: readonly TaskSpec[], services: Services): Promise<readonly LaunchedTask[]> {
    const { launcher, journal, agents } = this.#parts;
    await etcdSays(() => journal.begin());
    this.#goesOn();
    this.#launched = true;
    const launching = launcher.start(tasks, this.#stop.signal);
    this.#launching = launching;
    const placed = new Map((await launching).map((one) => [one.name, one]));
    const started = tasks.map((task) => ({ ...task, address: '', ...placed.get(task.name) }));
    await etcdSays(() => this.#parts.traces.own(started.map(({ address }) => address)));
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
    return started.map(({ name, node, network, profiles, address }) => ({ name, node, network, profiles, address }));
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
    const { launcher, store, journal } = this.#parts;
    const faults: string[] = [];
    const step = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    };
    await this.#launching.catch(() => undefined);
    await this.#leave([...this.#nodes.keys()]);
    // Tasks first: nobody is to run with a profile that is being taken away.
    if (this.#launched)
      await step(async () => {
        await launcher.end();
        this.#launched = false;
      });
    // Who has taken the cluster over has put back what this run wrote.
    await step(() => etcdSays(async () => ((await journal.isOurs()) ? store.restore() : undefined)));
    if (faults.length > 0) throw new TargetFailed(faults.join('; '));
  }

  /** A network namespace that somebody holds open stays, with the interface that leads there. */
  async #leave(names: readonly string[]): Promise<void> {
    await Promise.all(
      [...this.#parts.agents].map(async ([node, agent]) => {
        const own = names.filter((name) => this.#nodes.get(name) === node);
        // A session that is over has left them all.
        if (own.length > 0) await agent.leave(own).catch(() => undefined);
      }),
    );
    for (const name of names) this.#nodes.delete(name);
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
      await sleep(pauseMs);
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

  #agent(node: string): Agent {
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
