/**
 * What a verification found, as plain data. JSON of this type is the source of truth: the terminal, JUnit and the HTML
 * page only show it.
 */
import type { Decision, Traffic } from '../policy/model.ts';

/**
 * What happened to one probe.
 * - `open`: the target itself answered (TCP and UDP answers carry its identity; ICMP is answered by its kernel).
 * - `refused`: the packet arrived, nobody listens (TCP reset, ICMP port unreachable from the target's address).
 * - `dropped`: silence until the time-out.
 * - `rejected`: somebody on the way said no (ICMP unreachable or prohibited, no route).
 * - `broken`: the probe could not run, its agent did not answer, somebody else answered, or a control around it failed.
 */
export type Verdict = 'open' | 'refused' | 'dropped' | 'rejected' | 'broken';

/** How a run, a step or a cell ended. `slow` is right in the end, but later than its budget. */
export type Outcome = 'pass' | 'policy-wrong' | 'slow' | 'infrastructure-broken';

/** A probe task: one task of one network on one agent. */
export interface ProbeTask {
  /** `client@general-1`: unique in the run. */
  readonly name: string;
  readonly network: string;
  readonly node: string;
  /** IPv4 address. */
  readonly address: string;
}

/** One question of the matrix with its answer. Indexes point into `Report.tasks` and `StepReport.traffic`. */
export interface Cell {
  readonly from: number;
  readonly to: number;
  readonly traffic: number;
  readonly expected: 'allow' | 'deny';
  /** Which rule decides, on both sides. */
  readonly because: Decision;
  readonly observed: Verdict;
  /** Milliseconds until the answer; for `dropped`, the time-out. */
  readonly ms: number;
  readonly outcome: Outcome;
  /** What a person needs to know of this cell beyond the verdict; absent when all is as expected. */
  readonly note?: string;
}

/** A probe whose answer does not depend on policy; a denial counts only between two good ones. */
export interface Control {
  /**
   * - `listener`: from the task's own host, which is never policed, to a port that must be open.
   * - `closed-port`: the same to a port that must be refused, so that `open` is not what everything says.
   * - `path`: between two control tasks on two hosts, in a network that admits all of itself.
   */
  readonly kind: 'listener' | 'closed-port' | 'path';
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly expected: Verdict;
  readonly observed: Verdict;
  readonly ms: number;
  /** Before or after the table that it guards. */
  readonly when: 'before' | 'after';
  /** What the prober had to say beyond the verdict: who answered instead, why it could not be sent. */
  readonly note?: string;
}

/** How long one change of policy took to show in packets, in milliseconds from the write to the datastore. */
export interface Convergence {
  /** Cells that the change opens, and the time until the first answer on the slowest of them. */
  readonly opened: { readonly cells: number; readonly sampled: number; readonly slowestMs: number | undefined };
  /** Cells that the change closes, and the start of the last probe that still got through, over all of them. */
  readonly closed: { readonly cells: number; readonly sampled: number; readonly slowestMs: number | undefined };
  /** Until every host's agent reported that it had programmed the change; undefined when one never did. */
  readonly programmedMs: number | undefined;
  /** Over it a right answer is `slow`. */
  readonly budgetMs: number;
  readonly outcome: Outcome;
  readonly note?: string;
}

/** A hand-written expectation, held against what the evaluator says and what packets do. */
export interface ExpectationReport {
  readonly text: string;
  /** Where it stands: `policies/stars/2-ui-admitted.yaml:14`. */
  readonly where: string;
  readonly evaluatorAgrees: boolean;
  readonly packetsAgree: boolean;
  /** Indexes of the cells it speaks of. */
  readonly cells: readonly number[];
}

/** Times of something that was done again and again, milliseconds. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
}

/** What a suite looked at beyond the cells of a matrix. */
export interface Check {
  /** Unique in its report: `left behind: routes`. */
  readonly name: string;
  readonly outcome: Outcome;
  /** What was seen, in one sentence. */
  readonly seen: string;
  /** What a person has to look at, one line each, by name. */
  readonly details: readonly string[];
  readonly times?: Spread;
  /** What was measured in every round, where there were rounds. */
  readonly trends?: readonly Trend[];
  readonly ms: number;
}

/** One figure over the rounds of a soak. */
export interface Trend {
  /** `felix on general-1: memory`. */
  readonly name: string;
  readonly unit: 'ms' | 'KiB' | 'count';
  /** By how much it grows in a round, in its unit; undefined where there were too few rounds to tell. */
  readonly perRound: number | undefined;
  readonly grows: boolean;
  /** Round by round; of a long soak, medians of so many rounds each. */
  readonly values: readonly number[];
  readonly roundsPerValue: number;
}

export interface StepReport {
  readonly title: string;
  /** The policy file that this step adds; undefined for a run of the whole policy at once. */
  readonly file: string | undefined;
  /** The `calicoctl` commands that bring the step about on a real cluster. */
  readonly commands: readonly string[];
  readonly traffic: readonly Traffic[];
  readonly cells: readonly Cell[];
  readonly controls: readonly Control[];
  readonly expectations: readonly ExpectationReport[];
  readonly convergence: Convergence | undefined;
  readonly outcome: Outcome;
  /** One sentence each, the most telling first: what is wrong, where, and what to look at. */
  readonly findings: readonly string[];
  readonly ms: number;
}

export interface Report {
  readonly schema: 'mesos-calico/report/1';
  readonly cluster: string;
  readonly target: string;
  /** Orders the probes and picks samples; the same seed repeats the run. */
  readonly seed: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly ms: number;
  /** Where the time went, in order. */
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  /** What was not the real thing, one line each; empty on a real cluster. */
  readonly standIns: readonly string[];
  /** What was the real thing, with its version: `BIRD 1.6.8`. */
  readonly real: readonly string[];
  readonly tasks: readonly ProbeTask[];
  /** The least time-out of a probe, milliseconds; where controls answer slowly, a table takes a longer one. */
  readonly timeoutMs: number;
  readonly steps: readonly StepReport[];
  /** The suite that ran; absent for a walk (`npm start`). */
  readonly suite?: string;
  /** Absent where no suite ran. */
  readonly checks?: readonly Check[];
  /** What the suite has, and this cluster has no place for, each with the reason. */
  readonly untried?: readonly string[];
  readonly outcome: Outcome;
  /** One line that says it all. */
  readonly verdict: string;
}
