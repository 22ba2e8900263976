/** Requests and answers of the stand-in, apart from sockets. */
import type { Reply } from '../../mesos/http.ts';

export interface Asked {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export type Handle = (asked: Asked) => Promise<Reply> | Reply;

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

/** As Marathon's and Mesos' servers tell what is wrong by themselves: a page, not JSON. */
export const page = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  body: `<html><head><title>Error ${status}</title></head><body><h2>HTTP ERROR: ${status}</h2><p>${text}</p></body></html>\n`,
  headers: { 'content-type': 'text/html', ...headers },
});
