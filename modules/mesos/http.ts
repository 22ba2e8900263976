/**
 * One HTTP request to Marathon or Mesos, and its reply. How it gets there - TCP, a socket that SSH forwards - is the
 * business of the `Ask` alone. It follows no redirect and repeats nothing; who leads, and what may be repeated, is
 * decided above it (doors.ts, call.ts).
 */
import { request, type ClientRequest, type IncomingMessage } from 'node:http';

export interface Question {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Goes as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives whatever was answered, with any status. @throws NoReply where nobody answered within the limit. */
export type Ask = (question: Question, limitMs: number, signal?: AbortSignal) => Promise<Reply>;

/** Nobody answered. An `Ask` that throws anything else is taken for one that may have sent the request. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  /** False where the request has surely been seen by nobody: it may be sent again, whatever it asks for. */
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** More than any state of a cluster: a thousand agents with a hundred tasks each say about 200 MB. */
const usualMost = 256 * 1024 * 1024;

type To = { readonly host: string; readonly port: number } | { readonly socketPath: string };

/** An `Ask` over TCP or a socket of this machine. Each request has a connection of its own: a forwarded one may die. */
export function over(to: To, mostBytes = usualMost): Ask {
  const name = 'host' in to ? `${to.host}:${to.port}` : to.socketPath;
  return (question, limitMs, signal) =>
    new Promise((resolve, reject) => {
      const body = question.body === undefined ? undefined : JSON.stringify(question.body);
      let connected = false;
      const call = request({
        ...to,
        method: question.method,
        path: question.path,
        agent: false,
        headers: {
          accept: 'application/json',
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
          ...question.headers,
        },
      });
      const ended = ending(call, name, limitMs, signal);
      const fail = (error: Error): void => {
        ended();
        reject(error instanceof NoReply ? error : new NoReply(`${name}: ${whyOf(error)}`, connected));
      };
      call.on('socket', (socket) => socket.once('connect', () => (connected = true)));
      call.on('error', fail);
      call.on('response', (response) => {
        read(response, name, mostBytes).then((reply) => {
          ended();
          resolve(reply);
        }, fail);
      });
      call.end(body);
    });
}

/** Destroys the call when its time is over or the signal says so; gives what takes both away again. */
function ending(call: ClientRequest, name: string, limitMs: number, signal: AbortSignal | undefined): () => void {
  const late = setTimeout(
    () => call.destroy(new NoReply(`${name} gave no answer within ${limitMs / 1000} s`, true)),
    limitMs,
  );
  const abort = (): void => void call.destroy(new NoReply(`${name}: nobody waited for its answer`, true));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return () => {
    clearTimeout(late);
    signal?.removeEventListener('abort', abort);
  };
}

async function read(response: IncomingMessage, name: string, mostBytes: number): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      response.destroy();
      throw new NoReply(`${name} answered with more than ${Math.floor(mostBytes / 1024 / 1024)} MiB`, true);
    }
    chunks.push(chunk);
  }
  const headers = Object.entries(response.headers).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return {
    status: response.statusCode ?? 0,
    body: Buffer.concat(chunks).toString('utf8'),
    headers: Object.fromEntries(headers),
  };
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'nobody knows the name',
  EAI_AGAIN: 'names cannot be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ENOENT: 'there is no such socket',
  EPIPE: 'the connection was cut',
};

function whyOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return words[code] ?? (error.message === 'aborted' ? 'the connection was cut' : error.message);
}
