/**
 * Several machines that give the same service, as one `Ask`: Marathon's instances, or the masters. The one that answered
 * last is asked first. One that nobody reaches passes the question on to the next, and a redirect to the leader is
 * followed to the machine that it names.
 */
import { NoReply, type Ask, type Question, type Reply } from './http.ts';

export interface Door {
  /** Every `host:port` by which a redirect may name it: its address, its name. */
  readonly names: readonly string[];
  readonly ask: Ask;
}

/** A leader that has just changed sends in circles for a moment. */
const mostRedirects = 4;

export function through(doors: readonly Door[]): Ask {
  let first = 0;
  return async (question, limitMs, signal) => {
    const end = performance.now() + limitMs;
    const faults: string[] = [];
    let sent = false;
    for (const index of doors.keys()) {
      const at = (first + index) % doors.length;
      // What is left is shared among those that have not been asked: one that hangs must not cost the others their turn.
      const share = (end - performance.now()) / (doors.length - index);
      try {
        const { reply, by } = await follow(doors, at, question, share, signal);
        if (reply.status < 500 || index === doors.length - 1) {
          if (reply.status < 500) first = by;
          return reply;
        }
        faults.push(`${doors[at]?.names[0] ?? ''} answered ${reply.status}`);
      } catch (error) {
        const lost = error instanceof NoReply ? error : new NoReply(String(error), true);
        faults.push(lost.message);
        sent ||= lost.sent;
        // Another machine may only be asked for what has been done by nobody, or does no harm when done twice.
        if (signal?.aborted || (sent && question.method === 'POST')) throw lost;
      }
    }
    throw new NoReply(faults.join('; ') || 'there is nobody to ask', sent);
  };
}

async function follow(
  doors: readonly Door[],
  from: number,
  question: Question,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly reply: Reply; readonly by: number }> {
  const end = performance.now() + limitMs;
  let by = from;
  let asked = question;
  for (let turn = 0; ; turn += 1) {
    const door = doors[by];
    if (door === undefined) throw new NoReply('there is nobody to ask', false);
    const reply = await door.ask(asked, Math.max(1, end - performance.now()), signal);
    const to = leaderOf(reply);
    const next = to === undefined ? -1 : doors.findIndex(({ names }) => names.includes(to.host));
    // `/redirect` is asked for the sake of its answer; and who is unknown here cannot be followed.
    if (to === undefined || next === -1 || asksWho(question) || turn === mostRedirects) return { reply, by };
    by = next;
    // Mesos up to 1.0 redirects to the leader's root, whatever was asked of it.
    asked = { ...question, path: to.path === '/' ? question.path : to.path };
  }
}

const asksWho = ({ path }: Question): boolean => /^\/(master\/)?redirect$/.test(path);

/** Where a redirect leads: Mesos says `//10.0.0.1:5050/state`, Marathon `http://10.0.0.1:8080/v2/…`. */
export function leaderOf({ status, headers }: Reply): { readonly host: string; readonly path: string } | undefined {
  const { location } = headers;
  if (![301, 302, 307, 308].includes(status) || location === undefined) return undefined;
  const [, host, path = ''] = /^(?:https?:)?\/\/([^/?]+)(.*)$/.exec(location) ?? [];
  return host === undefined ? undefined : { host, path: path === '' ? '/' : path };
}
