/** Calls over a stream, one JSON object a line: the door between the lab's process and whoever drives it. */
import type { Duplex } from 'node:stream';
import { Lines } from './lines.ts';

export type Handlers<T> = {
  readonly [K in keyof T]: T[K] extends (request: infer Q) => infer A ? (request: Q) => Promise<A> | A : never;
};

/** `call('attach', …)`, typed by the API. */
export type Caller<T> = <K extends keyof T & string>(
  method: K,
  request: T[K] extends (request: infer Q) => unknown ? Q : never,
) => Promise<T[K] extends (request: never) => infer A ? A : never>;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly request: unknown;
}
type Reply = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

type Handler = (request: unknown) => unknown;

/** Asked now and then while a call waits; its answer says that the other side lives. */
const heartbeat = 'heartbeat';

/** Answers calls until the stream ends; ends it at a line that is no call. */
export function answer<T>(stream: Duplex, handlers: Handlers<T>): void {
  const known = new Map<string, Handler>([...Object.entries<Handler>(handlers), [heartbeat, () => null]]);
  onLines(stream, (line) => void reply(JSON.parse(line) as Request));
  stream.on('error', () => stream.destroy());

  async function reply({ id, method, request }: Request): Promise<void> {
    const handler = known.get(method);
    let message: Reply;
    try {
      if (!handler) throw new Error(`no method ${method}`);
      message = { id, result: (await handler(request)) ?? null };
    } catch (error) {
      message = { id, error: error instanceof Error ? error.message : String(error) };
    }
    send(message);
  }

  function send(message: Reply): void {
    if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
  }
}

/** A line that cannot be understood ends the stream: after it, nothing on it can be trusted. */
function onLines(stream: Duplex, take: (line: string) => void): void {
  const lines = new Lines();
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    try {
      for (const line of lines.take(chunk)) take(line);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** The other side ended the stream, or said nothing for too long, while an answer was due. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/**
 * Calls the other side of a stream. How long a call takes is its own business; but when nothing at all is heard for
 * `silenceMs` while one waits, or the stream ends, all that wait fail with `Disconnected`.
 */
export function caller<T>(stream: Duplex, silenceMs = 10_000): Caller<T> {
  const waiting = new Map<
    number,
    { method: string; resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  let last = 0;
  let ended: string | undefined;
  let unheard = 0;
  let timer: NodeJS.Timeout | undefined;
  onLines(stream, (line) => {
    const reply = JSON.parse(line) as Reply;
    unheard = 0;
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) clearInterval(timer);
    if ('error' in reply) call?.reject(new Error(reply.error));
    else call?.resolve(reply.result);
  });
  const end = (why: string): void => {
    ended ??= why;
    clearInterval(timer);
    for (const { method, reject } of waiting.values()) reject(new Disconnected(`${ended} (waiting for ${method})`));
    waiting.clear();
  };
  stream.on('close', () => end('the lab went away'));
  stream.on('error', () => end('the lab went away'));

  const beat = (): void => {
    // Counted, not timed: a caller that was itself kept from its work has not listened.
    if (++unheard > 10) {
      end(`the lab's process has said nothing for ${silenceMs / 1000} s`);
      stream.destroy();
    } else send(0, heartbeat, {});
  };
  const send = (id: number, method: string, request: unknown): void =>
    void stream.write(`${JSON.stringify({ id, method, request } satisfies Request)}\n`);

  const call = (method: string, request: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) {
        reject(new Disconnected(ended));
        return;
      }
      if (waiting.size === 0) {
        unheard = 0;
        timer = setInterval(beat, silenceMs / 10);
      }
      const id = ++last;
      waiting.set(id, { method, resolve, reject });
      send(id, method, request);
    });
  return call as Caller<T>;
}
