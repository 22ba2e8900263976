/**
 * Faults of a whole cluster, made in the lab and ended again: what a verification needs to see how a cluster fails, and
 * how it comes back. What is ended here is started again here, in the place of the supervisor of a real host.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { must, type ChildProcess, type Shell } from '../shell/shell.ts';
import type { FaultKind } from '../verify/target.ts';
import { inside } from './ip.ts';
import type { LabHost, Topology } from './topology.ts';

/** What the lab lets its faults do. */
export interface Parts {
  readonly shell: Shell;
  readonly topology: Topology;
  /** The `iptables` of this lab's rules. */
  readonly iptables: string;
  readonly daemon: (host: LabHost, name: Daemon) => ChildProcess | undefined;
  readonly start: (host: LabHost, name: Daemon) => void;
  /** Takes a host away with all that runs on it, and wires it again with the tasks that it had. */
  readonly unplug: (host: LabHost) => Promise<void>;
  readonly plug: (host: LabHost) => Promise<void>;
}

export type Daemon = 'etcd' | 'bird' | 'felix' | 'names';

type Heal = () => Promise<unknown>;

/** How long a daemon may take to end, milliseconds. */
const endMs = 5_000;

export class Faults {
  readonly #parts: Parts;
  readonly #heals: Heal[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async make(kind: FaultKind, node: string): Promise<void> {
    const { hosts } = this.#parts.topology;
    const host = hosts.find(({ name }) => name === node);
    if (!host) throw new Error(`no host ${node}`);
    const masters = hosts.filter(({ role }) => role === 'master');
    switch (kind) {
      case 'agent stopped':
        this.#pause(host);
        return;
      case 'agent killed':
        return this.#kill(host, 'felix');
      case 'agent hung':
        return this.#deafen(host, 'OUTPUT');
      case 'etcd stopped':
        for (const master of masters) await this.#kill(master, 'etcd');
        return;
      case 'etcd black-holed':
        for (const master of masters) await this.#deafen(master, 'INPUT');
        return;
      case 'bird down':
        return this.#kill(host, 'bird');
      case 'host rebooted':
        this.#heals.push(() => this.#parts.plug(host));
        return this.#parts.unplug(host);
      case 'partition':
        return this.#cutOff(host);
    }
  }

  /** Ends all faults, the last one first; one that cannot be ended does not keep the others. */
  async end(): Promise<void> {
    let failed: unknown;
    for (let heal = this.#heals.pop(); heal; heal = this.#heals.pop()) {
      await heal().catch((error: unknown) => (failed = error));
    }
    if (failed !== undefined) throw failed instanceof Error ? failed : new Error('a fault could not be ended');
  }

  #pause(host: LabHost): void {
    const pid = this.#parts.daemon(host, 'felix')?.pid;
    if (pid === undefined) throw new Error(`no agent runs on ${host.name}`);
    this.#heals.push(() => Promise.resolve(process.kill(pid, 'SIGCONT')));
    process.kill(pid, 'SIGSTOP');
  }

  async #kill(host: LabHost, name: Daemon): Promise<void> {
    const child = this.#parts.daemon(host, name);
    if (child === undefined) throw new Error(`no ${name} runs on ${host.name}`);
    this.#heals.push(() => {
      this.#parts.start(host, name);
      return Promise.resolve();
    });
    await ended(child, name);
  }

  /** Nothing of etcd's clients gets through, and nobody is told. */
  async #deafen(host: LabHost, chain: 'INPUT' | 'OUTPUT'): Promise<void> {
    const rule = [chain, '-p', 'tcp', '--dport', '2379', '-j', 'DROP'];
    const run = (what: string): Promise<unknown> =>
      must(this.#parts.shell, inside(host.name, [this.#parts.iptables, what, ...rule]), {
        env: { XTABLES_LOCKFILE: `/run/lab/lock/${host.name}` },
        timeoutMs: 10_000,
      });
    this.#heals.push(() => run('-D'));
    await run('-I');
  }

  /** As a switch that has lost a port: the interface is up, and nothing comes through. */
  async #cutOff(host: LabHost): Promise<void> {
    const port = `port${this.#parts.topology.hosts.indexOf(host)}`;
    const run = (...words: readonly string[]): Promise<unknown> =>
      must(this.#parts.shell, ['ip', 'link', 'set', port, ...words], { timeoutMs: 10_000 });
    this.#heals.push(() => run('master', 'br0'));
    await run('nomaster');
  }
}

/** Kills a daemon and waits until it is gone: a second one would not get its ports. */
export async function ended(child: ChildProcess, name: string): Promise<void> {
  child.kill('SIGKILL');
  const deadline = performance.now() + endMs;
  while (child.exitCode === null && child.signalCode === null) {
    if (performance.now() > deadline) throw new Error(`${name} does not end within ${endMs / 1000} s`);
    await sleep(10);
  }
}
