/** A real server on this machine that plays registry, token service and file host, for as long as a test wants. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';

export interface Server {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** What was asked: `HEAD /path`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

type Answers = (request: IncomingMessage, response: ServerResponse) => void;

export async function serve(answers: Answers): Promise<Server> {
  const asked: string[] = [];
  return await listening(
    createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      answers(request, response);
    }),
    asked,
  );
}

/** With a certificate that nobody vouches for. */
export async function serveTls(answers: RequestListener): Promise<Server> {
  const [key, cert] = ['key', 'pem'].map((kind) => readFileSync(new URL(`nobody.${kind}`, import.meta.url)));
  return await listening(createTlsServer({ key, cert }, answers), []);
}

async function listening(server: ReturnType<typeof createServer>, asked: readonly string[]): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
