/**
 * A client of etcd's v2 API, as far as Calico's v1 data model needs it.
 *
 * Calico up to 2.6 and Docker's cluster store speak v2 only; it is on by default to etcd 3.3, wants `--enable-v2` in 3.4
 * and 3.5, and is gone in 3.6. Source: etcd `Documentation/v2/api.md`.
 */
import { Agent, request, type IncomingMessage } from 'node:http';

export interface EtcdNode {
  readonly key: string;
  readonly value?: string;
  readonly dir?: boolean;
  readonly nodes?: readonly EtcdNode[];
  readonly modifiedIndex: number;
}

export interface EtcdEvent {
  readonly action: 'set' | 'update' | 'create' | 'compareAndSwap' | 'delete' | 'compareAndDelete' | 'expire' | 'get';
  readonly node: EtcdNode;
}

/** What etcd itself refused, with its error code: 100 key not found, 101 compare failed, 105 exists, 401 index cleared. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
  readonly errorCode: number;
  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

interface Conditions {
  readonly prevExist?: boolean;
  readonly prevValue?: string;
  readonly ttl?: number;
}

/** Nobody listens there, or nothing leads there: the request has not been seen by anybody, so another member may have it. */
const unsent: readonly string[] = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'];

/** The last 100,000 writes stay in the memory of etcd until it takes a snapshot: growth by so much is no leak. */
export const spareKiB = 65_536;

export class Etcd {
  readonly #urls: readonly string[];
  /** The member that answered last. */
  #current = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #timeoutMs: number;

  /** `urls`: of each member, `http://10.64.0.1:2379`, or `unix:/run/1.s`, a socket that leads there. `timeoutMs`: limit of each request but watches. */
  constructor(urls: readonly string[], timeoutMs = 5_000) {
    this.#urls = urls;
    this.#timeoutMs = timeoutMs;
  }

  /** The subtree under a key with the index of the whole store at that moment; undefined where there is none. */
  async get(key: string): Promise<{ node: EtcdNode; index: number } | { node: undefined; index: number }> {
    const response = await this.#call('GET', `${key}?recursive=true`);
    const index = Number(response.headers['x-etcd-index'] ?? 0);
    const body = await readJson(response);
    if (isError(body)) {
      if (body.errorCode === 100) return { node: undefined, index: body.index };
      throw new EtcdError(body.errorCode, body.message);
    }
    return { node: body.node, index };
  }

  /**
   * Writes a value and gives the index of the write. `prevExist: false` makes it a creation (error 105 if it
   * exists); with `prevValue` that value must stand there (error 101 if another does, 100 if none). `ttl`: seconds.
   */
  async set(key: string, value: string, conditions: Conditions = {}): Promise<number> {
    const form = new URLSearchParams({ value });
    for (const [name, condition] of Object.entries(conditions)) form.set(name, String(condition));
    return this.#write('PUT', key, form.toString());
  }

  /** Deletes a key that has this value; error 101 if it has another, 100 if there is none. */
  deleteIf(key: string, prevValue: string): Promise<number> {
    return this.#write('DELETE', `${key}?prevValue=${encodeURIComponent(prevValue)}`);
  }

  /** Deletes a key, or a whole folder; nothing there is fine. Gives the index of the write, or 0. */
  async delete(key: string): Promise<number> {
    try {
      return await this.#write('DELETE', `${key}?recursive=true`);
    } catch (error) {
      if (error instanceof EtcdError && error.errorCode === 100) return 0;
      throw error;
    }
  }

  /**
   * Follows all changes under a key from an index on, until the signal. Ends with an EtcdError 401 when etcd no longer
   * remembers that index (it keeps 1,000 events): read all again then. Throws when the connection ends.
   */
  async *watch(key: string, fromIndex: number, signal: AbortSignal): AsyncGenerator<EtcdEvent, never> {
    let next = fromIndex;
    for (;;) {
      const path = `${key}?wait=true&recursive=true&stream=true&waitIndex=${next}`;
      const response = await this.#call('GET', path, undefined, signal);
      const present = Number(response.headers['x-etcd-index'] ?? 0);
      let spent = false;
      for await (const event of events(response)) {
        yield event;
        next = event.node.modifiedIndex + 1;
        // A stream that begins with an event of the past is mute after it: etcd answers from its history, and does not
        // register the watcher. Source: etcd `server/etcdserver/api/v2store/watcher_hub.go`.
        spent = event.node.modifiedIndex <= present;
        if (spent) break;
      }
      if (!spent) throw new Error(`${this.#url} ended the watch`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #write(method: 'PUT' | 'DELETE', key: string, form?: string): Promise<number> {
    const body = await readJson(await this.#call(method, key, form));
    if (isError(body)) throw new EtcdError(body.errorCode, body.message);
    return body.node.modifiedIndex;
  }

  get #url(): string {
    return this.#urls[this.#current % this.#urls.length]!;
  }

  /** Asks the member that answered last; one that cannot be reached passes the request on to the next. */
  async #call(method: string, key: string, form?: string, signal?: AbortSignal): Promise<IncomingMessage> {
    for (let tries = 1; ; tries++) {
      const asked = this.#current;
      try {
        return await this.#request(method, key, form, signal);
      } catch (error) {
        if (asked === this.#current) this.#current++;
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        if (tries >= this.#urls.length || !unsent.includes(code)) throw error;
      }
    }
  }

  #request(method: string, key: string, form?: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const url = this.#url;
    return new Promise((resolve, reject) => {
      const socket = /^unix:(.*)$/.exec(url)?.[1];
      const call = request(`${socket === undefined ? url : 'http://etcd'}/v2/keys${key}`, {
        ...(socket === undefined ? {} : { socketPath: socket }),
        method,
        agent: signal ? false : this.#agent,
        ...(signal ? { signal } : { timeout: this.#timeoutMs }),
        headers: form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' },
      });
      call.on('response', resolve);
      // `socket hang up` alone would not say whose.
      call.on('error', (error: NodeJS.ErrnoException) =>
        reject(Object.assign(new Error(`${url}: ${error.message}`, { cause: error }), { code: error.code })),
      );
      call.on('timeout', () => call.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)));
      call.end(form);
    });
  }
}

type Body = EtcdEvent | { errorCode: number; message: string; index: number };

const isError = (body: Body): body is { errorCode: number; message: string; index: number } => 'errorCode' in body;

/** The events of a watch as they come; what etcd refuses is thrown. */
async function* events(response: IncomingMessage): AsyncGenerator<EtcdEvent> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      const body = JSON.parse(line) as Body;
      if (isError(body)) throw new EtcdError(body.errorCode, body.message);
      yield body;
    }
  }
}

async function readJson(response: IncomingMessage): Promise<Body> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  try {
    return JSON.parse(text) as Body;
  } catch (error) {
    // A proxy, or an etcd whose v2 API is off.
    throw new Error(`no answer of etcd's v2 API: HTTP ${response.statusCode}, ${text.slice(0, 200).trim()}`, {
      cause: error,
    });
  }
}
