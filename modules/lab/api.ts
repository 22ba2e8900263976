/** What the lab's process does for whoever drives it. Everything is plain JSON. */
import type { EtcdNode } from '../datastore/etcd.ts';
import type { Output } from '../shell/shell.ts';
import type { FaultKind } from '../verify/target.ts';
import type { Session } from './bird.ts';
import type { Listen } from './serve.ts';
import type { LabProbe, ProbeResult } from './probe.ts';
import type { Topology } from './topology.ts';

export interface LabApi {
  /** Wires the hosts and starts their daemons; the answer comes when etcd takes writes. */
  build(request: { topology: Topology; tools: Tools }): void;
  /** Waits until every host has a route to every other host's block through BGP. */
  routed(request: Record<string, never>): void;
  status(request: Record<string, never>): LabStatus;
  /** What of it nobody has to be asked for: a lab of many hosts takes a while to ask. */
  layout(request: Record<string, never>): Layout;
  /** Starts tasks, wired and known to etcd; does not wait for their policy. */
  attach(request: { tasks: readonly TaskRequest[] }): { tasks: readonly LabTask[]; index: number };
  detach(request: { names: readonly string[] }): { index: number };
  /** Sees to it that the engines have these networks; gives the id of each, and which were not there. Nothing without engines. */
  networks(request: { names: readonly string[] }): { ids: Readonly<Record<string, string>>; made: readonly string[] };
  /** From now on these namespaces listen on these ports, and on no others. */
  listen(request: { listen: readonly Listen[] }): void;
  /** Sends all probes; the answers are in their order. */
  probe(request: ProbeBatch): ProbeAnswers;
  /** Writes values (or, without one, deletes keys) in order, and gives the index of the last write. */
  write(request: { writes: readonly { key: string; value?: string }[] }): { index: number };
  read(request: { key: string }): { node?: EtcdNode };
  /** Waits until the agent of every host has programmed an index of the store; gives the index that each is at. */
  programmed(request: { index: number; limitMs: number }): { hosts: Record<string, number>; ms: number; done: boolean };
  /** Ends those of these tasks that run, and writes these values. What a task that runs on has for its profile stays. */
  undo(request: Undo): { index: number };
  /** Does so when this connection ends; takes the place of what was bound by the same id before. */
  bind(request: { id: string; undo: Undo }): void;
  /** Breaks something; it is put right when `heal` is called, or this connection ends. */
  fault(request: { kind: FaultKind; host: string }): void;
  heal(request: Record<string, never>): void;
  /** Who has the lease of that key now: `holder` itself, or somebody else. */
  claim(request: { key: string; holder: string; ttlSeconds: number }): { holder: string };
  release(request: { key: string; holder: string }): void;
  /** Runs a program in a namespace of the lab (a host's or a task's name), or, without one, on the fabric. */
  exec(request: { namespace?: string; command: readonly string[]; input?: string; timeoutMs?: number }): Output;
}

export interface Undo {
  readonly tasks: readonly string[];
  /** Of Docker's; one that a task still uses stays. */
  readonly networks: readonly string[];
  /** Without a value the key, or the folder, is deleted. */
  readonly writes: readonly { readonly key: string; readonly value?: string }[];
}

/** Programs and dialects that were found on this machine. */
export interface Tools {
  readonly birdMajor: 1 | 2;
  /** The `iptables-restore` that works here. */
  readonly restore: string;
  readonly versions: {
    readonly bird: string;
    readonly etcd: string;
    readonly iptables: string;
    /** Where engines are asked for. */
    readonly docker?: string;
  };
}

export interface TaskRequest {
  /** Unique in the lab; also the name of its namespace. */
  readonly name: string;
  readonly host: string;
  readonly network: string;
  readonly profiles: readonly string[];
  readonly orchestrator: 'libnetwork' | 'mesos' | 'cni';
  /** What Mesos calls it, where that is another name. */
  readonly called?: string;
}

export interface LabTask extends TaskRequest {
  readonly address: string;
  /** Id of its endpoint in the datastore: another one each time that the task is started. */
  readonly endpoint: string;
  readonly interface: string;
}

export interface ProbeBatch {
  readonly probes: readonly LabProbe[];
  readonly timeoutMs: number;
  readonly inFlight: number;
  /** On top of the time-outs, before a prober that does not answer is given up; 10 s when not given. */
  readonly graceMs?: number;
}

export interface ProbeAnswers {
  readonly results: readonly ProbeResult[];
  /** Indexes of UDP probes that reached their target's listener, answered or not. */
  readonly arrived: readonly number[];
}

/** Its id as the lab's process counts. */
export interface Process {
  readonly pid: number;
  readonly running: boolean;
}

export interface Layout {
  readonly topology: Topology;
  readonly tasks: readonly LabTask[];
}

export interface LabStatus extends Layout {
  readonly hosts: readonly {
    readonly name: string;
    readonly sessions: readonly Session[];
    readonly processes: Readonly<Record<string, Process>>;
  }[];
  /** The lab's own: the listeners of all tasks, and the prober. */
  readonly helpers: Readonly<Record<string, Process>>;
}
