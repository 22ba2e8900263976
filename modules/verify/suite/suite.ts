/** What a suite is: a part of a verification that can be asked for by its name. */
import type { Cluster } from '../../cluster/cluster.ts';
import type { Evaluator } from '../../policy/evaluate.ts';
import type { PolicyDocument } from '../../policy/document.ts';
import type { PolicyState } from '../../policy/model.ts';
import type { PolicyHost } from '../../policy/network.ts';
import type { Check, Outcome, StepReport } from '../report.ts';
import type { Course, Step } from '../states.ts';
import type { Scene } from '../table.ts';
import type { Change, Services, TaskSpec, Views } from '../target.ts';
import type { Stop } from './stop.ts';

/** What a person asked of a suite. */
export interface Wish {
  /** Only cells or checks whose name has this in it; `*` stands for anything. */
  readonly only?: string;
  /** How many policies are made up and tried besides the declared one; none where it is left out. */
  readonly cases?: number;
  /** A made-up policy that fails is made as small as it can be. */
  readonly shrink?: boolean;
  /** How long a suite goes on that has no end of its own, milliseconds. */
  readonly forMs?: number;
  /** How such a suite is asked to end early. */
  readonly stop?: Stop;
}

/** All that a plan is made of; nothing of it needs a cluster that runs. */
export interface Asked {
  readonly cluster: Cluster;
  readonly documents: readonly PolicyDocument[];
  readonly course: Course;
  readonly tasks: readonly Omit<TaskSpec, 'profiles'>[];
  readonly guards: readonly Omit<TaskSpec, 'profiles'>[];
  readonly wish: Wish;
}

/** What a run would do. */
export interface Plan {
  /** Probes that are surely sent, controls not counted. */
  readonly probes: number;
  readonly states: number;
  /** Milliseconds that it waits, on a machine that is fast; for a person, not for a test. */
  readonly aboutMs: number;
  /** What else is to be known before it is run. */
  readonly notes: readonly string[];
}

/** Probe tasks that run under the whole policy, and what is needed to ask about them. */
export interface Deck extends Scene {
  readonly cluster: Cluster;
  readonly documents: readonly PolicyDocument[];
  readonly host: (node: string) => PolicyHost;
  readonly specs: readonly TaskSpec[];
  readonly services: Services;
  /** The policy as declared, with the addresses of the tasks. */
  readonly step: Step;
  /** The write that brought it. */
  readonly first: Change;
  readonly state: PolicyState;
  readonly evaluator: Evaluator;
  readonly wish: Wish;
  readonly seed: number;
  /** Before anything was started; undefined where the target has no views. */
  readonly before: Views | undefined;
  /** How far it is, for a person who waits. */
  readonly note: (text: string) => void;
}

export interface Found {
  readonly checks: readonly Check[];
  readonly steps?: readonly StepReport[];
  readonly untried?: readonly string[];
}

export interface Suite {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  readonly plan: (asked: Asked) => Plan;
  readonly run: (deck: Deck) => Promise<Found>;
}

/** A check in one go. */
export function check(
  name: string,
  outcome: Outcome,
  seen: string,
  more: Partial<Pick<Check, 'details' | 'times' | 'trends' | 'ms'>> = {},
): Check {
  return { name, outcome, seen, details: [], ms: 0, ...more };
}

/** Of a target that lacks what a check needs: it is not known, so it is no pass. */
export const cannot = (name: string, what: string): Check =>
  check(name, 'infrastructure-broken', `cannot be tried here: ${what}`);

/** What the target was asked to do and could not, as the end of a check. */
export const gaveUp = (name: string, why: string): Check => check(name, 'infrastructure-broken', why);

/** Whether a name is asked for. */
export function wanted({ only }: Wish): (name: string) => boolean {
  if (only === undefined) return () => true;
  const parts = only.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const pattern = new RegExp(parts.join('.*'), 'i');
  return (name) => pattern.test(name);
}
