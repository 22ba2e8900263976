/**
 * A cluster in memory: its packets do what the policy in it says, after a delay, unless a test says otherwise. It answers
 * at once, so that a verification takes milliseconds.
 */
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { loadCluster } from '../../../modules/cluster/load.ts';
import type { PolicyDocument } from '../../../modules/policy/document.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { Profile } from '../../../modules/policy/model.ts';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { verify } from '../../../modules/verify/run.ts';
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
} from '../../../modules/verify/target.ts';

/** What goes otherwise than it should. */
export interface Script {
  /** From a write until packets follow, milliseconds. */
  readonly lagMs?: number;
  /** Nodes whose agent never programs the change number so, and what follows. */
  readonly stuck?: { readonly nodes: readonly string[]; readonly from: number };
  /** Another answer than the right one; undefined leaves it. `batch` counts the calls of `probe` from 1, `size` is its length. */
  readonly answer?: (probe: Probe, right: Observation, batch: number, size: number) => Partial<Observation> | undefined;
  /** Throws, or shortens the list of answers. */
  readonly batch?: (answers: readonly Observation[], batch: number) => readonly Observation[];
  /** `number` counts from 1. */
  readonly write?: (number: number) => void;
  readonly launch?: (tasks: readonly LaunchedTask[]) => readonly LaunchedTask[];
  readonly programmed?: () => void;
  readonly cleanUp?: () => void;
}

export const fails = (why: string): never => {
  throw new TargetFailed(why);
};

export class FakeTarget implements Target {
  readonly real = ['nothing'];
  readonly standIns = ['everything'];
  readonly timeoutMs: number = 500;
  readonly budgetMs = 200;
  readonly neverMs = 500;
  /** Names of the profiles of each write. */
  readonly writes: (readonly string[])[] = [];
  batches = 0;
  cleaned = 0;
  readonly #script: Script;
  readonly #states: { readonly at: number; readonly profiles: ReadonlyMap<string, Profile> }[] = [];
  #tasks: readonly LaunchedTask[] = [];
  #open: Services = { tcp: [], udp: [] };

  constructor(script: Script = {}) {
    this.#script = script;
  }

  launch(specs: readonly TaskSpec[], open: Services): Promise<readonly LaunchedTask[]> {
    this.#open = open;
    this.#tasks = specs.map((spec, index) => ({ ...spec, address: `10.0.${index >> 8}.${(index & 255) + 1}` }));
    return async(() => this.#script.launch?.(this.#tasks) ?? this.#tasks);
  }

  cleanUp(): Promise<void> {
    return async(() => {
      this.cleaned++;
      this.#script.cleanUp?.();
    });
  }

  write(profiles: readonly Profile[]): Promise<Change> {
    return async(() => {
      const number = this.writes.push(profiles.map(({ name }) => name));
      this.#script.write?.(number);
      const before = this.#states.at(-1)?.profiles ?? new Map<string, Profile>();
      const after = new Map([...before, ...profiles.map((one): [string, Profile] => [one.name, one])]);
      this.#states.push({ at: performance.now(), profiles: after });
      return { index: this.#states.length };
    });
  }

  programmed({ index }: Change, limitMs: number): Promise<Programmed> {
    return async(() => {
      this.#script.programmed?.();
      const { stuck, lagMs = 0 } = this.#script;
      const behind = stuck !== undefined && index >= stuck.from ? stuck.nodes : [];
      return { done: behind.length === 0, ms: behind.length === 0 ? lagMs : limitMs, behind };
    });
  }

  probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]> {
    return async(() => {
      const batch = ++this.batches;
      const evaluator = compileState({
        profiles: this.#inForce(),
        endpoints: this.#tasks.map(({ name, address, profiles }) => ({ id: name, address, profiles })),
      });
      const answers = probes.map((probe): Observation => {
        const { protocol, port, from, to } = probe;
        const packet =
          protocol === 'icmp' ? { protocol, type: 8, code: 0 } : { protocol, port, sourcePort: probe.sourcePorts.from };
        const passes = !from.includes('@') || evaluator.allows(from, to, packet);
        const listens = protocol === 'icmp' || this.#open[protocol].includes(port);
        const verdict = !passes ? 'dropped' : listens ? 'open' : 'refused';
        const arrived = verdict === 'open' && protocol === 'udp';
        const right: Observation = { verdict, ms: verdict === 'dropped' ? timeoutMs : 1, startMs: 0, arrived };
        return { ...right, ...this.#script.answer?.(probe, right, batch, probes.length) };
      });
      return this.#script.batch?.(answers, batch) ?? answers;
    });
  }

  /** The first policy holds at once, each later one after the delay. */
  #inForce(): ReadonlyMap<string, Profile> {
    const now = performance.now();
    const old = this.#states.findLast(({ at }, index) => index === 0 || now - at >= (this.#script.lagMs ?? 0));
    return old?.profiles ?? new Map();
  }
}

async function async<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return work();
}

/** Two networks on three agents: six tasks. */
export function smallCluster(change: Partial<Cluster> = {}): Cluster {
  const { networks, ...lab } = loadCluster('lab');
  const two = Object.fromEntries(Object.entries(networks).filter(([name]) => ['client', 'backend'].includes(name)));
  return { ...lab, networks: two, policies: [], expect: [], ...change };
}

export function document(text: string, file = 'policy.yaml'): PolicyDocument {
  const read = readDocument(text, file);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

export const isolated = 'title: Isolated\n';
export const oneWay = `
title: One way
profiles:
  backend:
    inbound:
      - allow from tag backend
      - allow tcp from tag client to ports 9000
`;

export const run = (
  target: Target,
  texts: readonly string[] = [isolated, oneWay],
  cluster: Cluster = smallCluster(),
  walk = true,
): Promise<Report> =>
  verify(
    target,
    {
      cluster,
      documents: texts.map((text, index) => document(text, `${index + 1}.yaml`)),
      walk,
      seed: 1,
      host: (name) => ({ name, address: '192.0.2.1' }),
      startedAt: new Date(0),
      leaveTasks: false,
      stages: [],
    },
    { stage: () => undefined, step: () => undefined },
  );
