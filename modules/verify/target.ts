/** What verification asks of a cluster. It knows nothing of how a target does it; the lab is one implementation. */
import type { Profile, Tier } from '../policy/model.ts';
import type { Verdict } from './report.ts';

export interface Target {
  /** What is the real thing here, with versions, and what stands in for something. */
  readonly real: readonly string[];
  readonly standIns: readonly string[];
  /** Time-out of a probe when controls answer fast, milliseconds. */
  readonly timeoutMs: number;
  /** A change that takes longer is `slow`, milliseconds. */
  readonly budgetMs: number;
  /** A change that has not come about by then is held never to come, milliseconds. */
  readonly neverMs: number;
  /** Starts tasks and waits until each has its address and listens. */
  launch(tasks: readonly TaskSpec[], services: Services): Promise<readonly LaunchedTask[]>;
  /** Ends the tasks that `launch` has started, with what nobody needs without them. Tasks that ran before stay. */
  cleanUp(): Promise<void>;
  /** Brings profiles, and policies of tiers, in the datastore to this; those that are not named stay as they are. */
  write(profiles: readonly Profile[], tiers?: readonly Tier[]): Promise<Change>;
  /** Waits until every node's agent says that it has programmed the change, for at most `limitMs`. */
  programmed(change: Change, limitMs: number): Promise<Programmed>;
  /** Sends all probes, in no particular order; the answers are in the order of the questions. */
  probe(probes: readonly Probe[], timeoutMs: number): Promise<readonly Observation[]>;

  // What not every target can. A suite that needs one of these says of a target without it that nothing could be tried.

  /** All that tasks leave traces in; where others start tasks meanwhile, only the traces of this target's own. */
  readonly views?: () => Promise<Views>;
  /** One verification at a time. */
  readonly lease?: Lease;
  /** Hosts, and what is beyond the cluster: places that tasks may reach. */
  readonly places?: () => Promise<readonly Place[]>;
  /** Name servers that tasks may ask for each other. */
  readonly names?: Names;
  /** The MTU of the tasks' interfaces, where the prober minds the size of a probe. */
  readonly mtu?: number;
  /** Breaks the cluster, and puts it right again. */
  readonly faults?: Faults;
  /** Ends some of the tasks that `launch` started, and leaves the others alone. */
  readonly end?: (names: readonly string[]) => Promise<void>;
  /** A TCP connection from a task to a port of another where nobody listens yet, held open; policy must allow it. */
  readonly hold?: (from: string, to: LaunchedTask, port: number) => Promise<HeldFlow>;
  /** What the cluster's own processes hold now: agents, BIRD, etcd. */
  readonly held?: () => Promise<readonly Holding[]>;
}

/** A TCP connection that stands between two tasks. */
export interface HeldFlow {
  /** Whether what is said on it comes back, within some seconds. */
  readonly asks: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

export interface Names {
  /** How long after its start a task may have no name yet, milliseconds. */
  readonly settleMs: number;
  readonly servers: () => Promise<readonly NameServer[]>;
  /** What they call a task. */
  readonly nameOf: (task: string) => string;
  /** Asks over UDP, from inside the tasks; the answers are in the order of the questions. */
  readonly ask: (questions: readonly NameQuestion[], timeoutMs: number) => Promise<readonly NameAnswer[]>;
}

export interface NameServer {
  /** The node that it runs on. */
  readonly node: string;
  /** IPv4. */
  readonly address: string;
}

export interface NameQuestion {
  /** Name of a task. */
  readonly from: string;
  readonly server: NameServer;
  readonly name: string;
}

/** `refused`: the server's host says that nobody listens. `code`: that of DNS, 0 for no error. */
export type NameAnswer =
  | { readonly kind: 'answer'; readonly code: number; readonly addresses: readonly string[] }
  | { readonly kind: 'silence' | 'refused' }
  | { readonly kind: 'broken'; readonly note: string };

/** Of one process. */
export interface Holding {
  /** Stays the same over its life: `felix on general-1`. */
  readonly name: string;
  readonly memoryKiB: number;
  /** Open file descriptors. */
  readonly files: number;
  /** Memory by which it may grow that is no leak, where that is more than of other processes. */
  readonly spareKiB?: number;
}

export interface Faults {
  /** Those that can be made here. */
  readonly kinds: readonly FaultKind[];
  /** On a node; those of etcd are on every member. All end by themselves when this process does. */
  readonly make: (kind: FaultKind, node: string) => Promise<void>;
  /** Ends all of them. Daemons that were ended start again, as a supervisor of the host would start them. */
  readonly end: () => Promise<void>;
  /** What does not run or is not connected, one line each; empty when all is well. */
  readonly ailing: () => Promise<readonly string[]>;
}

/** `hung`: the agent runs and nothing that etcd says reaches it; `black-holed`: etcd runs, and nothing reaches it. */
export type FaultKind =
  | 'agent stopped'
  | 'agent killed'
  | 'agent hung'
  | 'etcd stopped'
  | 'etcd black-holed'
  | 'bird down'
  | 'host rebooted'
  | 'partition';

/** A place for one holder in the cluster's own datastore, so that it counts wherever a run is started. */
export interface Lease {
  /** Who has it now: `holder` itself, or somebody else. The holder's own claim renews it for `ttlSeconds`. */
  readonly claim: (holder: string, ttlSeconds: number) => Promise<string>;
  readonly release: (holder: string) => Promise<void>;
}

/** Somewhere that is no task: its kernel answers ICMP, and refuses TCP where nobody listens. */
export interface Place {
  readonly kind: 'host' | 'outside';
  readonly name: string;
  /** IPv4. */
  readonly address: string;
}

/** Kinds of traces. Each thing is told by a name under which a person finds it again. */
export type Views = Readonly<Record<View, readonly string[]>>;
export type View = 'endpoints' | 'addresses' | 'interfaces' | 'routes' | 'sets' | 'profiles';

export interface TaskSpec {
  /** Unique in the cluster. */
  readonly name: string;
  readonly node: string;
  readonly network: string;
  /** In Felix's order. */
  readonly profiles: readonly string[];
}

export interface LaunchedTask extends TaskSpec {
  /** IPv4. */
  readonly address: string;
}

/** Ports on which every probe task listens. */
export interface Services {
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
}

/** A change of the datastore, by which a target can tell who has seen it. */
export interface Change {
  readonly index: number;
}

export interface Programmed {
  readonly done: boolean;
  readonly ms: number;
  /** Nodes whose agent has not programmed the change. */
  readonly behind: readonly string[];
}

/** One packet exchange to try, from inside a task or from a node itself. */
export interface Probe {
  /** Name of a task or of a node. */
  readonly from: string;
  /** Name of a task. */
  readonly to: string;
  /** IPv4 of the target. */
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** 0 for ICMP. */
  readonly port: number;
  readonly sourcePorts: { readonly from: number; readonly to: number };
  /** Whether an answer is to be expected; it may pace the probes, never change a verdict. */
  readonly likely: boolean;
  /** UDP and ICMP: bytes of the whole IP packet, which is then not to be fragmented. Only where the target has `mtu`. */
  readonly size?: number;
}

export interface Observation {
  readonly verdict: Verdict;
  /** Milliseconds to the verdict. */
  readonly ms: number;
  /** Milliseconds from the call of `probe` to the sending of this one. */
  readonly startMs: number;
  /** UDP only: the request reached the target's listener, whatever became of the answer. */
  readonly arrived: boolean;
  /** With `arrived`: the listener may have come to the request only when the time of the probe was over. */
  readonly late?: boolean;
  readonly note?: string;
}

/** The target itself failed: a prober that does not answer, a datastore that takes no write, a machine that is gone. */
export class TargetFailed extends Error {
  override readonly name = 'TargetFailed';
}
