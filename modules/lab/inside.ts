/**
 * The lab's own process: the first one in its PID namespace, so that everything dies with it. Its network namespace is
 * the fabric between the hosts.
 *
 * Standard input is its lifeline: until it reads `detach`, the end of the input is the end of the lab, so that nothing
 * outlives a caller that was killed.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { keys } from '../datastore/calico.ts';
import { Etcd } from '../datastore/etcd.ts';
import { claim, release } from '../datastore/lease.ts';
import { compiled } from '../root/root.ts';
import { must, shell, type ChildProcess } from '../shell/shell.ts';
import type { LabApi, LabStatus, Layout, ProbeAnswers, ProbeBatch, Tools, Undo } from './api.ts';
import { bound } from './bound.ts';
import { Helper, seen } from './child.ts';
import { configure, wireHosts } from './configure.ts';
import * as daemons from './daemons.ts';
import { Engines } from './docker/engines.ts';
import { ended, Faults, type Daemon } from './faults.ts';
import { Followed } from './followed.ts';
import { runSteps, runInside } from './ip.ts';
import { Ipam } from './ipam.ts';
import { Launcher } from './launcher.ts';
import { openFiles, rounds, spareFiles } from './pace.ts';
import type { ProbeRequest, ProbeResult } from './probe.ts';
import { answer, type Handlers } from './rpc.ts';
import type { Listen, ServeRequest } from './serve.ts';
import type { LabHost, Topology } from './topology.ts';
import { hostAgainSteps } from './wiring.ts';

export const controlSocket = '/run/lab/control.sock';

/** How long each step of the build may take before it is given up, milliseconds. */
const limits = { etcd: 20_000, bgp: 60_000, helper: 30_000, prober: 10_000 };

class Lab {
  readonly #processes = new Map<string, Map<string, ChildProcess>>();
  readonly #followed = new Followed();
  #topology: Topology | undefined;
  #launcher: Launcher | undefined;
  #etcd: Etcd | undefined;
  #engines: Engines | undefined;
  #serve: Helper<ServeRequest> | undefined;
  #probe: Helper<ProbeRequest> | undefined;
  #faults: Faults | undefined;
  /** By namespace: what it was last asked to listen on. */
  readonly #listening = new Map<string, Listen>();
  #nonce = 1;

  readonly handlers: Omit<Handlers<LabApi>, 'bind'> = {
    build: ({ topology, tools }) => this.#build(topology, tools),
    routed: () => this.#routed(need(this.#topology)),
    status: () => this.#status(),
    layout: () => this.#layout(),
    attach: ({ tasks }) => this.#named((launcher) => launcher.attach(tasks, need(this.#etcd))),
    detach: ({ names }) => this.#detach(names),
    networks: async ({ names }) => (await this.#engines?.networks(names)) ?? { ids: {}, made: [] },
    listen: async ({ listen }) => {
      for (const one of listen) this.#listening.set(one.namespace, one);
      await need(this.#serve).ask({ listen }, limits.helper);
    },
    probe: (batch) => this.#send(batch),
    write: ({ writes }) => this.#write(writes),
    read: async ({ key }) => {
      const { node } = await need(this.#etcd).get(key);
      return node ? { node } : {};
    },
    programmed: ({ index, limitMs }) => {
      const names = need(this.#topology).hosts.map((host) => host.name);
      return this.#followed.reached(names, index, limitMs);
    },
    undo: (what) => this.undo(what),
    fault: ({ kind, host }) => need(this.#faults).make(kind, host),
    heal: async () => this.#faults?.end(),
    claim: async ({ key, holder, ttlSeconds }) => ({
      holder: await claim(need(this.#etcd), key, holder, ttlSeconds),
    }),
    release: ({ key, holder }) => release(need(this.#etcd), key, holder),
    exec: ({ namespace, command, input, timeoutMs }) =>
      runInside(shell, namespace, command, {
        ...(input === undefined ? {} : { input }),
        timeoutMs: timeoutMs ?? limits.helper,
      }),
  };

  /** Takes away what a lab's end would leave. */
  readonly clear = async (): Promise<void> => this.#engines?.clear();

  async undo({ tasks, networks, writes }: Undo): Promise<{ index: number }> {
    const running = need(this.#launcher).tasks;
    const ended = await this.#detach(tasks.filter((name) => running.has(name)));
    const used = new Set([...running.values()].map((task) => task.network));
    await this.#engines?.dropNetworks(networks.filter((name) => !used.has(name)));
    const needed = new Set([...running.values()].flatMap((task) => task.profiles.map(keys.profile)));
    const due = writes.filter(({ key, value }) => value !== undefined || !needed.has(key));
    const { index } = await this.#write(due);
    return { index: Math.max(ended.index, index) };
  }

  async #detach(names: readonly string[]): Promise<{ index: number }> {
    if (names.length === 0) return { index: 0 };
    await need(this.#serve).ask({ end: names }, limits.helper);
    await need(this.#probe).ask({ forget: names }, limits.helper);
    return { index: await this.#named((launcher) => launcher.detach(names, need(this.#etcd))) };
  }

  /** Other tasks run after it, which the name servers are to know. */
  async #named<T>(work: (launcher: Launcher) => Promise<T>): Promise<T> {
    const launcher = need(this.#launcher);
    const done = await work(launcher);
    daemons.writeNames(launcher.tasks.values());
    return done;
  }

  async #write(writes: Undo['writes']): Promise<{ index: number }> {
    const etcd = need(this.#etcd);
    let index = 0;
    for (const { key, value } of writes) {
      index = value === undefined ? await etcd.delete(key) : await etcd.set(key, value);
    }
    return { index };
  }

  async #build(topology: Topology, { birdMajor, restore }: Pick<Tools, 'birdMajor' | 'restore'>): Promise<void> {
    this.#topology = topology;
    const { hosts } = topology;
    const masters = hosts.filter((host) => host.role === 'master');

    const start = (host: LabHost, name: Daemon): void => {
      this.#keep(host, name, daemons.start(shell, topology, host, name, { birdMajor, restore }));
    };
    this.#faults = new Faults({
      shell,
      topology,
      iptables: restore.replace('-restore', ''),
      start,
      daemon: (host, name) => this.#processes.get(host.name)?.get(name),
      unplug: (host) => this.#unplug(host),
      plug: (host) => this.#plug(topology, host, start),
    });
    await wireHosts(shell, topology);
    for (const master of masters) start(master, 'etcd');
    for (const host of hosts) start(host, 'bird');
    this.#serve = helper<ServeRequest>('serve');
    this.#probe = helper<ProbeRequest>('probe');
    this.#etcd = new Etcd(daemons.etcdUrls(hosts));
    // Probes start from hosts too.
    const listen = hosts.map(({ name }) => mute(name));
    await this.#serve.ask({ listen }, limits.helper);

    await configure(topology, this.#etcd, limits.etcd, () => this.#mustRun(['etcd']));
    for (const host of hosts) start(host, 'felix');
    void this.#followed.follow(this.#etcd);
    const ipam = new Ipam();
    if (topology.engines) await this.#startEngines(topology, this.#etcd, ipam, restore);
    this.#launcher = new Launcher(shell, topology, ipam, this.#engines);
    daemons.writeNames([]);
    for (const master of masters) start(master, 'names');
  }

  async #startEngines(topology: Topology, etcd: Etcd, ipam: Ipam, restore: string): Promise<void> {
    const options = {
      ...{ shell, topology, etcd, ipam, restore },
      log: (host: string) => daemons.logFile(`dockerd-${host}`),
      keep: (host: LabHost, child: ChildProcess) => this.#keep(host, 'dockerd', child),
      alive: () => this.#mustRun(['dockerd']),
    };
    this.#engines = new Engines(options);
    await this.#engines.start(options);
  }

  readonly heal = async (): Promise<void> => this.#faults?.end();

  /** A host loses its power: its daemons, its tasks and its interfaces are gone at once. */
  async #unplug(host: LabHost): Promise<void> {
    const own = [...need(this.#launcher).tasks.values()].filter((task) => task.host === host.name);
    const names = [host.name, ...own.map(({ name }) => name)];
    for (const [name, child] of this.#processes.get(host.name) ?? []) await ended(child, name);
    await need(this.#serve).ask({ end: names }, limits.helper);
    await need(this.#probe).ask({ forget: names }, limits.helper);
    await must(shell, ['ip', '-batch', '-'], { input: names.map((name) => `netns del ${name}\n`).join('') });
  }

  /** It boots: the lab starts its daemons, and its tasks as they were, in the place of systemd and Mesos. */
  async #plug(topology: Topology, host: LabHost, start: (host: LabHost, name: Daemon) => void): Promise<void> {
    await runSteps(shell, hostAgainSteps(topology, host));
    const names = [...(this.#processes.get(host.name)?.keys() ?? [])] as Daemon[];
    for (const name of names) start(host, name);
    const tasks = await need(this.#launcher).plugAgain(host.name);
    const listen = [host, ...tasks].map(({ name }) => this.#listening.get(name) ?? mute(name));
    await need(this.#serve).ask({ listen }, limits.helper);
  }

  async #routed(topology: Topology): Promise<void> {
    await Promise.all(topology.hosts.map((host) => this.#awaitRoutes(topology, host)));
  }

  async #awaitRoutes(topology: Topology, host: LabHost): Promise<void> {
    const deadline = performance.now() + limits.bgp;
    for (;;) {
      const missing = await daemons.missingRoutes(shell, topology, host);
      if (missing.length === 0) return;
      this.#mustRun(['bird']);
      if (performance.now() > deadline) {
        throw new Error(`${host.name} got no route to ${missing.join(', ')} within ${limits.bgp / 1000} s`);
      }
      await sleep(30);
    }
  }

  async #send({ probes, timeoutMs, inFlight: wanted, graceMs = limits.prober }: ProbeBatch): Promise<ProbeAnswers> {
    const serve = need(this.#serve);
    const inFlight = Math.min(wanted, openFiles() - spareFiles);
    const nonce = this.#nonce;
    this.#nonce = (this.#nonce + probes.length) % 0x7fff_ffff;
    await serve.ask({ arrived: true }, graceMs);
    // Rounds of time-outs, should all be denied, and the time to send them: beyond it the prober hangs.
    const limitMs = graceMs + rounds(probes, inFlight) * timeoutMs + probes.length;
    const order = { probes, nonce, timeoutMs, turnMs: graceMs / 2, inFlight };
    const results = await need(this.#probe).ask<ProbeResult[]>(order, limitMs);
    const nonces = await serve.ask<number[]>({ arrived: true }, graceMs);
    const arrived = nonces.map((seen) => seen - nonce).filter((at) => at >= 0 && at < probes.length);
    return { results, arrived };
  }

  #layout(): Layout {
    return { topology: need(this.#topology), tasks: [...need(this.#launcher).tasks.values()] };
  }

  async #status(): Promise<LabStatus> {
    const layout = this.#layout();
    const hosts = layout.topology.hosts.map(async (host) => ({
      name: host.name,
      sessions: await daemons.birdSessions(shell, host),
      processes: Object.fromEntries(
        [...(this.#processes.get(host.name) ?? [])].map(([name, child]) => [name, seen(child)]),
      ),
    }));
    return {
      ...layout,
      hosts: await Promise.all(hosts),
      helpers: { serve: seen(need(this.#serve).process), probe: seen(need(this.#probe).process) },
    };
  }

  /** Ends a wait at once for what cannot come any more: a daemon of one of these kinds has ended. */
  #mustRun(kinds: readonly string[]): void {
    for (const [host, own] of this.#processes) {
      for (const [name, child] of own) {
        if (!kinds.includes(name) || seen(child).running) continue;
        const how = child.exitCode === null ? `signal ${child.signalCode ?? 'unknown'}` : `exit code ${child.exitCode}`;
        throw new Error(`${name} on ${host} ended with ${how}: ${daemons.lastWords(name, host)}`);
      }
    }
  }

  #keep(host: LabHost, name: string, child: ChildProcess): void {
    const own = this.#processes.get(host.name) ?? new Map<string, ChildProcess>();
    own.set(name, child);
    this.#processes.set(host.name, own);
  }
}

const mute = (namespace: string): Listen => ({ namespace, tcp: [], udp: [] });

function need<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the lab is not built yet');
  return part;
}

const helper = <Q extends { readonly id: number }>(name: string): Helper<Q> =>
  new Helper<Q>(shell, name, [process.execPath, compiled(`modules/lab/${name}.ts`)], daemons.logFile(name));

async function start(): Promise<void> {
  await must(shell, ['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/run']);
  mkdirSync('/run/netns');
  daemons.makeFolders();
  const server = createServer((stream) =>
    answer<LabApi>(
      stream,
      bound(
        stream,
        lab.handlers,
        (what) => lab.undo(what),
        () => lab.heal(),
      ),
    ),
  );
  server.listen(controlSocket, () => process.stdout.write('ready\n'));
}

const lab = new Lab();
let detached = false;
// The first process of a PID namespace takes all others with it.
const leave = (): void => void lab.clear().finally(() => process.exit(0));
const end = (): void => {
  if (detached) return;
  rmSync(controlSocket, { force: true });
  leave();
};
process.stdin.on('data', (chunk: Buffer) => (detached ||= chunk.toString().includes('detach')));
process.stdin.on('end', end);
process.stdin.on('error', end);
// Nobody may be left to read what this process says; that is no reason to end.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.on('SIGTERM', leave);
await start();
