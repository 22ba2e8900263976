/**
 * What hangs on a connection: what its caller said must be undone is undone when the connection ends, however it ends.
 * A caller that is killed leaves the lab as it was.
 */
import type { Duplex } from 'node:stream';
import type { LabApi, Undo } from './api.ts';
import type { Handlers } from './rpc.ts';

/** The handlers for one connection. `undo` does what was bound; `heal` ends faults that were made through it. */
export function bound(
  stream: Duplex,
  handlers: Omit<Handlers<LabApi>, 'bind'>,
  undo: (what: Undo) => Promise<unknown>,
  heal: () => Promise<unknown>,
): Handlers<LabApi> {
  const waiting = new Set<Promise<unknown>>();
  const later = new Map<string, Undo>();
  let broke = false;
  stream.once('close', () => void end());

  async function end(): Promise<void> {
    // What is being done is done first: a task that is half started could not be ended.
    while (waiting.size > 0) await Promise.allSettled(waiting);
    if (broke) await heal().catch(() => undefined);
    for (const what of later.values()) await undo(what).catch(() => undefined);
  }

  const watched = Object.entries(handlers).map(([name, handler]) => {
    const call = async (request: never): Promise<unknown> => {
      broke ||= name === 'fault';
      const work = Promise.resolve((handler as (request: never) => unknown)(request));
      waiting.add(work);
      return work.finally(() => waiting.delete(work));
    };
    return [name, call];
  });
  return {
    ...(Object.fromEntries(watched) as Omit<Handlers<LabApi>, 'bind'>),
    bind: ({ id, undo: what }) => void later.set(id, what),
  };
}
