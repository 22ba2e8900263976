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

/** Answers calls until the stream ends. */
export function answer<T>(stream: Duplex, handlers: Handlers<T>): void {
  const lines = new Lines();
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    for (const line of lines.take(chunk)) void reply(JSON.parse(line) as Request);
  });
  stream.on('error', () => stream.destroy());

  async function reply({ id, method, request }: Request): Promise<void> {
    const handler = (handlers as Record<string, ((request: unknown) => unknown) | undefined>)[method];
    let message: Reply;
    try {
      if (!handler) throw new Error(`no method ${method}`);
      message = { id, result: (await handler(request)) ?? null };
    } catch (error) {
      message = { id, error: error instanceof Error ? error.message : String(error) };
    }
    if (stream.writable) stream.write(`${JSON.stringify(message)}\n`);
  }
}

/** The other side ended the stream while an answer was due. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** Calls the other side of a stream. Calls that wait when the stream ends fail with `Disconnected`. */
export function caller<T>(stream: Duplex): Caller<T> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const lines = new Lines();
  let last = 0;
  let ended = false;
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    for (const line of lines.take(chunk)) {
      const reply = JSON.parse(line) as Reply;
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('error' in reply) call?.reject(new Error(reply.error));
      else call?.resolve(reply.result);
    }
  });
  const end = (): void => {
    ended = true;
    for (const { reject } of waiting.values()) reject(new Disconnected('the lab went away'));
    waiting.clear();
  };
  stream.on('close', end);
  stream.on('error', end);

  const call = (method: string, request: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (ended) {
        reject(new Disconnected('the lab went away'));
        return;
      }
      const id = ++last;
      waiting.set(id, { resolve, reject });
      stream.write(`${JSON.stringify({ id, method, request } satisfies Request)}\n`);
    });
  return call as Caller<T>;
}
