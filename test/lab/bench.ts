/** A lab under a policy that tells much apart, with tools to break it and to put it right again. */
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { loadCluster } from '../../modules/cluster/load.ts';
import { endpointWrite } from '../../modules/datastore/calico.ts';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import type { LabTask } from '../../modules/lab/api.ts';
import { profileChain, setName } from '../../modules/lab/felix/names.ts';
import { LabTarget, type Patience } from '../../modules/lab/target.ts';
import { topology } from '../../modules/lab/topology.ts';
import { readDocument } from '../../modules/policy/syntax/read.ts';
import type { PolicyDocument } from '../../modules/policy/document.ts';
import { closedPort, services } from '../../modules/verify/plan.ts';
import type { Report } from '../../modules/verify/report.ts';
import { connectivity } from '../../modules/verify/suite/connectivity.ts';
import { runSuite } from '../../modules/verify/suite/run.ts';
import { verify } from '../../modules/verify/run.ts';
import { course } from '../../modules/verify/states.ts';
import type { Change, LaunchedTask, Services, Target, TaskSpec } from '../../modules/verify/target.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

/** Yesterday nobody but its own network reached a task. */
const yesterday = `
title: Isolated
`;

/** Today order matters, and every protocol is told apart. `client` is reached by clients on one port only. */
const today = `
title: One way
profiles:
  client:
    inbound:
      - allow tcp from tag client to ports 9000
  frontend:
    inbound:
      - deny tcp from tag client to ports 9001
      - allow tcp from tag client
      - allow udp from tag client to ports 9000
      - allow icmp from tag client
      - allow from tag frontend
  backend:
    inbound:
      - allow tcp from tag frontend to ports 9000
      - allow udp from tag frontend to ports 9000
      - allow icmp from tag frontend
      - allow from tag backend
`;

type Heal = () => Promise<unknown>;
type Hook = () => Promise<unknown>;

export interface Bench {
  readonly stage: Stage;
  readonly sh: Stage['sh'];
  /** The `iptables` that the agents' rules can be seen with. */
  readonly iptables: string;
  /** The rules of general-3 under yesterday's policy. */
  readonly yesterday: string;
  readonly task: (name: string) => LabTask;
  /** What the profile of a network, and the ipset of its tag, are called. */
  readonly profile: (network: string) => string;
  readonly set: (network: string) => string;
  readonly block: (host: string) => string;
  /** Changes a host's filter table, as iptables-save prints it; profiles and tags are called like their networks. */
  readonly edit: (host: string, change: (lines: readonly string[]) => readonly string[]) => Promise<void>;
  readonly restore: (host: string, rules: string) => Promise<void>;
  /** Signals the one process whose command line holds all the words. */
  readonly signal: (name: 'STOP' | 'CONT', ...words: readonly string[]) => Promise<void>;
  /** Kills it; what comes back starts it again. */
  readonly kill: (...words: readonly string[]) => Promise<Heal>;
  readonly put: (key: string, value: string) => Promise<void>;
  /** Changes, or deletes, the endpoint of a task, and waits until the agents have seen it. */
  readonly rewrite: (
    task: string,
    change: (value: Record<string, unknown>) => Record<string, unknown> | undefined,
  ) => Promise<Heal>;
  /** Changes, or deletes, what etcd has under a key, and waits until the agents have seen it. */
  readonly amend: (key: string, change: (value: unknown) => unknown) => Promise<Heal>;
  /** An endpoint on a host whose task does not run. */
  readonly ghost: (host: string, profile: string, address: string) => Promise<Heal>;
  /** Closes one port of a task. */
  readonly deafen: (task: string, protocol: 'tcp' | 'udp', port: number) => Promise<Heal>;
  /** Opens more ports of a task. */
  readonly listen: (task: string, more: Partial<Services>) => Promise<Heal>;
  /** Puts rules, sets and routes of every host back to what they were, and waits until the agents follow again. */
  readonly heal: () => Promise<void>;
  /** Verifies the policy, by a walk over its change or as it is. */
  readonly look: (how?: { walk?: boolean; hooks?: Hooks }) => Promise<Report>;
  /** What the matrix does not ask: packets as large as the MTU, by the suite `connectivity`. */
  readonly large: () => Promise<Report>;
}

/** When a fault comes. */
export interface Hooks {
  readonly launched?: Hook;
  readonly beforeChange?: Hook;
  readonly afterChange?: Hook;
}

export function benchCluster(): Cluster {
  const { networks, ...lab } = loadCluster('lab');
  const few = Object.fromEntries(Object.entries(networks).filter(([name]) => name !== 'management-ui'));
  return { ...lab, networks: few, policies: [], expect: [] };
}

export const documents = (): PolicyDocument[] =>
  [yesterday, today].map((text, index) => {
    const read = readDocument(text, `policy-${index + 1}.yaml`);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    return read.value;
  });

/** The lab's target, but for moments at which something else happens. */
class Meddled implements Target {
  readonly #inner: Target;
  readonly #hooks: Hooks;
  readonly #wrote: (change: Change) => void;
  #writes = 0;

  constructor(inner: Target, hooks: Hooks, wrote: (change: Change) => void) {
    this.#inner = inner;
    this.#hooks = hooks;
    this.#wrote = wrote;
  }
  get real(): readonly string[] {
    return this.#inner.real;
  }
  get standIns(): readonly string[] {
    return this.#inner.standIns;
  }
  get timeoutMs(): number {
    return this.#inner.timeoutMs;
  }
  get budgetMs(): number {
    return this.#inner.budgetMs;
  }
  get neverMs(): number {
    return this.#inner.neverMs;
  }
  async launch(tasks: readonly TaskSpec[], open: Services): Promise<readonly LaunchedTask[]> {
    const launched = await this.#inner.launch(tasks, open);
    await this.#hooks.launched?.();
    return launched;
  }
  cleanUp(): Promise<void> {
    return this.#inner.cleanUp();
  }
  async write(...profiles: Parameters<Target['write']>): Promise<Change> {
    const change = ++this.#writes === 2;
    if (change) await this.#hooks.beforeChange?.();
    const written = await this.#inner.write(...profiles);
    this.#wrote(written);
    if (change) await this.#hooks.afterChange?.();
    return written;
  }
  programmed(...question: Parameters<Target['programmed']>): ReturnType<Target['programmed']> {
    return this.#inner.programmed(...question);
  }
  probe(...question: Parameters<Target['probe']>): ReturnType<Target['probe']> {
    return this.#inner.probe(...question);
  }
}

/** Warm namespaces of one machine answer within a few milliseconds. */
const hasty: Partial<Patience> = { timeoutMs: 150, neverMs: 2_200, graceMs: 1_000 };

/** `patience`: how long the verifier waits for what; that of a person's own lab where it is empty. */
export async function openBench(patience = hasty): Promise<Bench> {
  const stage = await openLab(benchCluster());
  try {
    return await furnish(stage, patience);
  } catch (error) {
    await closeLab(stage);
    throw error;
  }
}

async function furnish(stage: Stage, patience: Partial<Patience>): Promise<Bench> {
  const { lab, tools, cluster, host, sh } = stage;
  const files = documents();
  const hosts = topology(cluster).hosts;
  const agents = hosts.filter(({ role }) => role === 'agent').map(({ name }) => name);
  const tool = tools.restore.replace('-restore', '');
  const target = new LabTarget(lab, cluster, tools, patience);
  /** Of the last write, whoever made it. */
  let last = 0;
  const look: Bench['look'] = ({ walk = false, hooks = {} } = {}) =>
    verify(
      new Meddled(target, hooks, ({ index }) => (last = Math.max(last, index))),
      { cluster, documents: files, walk, seed: 7, host, startedAt: new Date(0), leaveTasks: true, stages: [] },
      { stage: () => undefined, step: () => undefined },
    );
  const large: Bench['large'] = () =>
    runSuite(
      target,
      connectivity,
      {
        ...{ cluster, documents: files, host, wish: { only: 'MTU' }, seed: 7 },
        ...{ startedAt: new Date(0), leaveTasks: true, stages: [] },
      },
      { stage: () => undefined, step: () => undefined, note: () => undefined },
    );
  const restore = async (on: string, rules: string): Promise<void> => {
    const { code, stderr } = await lab.call('exec', { namespace: on, command: [tools.restore], input: rules });
    if (code !== 0) throw new Error(`${on}: ${stderr}`);
  };
  const rulesOf = (on: string): Promise<string> => sh(on, `${tool}-save -t filter`);
  const programmed = async (index: number, limitMs = 10_000): Promise<void> => {
    last = Math.max(last, index);
    const { done } = await lab.call('programmed', { index, limitMs });
    if (!done) throw new Error(`the agents do not follow within ${limitMs / 1000} s`);
  };
  const put = async (key: string, value: string): Promise<void> => {
    const { index } = await lab.call('write', { writes: [{ key, value }] });
    await programmed(index);
  };
  const remove = async (key: string): Promise<void> => {
    const { index } = await lab.call('write', { writes: [{ key }] });
    await programmed(index);
  };

  await verify(
    target,
    {
      cluster,
      documents: files.slice(0, 1),
      walk: false,
      seed: 7,
      host,
      startedAt: new Date(0),
      leaveTasks: true,
      stages: [],
    },
    { stage: () => undefined, step: () => undefined },
  );
  const before = await rulesOf('general-3');
  await look();

  const { tasks } = await lab.call('status', {});
  const byName = new Map(tasks.map((one) => [one.name, one]));
  const task = (name: string): LabTask => {
    const found = byName.get(name);
    if (!found) throw new Error(`no task ${name}`);
    return found;
  };
  const profile = (network: string): string => task(`${network}@general-1`).profiles[0]!;
  const plain = Object.keys(cluster.networks).flatMap((name): [string, string][] => [
    [setName(profile(name)), `felix-v4-${name}`],
    [profileChain(profile(name), 'inbound'), `felix-p-${name}-i`],
    [profileChain(profile(name), 'outbound'), `felix-p-${name}-o`],
  ]);
  const readable = (text: string): string => plain.reduce((so, [real, name]) => so.replaceAll(real, name), text);
  const real = (text: string): string => plain.reduce((so, [own, name]) => so.replaceAll(name, own), text);
  const open = services(course(cluster, files, true, (name) => task(name).address, host).traffic);
  const good = new Map(
    await Promise.all(
      agents.map(async (on) => [on, { rules: await rulesOf(on), sets: await sh(on, 'ipset save') }] as const),
    ),
  );
  /** Every route that a host needs, as `ip route replace` takes it; BIRD's are put back in its name. */
  const routes = new Map(
    await Promise.all(agents.map(async (on) => [on, (await sh(on, 'ip route show')).trim().split('\n')] as const)),
  );

  const find = async (words: readonly string[]): Promise<number> => {
    const script = `for p in /proc/[0-9]*; do printf '%s ' "\${p#/proc/}"; tr '\\0' ' ' < $p/cmdline 2>/dev/null || :; echo; done`;
    const found = (await sh(undefined, script))
      .split('\n')
      .filter((line) => !line.includes('/cmdline') && words.every((word) => line.includes(word)))
      .map((line) => Number(line.split(' ')[0]));
    if (found.length !== 1) throw new Error(`${found.length} processes are called ${words.join(' ')}`);
    return found[0]!;
  };
  const endpointOf = async (name: string): Promise<EtcdNode> => {
    const { node } = await lab.call('read', { key: `/calico/v1/host/${task(name).host}/workload` });
    const leaves = (at: EtcdNode | undefined): EtcdNode[] => (at?.nodes ? at.nodes.flatMap(leaves) : at ? [at] : []);
    const own = leaves(node).find((leaf) => leaf.value?.includes(task(name).interface));
    if (!own) throw new Error(`no endpoint of ${name}`);
    return own;
  };
  const hear = async (name: string, ports: Services): Promise<Heal> => {
    await lab.call('listen', { listen: [{ namespace: name, ...ports }] });
    return () => lab.call('listen', { listen: [{ namespace: name, ...open }] });
  };

  return {
    stage,
    sh,
    iptables: tool,
    yesterday: before,
    task,
    look,
    large,
    restore,
    put,
    block: (name) => hosts.find((one) => one.name === name)!.block,
    profile,
    set: (network) => setName(profile(network)),
    edit: async (on, change) => {
      const lines = readable(await rulesOf(on))
        .trimEnd()
        .split('\n');
      await restore(on, real(`${change(lines).join('\n')}\n`));
    },
    signal: async (name, ...words) => {
      await sh(undefined, `kill -${name} ${await find(words)}`);
    },
    kill: async (...words) => {
      const pid = await find(words);
      const namespace = await sh(undefined, `ip netns identify ${pid}`);
      const command = (await sh(undefined, `tr '\\0' '\\n' < /proc/${pid}/cmdline`)).trim().split('\n');
      await sh(undefined, `kill -KILL ${pid}`);
      return () =>
        sh(
          namespace.trim(),
          `${command.map((word) => `'${word}'`).join(' ')} < /dev/null > /run/lab/log/again.log 2>&1 &`,
        );
    },
    rewrite: async (name, change) => {
      const { key, value } = await endpointOf(name);
      const next = change(JSON.parse(value!) as Record<string, unknown>);
      await (next ? put(key, JSON.stringify(next)) : remove(key));
      return () => put(key, value!);
    },
    amend: async (key, change) => {
      const { node } = await lab.call('read', { key });
      if (node?.value === undefined) throw new Error(`etcd has no ${key}`);
      const old = node.value;
      const next = change(JSON.parse(old));
      await (next === undefined ? remove(key) : put(key, JSON.stringify(next)));
      return () => put(key, old);
    },
    ghost: async (on, profile, address) => {
      const { key, value } = endpointWrite({
        host: on,
        orchestrator: 'libnetwork',
        workload: 'libnetwork',
        id: 'ghost',
        interface: 'calighost',
        mac: 'ee:ee:ee:ee:ee:ee',
        profiles: [profile],
        address,
      });
      const { index } = await lab.call('write', { writes: [{ key, value }] });
      await programmed(index);
      return () => remove(key);
    },
    deafen: (name, protocol, port) => hear(name, { ...open, [protocol]: open[protocol].filter((one) => one !== port) }),
    listen: (name, { tcp = [], udp = [] }) => {
      if (tcp.length > 0 && !tcp.includes(closedPort(open))) throw new Error(`the closed port is ${closedPort(open)}`);
      return hear(name, { tcp: [...open.tcp, ...tcp], udp: [...open.udp, ...udp] });
    },
    heal: async () => {
      await Promise.all(
        agents.map(async (on) => {
          const { rules, sets } = good.get(on)!;
          const members = sets.split('\n').filter((line) => line.startsWith('add '));
          await sh(on, `ipset flush\nipset restore -exist <<'END'\n${members.join('\n')}\nEND`);
          await restore(on, rules);
          const lines = routes.get(on)!.filter((line) => !line.includes('proto kernel'));
          await sh(on, lines.map((line) => `ip route replace ${line}`).join('\n'));
          // What nobody answered for is asked again at once, not at the next second.
          await sh(on, 'ip neigh flush all');
        }),
      );
      // One that was cut off hears of it when TCP sends again, which the longer it was cut off is the later.
      await programmed(last, 60_000);
    },
  };
}
