/**
 * A question with patience: repeated while nobody answers or a server is in trouble, within a limit, and only where a
 * second time does no harm. What a status says that is the same for all questions is told here.
 */
import type { Problem } from '../problem/problem.ts';
import { leaderOf } from './doors.ts';
import { excerpt, type Service } from './form.ts';
import { NoReply, type Ask, type Question, type Reply } from './http.ts';
import { pause } from './pause.ts';
import { failed, told, type Told } from './told.ts';

export interface Patience {
  /** For a question with all its repetitions, milliseconds. */
  readonly limitMs: number;
  /** For one attempt. */
  readonly attemptMs: number;
  /** Before the first repetition; twice as long before each next, up to two seconds. */
  readonly pauseMs: number;
}

export const usualPatience: Patience = { limitMs: 60_000, attemptMs: 15_000, pauseMs: 250 };

const names = { marathon: 'Marathon', mesos: 'Mesos' } as const;

/** Gives any answer that is a matter of the question: 2xx, 404, 409. All others are problems. */
export async function call(
  service: Service,
  ask: Ask,
  question: Question,
  patience: Patience,
  signal?: AbortSignal,
): Promise<Told<Reply>> {
  const begin = performance.now();
  let wait = patience.pauseMs;
  let fault = '';
  for (;;) {
    if (signal?.aborted) return failed(interrupted(service));
    const left = patience.limitMs - (performance.now() - begin);
    if (left <= 0) return failed(noAnswer(service, question, fault, patience.limitMs));
    let again: boolean;
    try {
      const reply = await ask(question, Math.min(patience.attemptMs, left), signal);
      if (!inTrouble(reply.status)) return judged(service, question, reply);
      fault = `HTTP ${reply.status} ${messageOf(reply)}`.trim();
      // Whoever has no leader, or passes on to nobody, has done nothing; of a 500 nobody knows.
      again = repeatable(question) || reply.status === 503;
      if (!again) return failed(noAnswer(service, question, fault, performance.now() - begin));
    } catch (error) {
      // An attempt that our own limit cut short says less than the one before.
      if (fault === '' || left >= patience.attemptMs) fault = error instanceof Error ? error.message : String(error);
      again = repeatable(question) || (error instanceof NoReply && !error.sent);
      if (signal?.aborted) return failed(interrupted(service));
      if (!again) return failed(maybeDone(service, question, fault));
    }
    await pause(Math.min(wait, patience.limitMs - (performance.now() - begin)), signal);
    wait = Math.min(wait * 2, 2000);
  }
}

/** PUT and DELETE say what shall be, and may say it twice. */
const repeatable = ({ method }: Question): boolean => ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method);

const inTrouble = (status: number): boolean => status >= 500 || status === 429 || status === 408;

function judged(service: Service, question: Question, reply: Reply): Told<Reply> {
  const { status } = reply;
  if ((status >= 200 && status < 300) || status === 404 || status === 409) return told(reply);
  const what = `${names[service]} answered ${status} to ${spoken(question)}`;
  const said = messageOf(reply);
  const says = said === '' ? '' : `: ${said}`;
  if (status === 401)
    return failed({
      code: `${service}-login`,
      what: `${what}${says}.`,
      rule: `the kit has no login to ${names[service]}.`,
    });
  if (status === 403)
    return failed({ code: `${service}-forbidden`, what: `${what}${says}.`, remedy: 'see what it allows to whom' });
  const to = leaderOf(reply);
  if (to !== undefined)
    return failed({
      code: `${service}-elsewhere`,
      what: `${what}: ${to.host} leads, and it is none of the machines that the kit can ask.`,
      remedy: `let the inventory name ${to.host}, as the servers call it`,
    });
  return failed({ code: `${service}-refused`, what: `${what}${says}.` });
}

/** Marathon's own words: a message, and what is wrong at which path. */
export function messageOf({ body }: Reply): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return excerpt(body);
  }
  if (typeof json !== 'object' || json === null) return excerpt(body);
  const { message, details } = json as { message?: unknown; details?: unknown };
  const parts = Array.isArray(details) ? (details as unknown[]).map(detail) : [];
  const text = typeof message === 'string' ? message : excerpt(body);
  return [text, ...parts.filter((part) => part !== '')].join('; ');
}

function detail(one: unknown): string {
  if (typeof one !== 'object' || one === null) return '';
  const { path, errors } = one as { path?: unknown; errors?: unknown };
  return `${typeof path === 'string' ? path : ''} ${Array.isArray(errors) ? errors.map(String).join(', ') : ''}`.trim();
}

export const spoken = ({ method, path }: Question): string => `${method} ${path.split('?')[0] ?? ''}`;

const noAnswer = (service: Service, question: Question, fault: string, ms: number): Problem => ({
  code: `${service}-no-answer`,
  what: `${names[service]} gave no answer to ${spoken(question)} in ${(ms / 1000).toFixed(1)} s: ${fault || 'it was never asked'}.`,
  remedy: `on its machine: systemctl status ${service === 'marathon' ? 'marathon' : 'mesos-master mesos-agent'}, and whether its port can be reached`,
});

const maybeDone = (service: Service, question: Question, fault: string): Problem => ({
  code: `${service}-no-answer`,
  what: `whether ${names[service]} has done ${spoken(question)} nobody knows: ${fault}.`,
  rule: 'a request that may not be done twice is not repeated.',
});

export const interrupted = (service: Service): Problem => ({
  code: 'interrupted',
  what: `nobody waited any longer for ${names[service]}.`,
});
