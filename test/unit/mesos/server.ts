/** A real HTTP server on a port of its own, that answers as a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { over, type Ask } from '../../../modules/mesos/http.ts';

export interface Served {
  readonly ask: Ask;
  readonly name: string;
  readonly port: number;
  /** `GET /v2/info` of each request, in order. */
  readonly seen: readonly string[];
}

export type Answering = (request: IncomingMessage, response: ServerResponse, turn: number) => void;

export async function serve(answering: Answering): Promise<Served> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    request.on('end', () => {
      answering(request, response, seen.length);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { ask: over({ host: '127.0.0.1', port }), name: `127.0.0.1:${port}`, port, seen };
}

export const answer = (
  response: ServerResponse,
  status: number,
  body: unknown = '',
  headers: Readonly<Record<string, string>> = {},
): void => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
    ...headers,
  });
  response.end(text);
};
