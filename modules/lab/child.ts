/** The lab's own helper processes, asked over JSON lines. */
import { createWriteStream } from 'node:fs';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import type { Process } from './api.ts';
import { Lines } from './lines.ts';

/** A helper that did not answer, or is gone. The verifier calls this broken infrastructure. */
export class HelperFailed extends Error {
  override readonly name = 'HelperFailed';
}

export class Helper<Q extends { readonly id: number }> {
  readonly process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #last = 0;

  constructor(shell: Shell, name: string, command: readonly string[], log: string) {
    this.#name = name;
    this.process = shell.start(command, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.process.stderr?.pipe(createWriteStream(log, { flags: 'a' }));
    const lines = new Lines();
    this.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of lines.take(chunk)) {
        const reply = JSON.parse(line) as { id: number; result?: unknown; error?: string };
        const call = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        if (reply.error === undefined) call?.resolve(reply.result);
        else call?.reject(new HelperFailed(`${name}: ${reply.error}`));
      }
    });
    const gone = (): void => {
      for (const { reject } of this.#waiting.values()) reject(new HelperFailed(`${name} ended`));
      this.#waiting.clear();
    };
    this.process.on('exit', gone);
    this.process.on('error', gone);
    this.process.stdin?.on('error', gone);
  }

  /** Asks, and waits at most `limitMs` for the answer. */
  ask<A>(request: DistributiveOmit<Q, 'id'>, limitMs: number): Promise<A> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new HelperFailed(`${this.#name} did not answer within ${limitMs} ms`));
      }, limitMs);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as A);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      if (this.process.exitCode !== null || !this.process.stdin?.writable) {
        this.#waiting.get(id)?.reject(new HelperFailed(`${this.#name} is not running`));
        this.#waiting.delete(id);
        return;
      }
      this.process.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What a child is, to whoever asks. */
export const seen = (child: ChildProcess): Process => ({
  pid: child.pid ?? 0,
  running: child.exitCode === null && child.signalCode === null,
});
