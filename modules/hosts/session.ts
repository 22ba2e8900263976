/** A script on a host that goes on: it is sent lines, and each line that it says is told at once. It ends with us. */
import type { ChildProcess } from '../shell/shell.ts';
import { input } from './wire.ts';

export interface Session {
  send(text: string): void;
  /** Told of every line from now on; what was said before is told first. */
  listen(onLine: (line: string) => void): void;
  /** Why it has ended, once it has. */
  readonly ended: Promise<string>;
  /** Lets it end: it reads the end of its input. Comes back when it has, or after a while without. */
  close(): Promise<void>;
}

/** How long a script may take to end after the end of its input, milliseconds. */
const endMs = 5_000;

export function converse(child: ChildProcess, mark: string, script: string): Session {
  let rest = '';
  let begun = false;
  let stderr = '';
  let tell: ((line: string) => void) | undefined;
  const waiting: string[] = [];
  const line = (text: string): void => {
    if (!begun) {
      begun = text === `${mark} begin`;
      return;
    }
    // The blank line before the mark is ours.
    if (text === '' || text.startsWith(mark)) return;
    if (tell) tell(text);
    else waiting.push(text);
  };
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    lines.forEach(line);
  });
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr = (stderr + chunk).slice(-4000)));
  const ended = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message));
    child.once('close', () => done(stderr.trim() || (begun ? 'the session ended' : 'the session did not begin')));
  });
  // What cannot be written is told by how it ends.
  child.stdin!.on('error', () => undefined);
  child.stdin!.write(input(mark, script, [], true));
  return {
    send: (text) => void child.stdin!.write(text),
    listen: (onLine) => {
      tell = onLine;
      waiting.splice(0).forEach(onLine);
    },
    ended,
    async close() {
      child.stdin!.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
