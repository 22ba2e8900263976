/**
 * One verification at a time: two would take each other's tasks and changes for faults of the cluster.
 *
 *     hold(lease, holder, terms) -> Held, once it is ours; throws a Refusal that names the holder when the wait is over
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { exit, Refusal } from '../../problem/problem.ts';
import { tried } from '../converge.ts';
import type { Lease } from '../target.ts';

export interface Terms {
  /** How long somebody else may have it before this gives up, milliseconds. */
  readonly waitMs: number;
  /** After it the lease of a holder that is gone ends. */
  readonly ttlSeconds: number;
  /** Told once, when there is somebody to wait for. */
  readonly waiting: (holder: string) => void;
}

export interface Held {
  /** Whoever took it in spite of us. */
  readonly lostTo: () => string | undefined;
  readonly end: () => Promise<void>;
}

export async function hold(lease: Lease, holder: string, terms: Terms): Promise<Held> {
  const { waitMs, ttlSeconds, waiting } = terms;
  const deadline = performance.now() + waitMs;
  let told = false;
  for (;;) {
    const has = await lease.claim(holder, ttlSeconds);
    if (has === holder) break;
    if (performance.now() >= deadline) throw held(has, waitMs);
    if (!told) waiting(has);
    told = true;
    await sleep(Math.min(500, Math.max(10, deadline - performance.now())));
  }
  let lost: string | undefined;
  const timer = setInterval(
    () => {
      // A datastore that is away for a moment is no reason to give up; whoever has the key then is.
      void tried(() => lease.claim(holder, ttlSeconds)).then((one) => {
        if (one.ok && one.value !== holder) lost ??= one.value;
      });
    },
    (ttlSeconds * 1000) / 3,
  );
  timer.unref();
  return {
    lostTo: () => lost,
    end: async () => {
      clearInterval(timer);
      await tried(() => lease.release(holder));
    },
  };
}

const held = (holder: string, waitMs: number): Refusal =>
  new Refusal(
    [
      {
        code: 'verified-already',
        what: `${holder} verifies this cluster${waitMs > 0 ? `, still after ${Math.round(waitMs / 1000)} s` : ''}.`,
        rule: 'one verification at a time: two would take each other for faults of the cluster.',
        remedy: 'wait for it with --wait 10m; the lease of a run that was killed ends by itself within 15 s',
      },
    ],
    exit.unknown,
  );
