/** Ends apps and groups, and waits until nothing is left of them. */
import { isPath } from './apps.ts';
import { change } from './change.ts';
import type { Question } from './http.ts';
import type { Talk } from './talk.ts';
import { failed, told, type Told } from './told.ts';
import { deployments, some, tasks, until, type Waiting } from './wait.ts';

/** `ids` are of apps or of groups: each is asked for as both, and what is not there is fine. */
export async function end(talk: Talk, ids: readonly string[], waiting: Waiting): Promise<Told<undefined>> {
  const begun = performance.now();
  // The group "/" is everything that Marathon runs.
  const wrong = ids.find((id) => !isPath(id));
  if (wrong !== undefined) return failed({ code: 'app-id', what: `"${wrong}" is not the id of an app or a group.` });
  const going: string[] = [];
  for (const id of ids) {
    for (const question of [drop('apps', id), drop('groups', id)]) {
      // By force: our own deployment, not finished or never to be, holds what is to go.
      const made = await change(talk, question, waiting, begun, () => Promise.resolve(told(false)));
      if (!made.ok) return made;
      going.push(...made.value);
    }
  }
  const done = await gone(talk, ids, going, waiting, begun);
  return done.ok ? told(undefined) : done;
}

const drop = (kind: 'apps' | 'groups', id: string): Question => ({
  method: 'DELETE',
  path: `/v2/${kind}${id}?force=true`,
});

async function gone(
  talk: Talk,
  ids: readonly string[],
  going: readonly string[],
  waiting: Waiting,
  begun: number,
): Promise<Told<true>> {
  let left: readonly string[] = [];
  let most = 0;
  const late = () => ({
    code: 'marathon-not-gone',
    what: `${some(left) || some(ids)} was to end, and has not after ${(waiting.limitMs / 1000).toFixed(0)} s.`,
    remedy: 'in Mesos: is its agent reachable? An unreachable task ends when its agent comes back, or is removed',
  });
  return until(waiting, begun, late, async () => {
    const all = await tasks(talk, waiting.signal);
    if (!all.ok) return all;
    left = all.value
      .filter(({ appId }) => ids.some((id) => appId === id || appId.startsWith(`${id}/`)))
      .map(({ id }) => id);
    most = Math.max(most, left.length);
    waiting.onProgress?.({
      what: 'end',
      done: most - left.length,
      of: most,
      ms: performance.now() - begun,
      missing: left,
    });
    if (left.length > 0) return told(undefined);
    const open = await deployments(talk, waiting.signal);
    if (!open.ok) return open;
    return told(going.some((id) => open.value.has(id)) ? undefined : (true as const));
  });
}
