/** JSON, one object a line: how the lab's processes talk to each other. */
import { readSync, writeSync } from 'node:fs';

/** Cuts a stream of text into lines; keeps the unfinished one. */
export class Lines {
  #rest = '';

  take(chunk: string): string[] {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '');
  }
}

/** Standard input and output of a process that blocks in its own poll loop: reads what is there, writes to the end. */
export class Stdio {
  readonly #lines = new Lines();
  readonly #decoder = new TextDecoder();
  readonly #buffer = Buffer.alloc(1 << 20);

  /** The messages that have arrived; undefined at the end of the input. */
  read(): unknown[] | undefined {
    const length = readSync(0, this.#buffer);
    if (length === 0) return undefined;
    const text = this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true });
    return this.#lines.take(text).map((line) => JSON.parse(line) as unknown);
  }

  write(message: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    let from = 0;
    while (from < bytes.length) from += writeSync(1, bytes, from);
  }
}
