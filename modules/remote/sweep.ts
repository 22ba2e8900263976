/** Takes back what a run has left that was killed: its tasks, then its policy. Only for who holds the lease. */
import type { Etcd } from '../datastore/etcd.ts';
import type { Marathon } from '../mesos/marathon.ts';
import { format } from '../problem/problem.ts';
import { TargetFailed } from '../verify/target.ts';
import type { DockerLauncher } from './docker.ts';
import { cleared, leftOver, putBack } from './journal.ts';

export interface Broom {
  readonly etcd: Etcd;
  readonly marathon: Marathon;
  /** The containers of a run, by its id. */
  readonly docker: (run: string) => Pick<DockerLauncher, 'stop'>;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

const limits = { end: 120_000, look: 500 };

export async function sweep({ etcd, marathon, docker, signal, say }: Broom): Promise<void> {
  const left = await leftOver(etcd);
  if (left === undefined) return;
  const { holder, group, kept } = left;
  say(
    `The verification of ${holder} did not come to its end: its tasks (${group}) are ended, its policy is taken back.`,
  );
  const containers = /^docker:(.+)$/.exec(group)?.[1];
  if (containers !== undefined) await docker(containers).stop();
  else {
    const ended = await marathon.end([group], { limitMs: limits.end, pauseMs: limits.look, signal });
    if (!ended.ok) throw new TargetFailed(format(ended.problem));
  }
  await putBack(etcd, kept);
  await cleared(etcd, left);
  say(
    kept.length === 0
      ? 'It had written no policy.'
      : `As before that run again, in etcd: ${kept.map(({ root }) => root).join(', ')}`,
  );
}
