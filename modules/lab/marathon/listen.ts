/** A handler of the stand-in on a real socket. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Reply } from '../../mesos/http.ts';
import { json, page, type Handle } from './wire.ts';

export interface Listening {
  /** `host:port`. */
  readonly name: string;
  readonly port: number;
  close(): Promise<void>;
}

/** More than any group of apps. */
const mostBytes = 8 * 1024 * 1024;

export async function listen(handle: Handle, host = '127.0.0.1', port = 0): Promise<Listening> {
  const server = createServer((request, response) => {
    void serve(handle, request).then((reply) => send(response, reply));
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, done);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    name: `${host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function serve(handle: Handle, request: IncomingMessage): Promise<Reply> {
  try {
    const url = new URL(request.url ?? '/', 'http://server');
    const body = await bodyOf(request);
    if (body === undefined) return page(413, 'Request Entity Too Large');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    const path = decodeURIComponent(url.pathname);
    return await handle({ method: request.method ?? 'GET', path, query: url.searchParams, headers, body });
  } catch (error) {
    return json(500, { message: error instanceof Error ? error.message : String(error) });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, headers);
  response.end(body);
}
