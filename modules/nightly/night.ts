/** A night in order: deploy, wait until it is healthy, verify, and destroy whatever was deployed, however it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ended, Going, Phase } from './phase.ts';

export interface Plan {
  /** Undefined where the cluster stands already: then nothing is destroyed either. */
  readonly deploy?: Phase;
  readonly destroy: Phase;
  /** Undefined where there is no cluster before the verification: the lab. */
  readonly doctor?: Phase;
  /** How long a cluster that was just deployed may take to be healthy, and how often it is looked at. Milliseconds. */
  readonly readyMs: number;
  readonly pauseMs: number;
  readonly verify: Phase;
}

export interface Means {
  readonly begin: (phase: Phase) => Going;
  /** Whether the state holds what this night has deployed, and nothing else. */
  readonly ours: () => 'ours' | 'nothing' | 'not ours';
  readonly say: (text: string) => void;
  /** The signals that ask for an end, one by one. */
  readonly asked: Asked;
}

/** Somebody wants an end. */
export interface Asked {
  readonly times: () => number;
  /** Calls back at each signal that is still to come, until it is told to stop. */
  readonly on: (hear: () => void) => () => void;
}

export interface Night {
  readonly phases: readonly Ended[];
  /** What became of what was deployed. */
  readonly left: 'nothing was deployed' | 'destroyed' | 'still there' | 'not ours';
}

export async function night(plan: Plan, means: Means): Promise<Night> {
  const phases: Ended[] = [];
  const go = async (phase: Phase, onAsked: (stop: () => void) => void): Promise<Ended> => {
    const going = means.begin(phase);
    const off = means.asked.on(() => onAsked(going.stop));
    const ended = await going.ended;
    off();
    phases.push(ended);
    return ended;
  };
  const stopAtOnce = (stop: () => void): void => stop();
  const deployed = plan.deploy === undefined || (await deploy(plan.deploy, go, means)).code === 0;
  if (deployed && means.asked.times() === 0) {
    if (plan.doctor !== undefined) await ready(plan, plan.doctor, phases, means);
    if (means.asked.times() === 0) await go(plan.verify, stopAtOnce);
  }
  return { phases, left: plan.deploy === undefined ? 'nothing was deployed' : await end(plan.destroy, go, means) };
}

type Go = (phase: Phase, onAsked: (stop: () => void) => void) => Promise<Ended>;

/**
 * Asked to end, it ends by itself first: what Terraform is stopped in the middle of may be there without the state knowing
 * of it, and would never be destroyed. Asked twice, it is stopped.
 */
const deploy = (phase: Phase, go: Go, { say, asked }: Means): Promise<Ended> =>
  go(phase, (stop) => {
    if (asked.times() > 1) return stop();
    say(
      'The deploy ends first, so that nothing is there that the state does not know of; then all of it is destroyed.',
    );
    say('Asked once more, it is stopped at once.');
  });

/** The doctor looks again and again: machines that were just made are still installing. Only the last look counts. */
async function ready(plan: Plan, doctor: Phase, phases: Ended[], means: Means): Promise<void> {
  const until = performance.now() + (plan.deploy === undefined ? 0 : plan.readyMs);
  for (;;) {
    const going = means.begin(doctor);
    const off = means.asked.on(going.stop);
    const ended = await going.ended;
    off();
    if (ended.code === 0 || means.asked.times() > 0 || performance.now() + plan.pauseMs > until) {
      phases.push(ended);
      return;
    }
    await sleep(plan.pauseMs);
  }
}

/** Not even a signal ends it: what is left would cost money. A second try is for clouds that were only slow. */
async function end(destroy: Phase, go: Go, { ours, say }: Means): Promise<Night['left']> {
  for (const last of [false, true]) {
    const whose = ours();
    if (whose === 'nothing') return 'destroyed';
    if (whose === 'not ours') return 'not ours';
    const { code } = await go(destroy, () => say('It is being destroyed; that is not interrupted.'));
    if (code === 0) return 'destroyed';
    if (!last) say('It was not destroyed; once more.');
  }
  return 'still there';
}
