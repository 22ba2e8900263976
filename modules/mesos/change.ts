/** Changes of apps and groups. One that somebody else's deployment holds is waited for, never taken from it. */
import { readChange, readLock } from './answers.ts';
import { messageOf, spoken } from './call.ts';
import type { Question } from './http.ts';
import type { Talk } from './talk.ts';
import { failed, told, type Told } from './told.ts';
import { some, until, type Waiting } from './wait.ts';

/**
 * Asks for a change, and gives its deployments; none where there was nothing to change. `ours`: whether a deployment that
 * holds an app was begun by this very request, whose answer got lost.
 */
export async function change(
  talk: Talk,
  question: Question,
  waiting: Waiting,
  begun: number,
  ours: (deployment: string) => Promise<Told<boolean>>,
): Promise<Told<readonly string[]>> {
  let locked: readonly string[] = [];
  let said = '';
  const late = () => ({
    code: 'marathon-locked',
    what: `Marathon would not take ${spoken(question)}: ${said || 'another deployment holds it'}.`,
    rule: 'a deployment of somebody else is never cancelled.',
    remedy: `wait for ${some(locked) || 'the deployments of /v2/deployments'}, or cancel it: DELETE /v2/deployments/ID`,
  });
  return until(waiting, begun, late, async () => {
    const reply = await talk(question, waiting.signal);
    if (!reply.ok) return reply;
    const { status } = reply.value;
    if (status === 404) return told([]);
    if (status !== 409) {
      const read = readChange(spoken(question), reply.value);
      return read.ok ? told([read.value.deploymentId]) : read;
    }
    said = messageOf(reply.value);
    const lock = readLock(spoken(question), reply.value);
    if (!lock.ok) return lock;
    locked = (lock.value.deployments ?? []).map(({ id }) => id);
    if (!/lock/i.test(said)) return failed({ code: 'marathon-refused', what: `Marathon answered 409: ${said}.` });
    for (const id of locked) {
      const mine = await ours(id);
      if (!mine.ok) return mine;
      if (mine.value) return told(locked);
    }
    waiting.onProgress?.({ what: 'lock', done: 0, of: 1, ms: performance.now() - begun, missing: locked });
    return told(undefined);
  });
}
