/** What stands in the way of a run before it has begun: told as a Refusal, which says that it could not be found out. */
import type { Told } from '../mesos/told.ts';
import { exit, Refusal, type Problem } from '../problem/problem.ts';
import { TargetFailed } from '../verify/target.ts';

/** A failure of the target as the problem that it is here. */
export async function tried<T>(rest: Omit<Problem, 'what'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TargetFailed)) throw error;
    return refuse([{ ...rest, what: `${error.message}.` }]);
  }
}

export const noNetworks = { code: 'verify-networks', remedy: 'npm run install, or look at docker-networks.service' };
export const noEtcd = {
  code: 'verify-etcd',
  rule: 'who verifies a cluster holds a lease in its etcd, and keeps there what was before.',
  remedy: 'on a master: systemctl status etcd, and its log',
};
export const notSwept = {
  code: 'verify-not-swept',
  rule: 'what a killed run has left is taken back before another begins.',
  remedy: 'look at Marathon and at etcd, then run it again',
};

export function valueOf<T>(told: Told<T>): T {
  return told.ok ? told.value : refuse([told.problem]);
}

export function refuse(problems: readonly Problem[]): never {
  throw new Refusal(problems, exit.unknown);
}
