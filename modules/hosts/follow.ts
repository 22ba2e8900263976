/** Hands a script to the ssh that was started for it, and listens until it has ended, one way or another. */
import type { ChildProcess } from '../shell/shell.ts';
import { input } from './wire.ts';

/** What a host is asked to run. */
export interface Order {
  /** Text of a shell script. */
  readonly script: string;
  /** Options of our own that it is called with. */
  readonly words?: readonly string[];
  /** Milliseconds; then it is ended, and the problem says what was waited for. */
  readonly limitMs: number;
  /** What it is, as a sentence goes on: `its survey`, `the installation`. Problems name it as what was waited for. */
  readonly what: string;
  /** Each line of its standard output at once, with the time at which it came. */
  readonly onLine?: (line: string, at: number) => void;
  /** Leaves it at once. */
  readonly signal?: AbortSignal;
}

/** What a host may say at most before it is taken for mad. Characters. */
export const mostOutput = 64 * 2 ** 20;

/** How long standard error may lag behind the end of a script, milliseconds. */
const lingerMs = 200;

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly by: 'itself' | 'limit' | 'signal' | 'flood';
}

export function follow(child: ChildProcess, mark: string, order: Order): Promise<Ended> {
  return new Promise((done) => {
    const said = { stdout: '', stderr: '' };
    const tell = teller(mark, order.onLine);
    let by: Ended['by'] = 'itself';
    const finish = (): void => {
      clearTimeout(timer);
      order.signal?.removeEventListener('abort', abort);
      done({ ...said, by });
    };
    const stop = (reason: Ended['by']): void => {
      by = reason;
      child.kill('SIGKILL');
      // The shared connection still holds its output: nobody waits for that.
      child.stdout!.destroy();
      child.stderr!.destroy();
      finish();
    };
    const timer = setTimeout(() => stop('limit'), order.limitMs);
    const abort = (): void => stop('signal');
    order.signal?.addEventListener('abort', abort, { once: true });
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
        if (said.stdout.length + said.stderr.length > mostOutput) return stop('flood');
        said[name] += chunk;
        if (name === 'stderr') return;
        tell(said.stdout);
        // What a script has left running may hold its output for ever: the mark is the end.
        if (said.stdout.slice(-mark.length - 20).includes(`${mark} end `)) setTimeout(() => stop('itself'), lingerMs);
      });
    }
    child.once('error', (error) => (said.stderr += error.message));
    child.once('close', finish);
    // What cannot be written is told by how the host ends.
    child.stdin!.on('error', () => undefined);
    child.stdin!.end(input(mark, order.script, order.words));
    if (order.signal?.aborted === true) abort();
  });
}

/** Tells each line of what stands between the marks once, as soon as it is whole. */
function teller(mark: string, onLine: Order['onLine']): (stdout: string) => void {
  let told = 0;
  return (stdout) => {
    const begin = stdout.indexOf(`${mark} begin\n`);
    if (onLine === undefined || begin < 0) return;
    told = Math.max(told, begin + mark.length + ' begin\n'.length);
    for (let end = stdout.indexOf('\n', told); end >= 0; end = stdout.indexOf('\n', told)) {
      const line = stdout.slice(told, end);
      // The blank line before the mark is ours.
      if (line !== '' && !line.startsWith(mark)) onLine(line, Date.now());
      told = end + 1;
    }
  };
}
