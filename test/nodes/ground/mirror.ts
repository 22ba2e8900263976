/** A web server in the room, with all that nodes download. It can be told to be slow, to lie, to stop half-way, to be dead. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenIn } from './listen.ts';

/** How it treats a request that it could answer. */
export type Mood =
  /** Every byte comes, at this pace. */
  | { readonly is: 'slow'; readonly bytesPerSecond: number }
  /** The connection ends after so many bytes of the body, which the length had promised. */
  | { readonly is: 'cut'; readonly after: number }
  /** The right number of bytes, one of them wrong. */
  | { readonly is: 'wrong' }
  /** Takes the request and never answers. */
  | { readonly is: 'hanging' }
  | { readonly is: 'failing'; readonly status: number };

/** A part of an address, or a pattern of it. */
type Which = string | RegExp;

export interface Asked {
  readonly method: string;
  readonly path: string;
}

export interface Served {
  readonly body: Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Gives what lies at a path, or undefined. */
export type Shelf = (path: string) => Served | undefined;

export interface Mirror {
  /** Without a slash at its end: `http://10.77.0.1`. */
  readonly url: string;
  /** All that was asked for, in order. */
  readonly asked: Asked[];
  /** Puts a file at a path; gives its SHA-256. */
  put(path: string, content: string | Buffer): string;
  /** A shelf is asked for what no file was put at. */
  add(shelf: Shelf): void;
  /** From now on treats requests for `which` so, the first `times` of them. */
  be(mood: Mood, which: Which, times?: number): void;
  /** Treats all requests well again. */
  well(): void;
  /** Nobody listens any more: connections are refused, those that there are end. */
  die(): Promise<void>;
  revive(): void;
  /** Listens in another network namespace, too, at its 127.0.0.1, where Docker takes a registry without TLS. */
  alsoAt(namespace: string, port: number): void;
  close(): Promise<void>;
}

/** A shelf with the files of a folder. */
export const folderShelf =
  (prefix: string, folder: string): Shelf =>
  (path) => {
    if (!path.startsWith(`${prefix}/`) || path.includes('..')) return undefined;
    const file = join(folder, path.slice(prefix.length));
    return existsSync(file) && statSync(file).isFile() ? { body: readFileSync(file) } : undefined;
  };

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

interface Place {
  readonly namespace: string;
  readonly ip: string;
  readonly port: number;
}

interface Order {
  readonly mood: Mood;
  readonly which: Which;
  left: number;
}

/** Listens in the network namespace that a file names. */
export function openMirror(namespace: string, ip: string, port = 80): Mirror {
  const files = new Map<string, Buffer>();
  const shelves: Shelf[] = [];
  const asked: Asked[] = [];
  const places: Place[] = [{ namespace, ip, port }];
  let orders: Order[] = [];
  let doors: Door[] = [];

  const find = (path: string): Served | undefined => {
    const body = files.get(path);
    if (body !== undefined) return { body };
    for (const shelf of shelves) {
      const found = shelf(path);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = 'GET' } = request;
    const path = decodeURIComponent((request.url ?? '/').split('?')[0]!);
    asked.push({ method, path });
    const order = orders.find(({ which, left }) => left > 0 && fits(path, which));
    if (order !== undefined) order.left--;
    void give(response, method, find(path), order?.mood, request.headers.range);
  };
  const open = (): void => {
    doors = places.map((place) => openDoor(listenIn(place.namespace, place.ip, place.port), answer));
  };
  const close = async (): Promise<void> => {
    await Promise.all(doors.map((door) => door.close()));
    doors = [];
  };
  open();
  return {
    url: `http://${ip}${port === 80 ? '' : `:${port}`}`,
    asked,
    put: (path, content) => {
      files.set(path, Buffer.from(content));
      return sha256(content);
    },
    add: (shelf) => void shelves.push(shelf),
    be: (mood, which, times = Infinity) => void orders.unshift({ mood, which, left: times }),
    well: () => {
      orders = [];
    },
    die: close,
    revive: () => {
      if (doors.length === 0) open();
    },
    alsoAt: (other, otherPort) => {
      const place = { namespace: other, ip: '127.0.0.1', port: otherPort };
      places.push(place);
      if (doors.length > 0) doors.push(openDoor(listenIn(place.namespace, place.ip, place.port), answer));
    },
    close,
  };
}

const fits = (path: string, which: Which): boolean =>
  typeof which === 'string' ? path.includes(which) : which.test(path);

interface Door {
  close(): Promise<void>;
}

function openDoor(fd: number, answer: (request: IncomingMessage, response: ServerResponse) => void): Door {
  const open = new Set<Socket>();
  const server: Server = createServer(answer);
  server.on('connection', (connection) => {
    open.add(connection);
    connection.once('close', () => open.delete(connection));
  });
  server.listen({ fd });
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const connection of open) connection.destroy();
      }),
  };
}

async function give(
  response: ServerResponse,
  method: string,
  found: Served | undefined,
  mood: Mood | undefined,
  range: string | undefined,
): Promise<void> {
  response.on('error', () => undefined);
  if (mood?.is === 'hanging') return;
  if (mood?.is === 'failing') return void response.writeHead(mood.status).end();
  if (found === undefined) return void response.writeHead(404).end('not here\n');
  const whole = mood?.is === 'wrong' ? spoilt(found.body) : found.body;
  // As every web server does, so that a download can go on where it was cut off.
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (from > 0 && from >= whole.length)
    return void response.writeHead(416, { 'content-range': `bytes */${whole.length}` }).end();
  const body = whole.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, {
    'content-type': found.type ?? 'application/octet-stream',
    'content-length': body.length,
    ...(from > 0 && { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }),
    ...found.headers,
  });
  if (method === 'HEAD') return void response.end();
  if (mood?.is === 'cut') return void response.write(body.subarray(0, mood.after), () => response.destroy());
  if (mood?.is === 'slow') return trickle(response, body, mood.bytesPerSecond);
  response.end(body);
}

/** The same length with another byte in the middle. */
function spoilt(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

const stepsPerSecond = 10;

async function trickle(response: ServerResponse, body: Buffer, bytesPerSecond: number): Promise<void> {
  const step = Math.max(1, Math.floor(bytesPerSecond / stepsPerSecond));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    response.write(body.subarray(at, at + step));
    await sleep(1000 / stepsPerSecond);
  }
  response.end();
}
