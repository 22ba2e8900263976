/** One part of a night: a verb of the kit in a process of its own, with a log, a limit, and a way to stop it in order. */
import { closeSync, openSync } from 'node:fs';
import type { ChildProcess, Shell } from '../shell/shell.ts';

export interface Phase {
  readonly name: string;
  readonly command: readonly string[];
  /** The file that its output goes to. A file, not a pipe: when we are killed it goes on, and ends in order. */
  readonly log: string;
  /** Where standard output goes, if not to the log. */
  readonly output?: string;
  readonly limitMs: number;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Ended {
  readonly name: string;
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  /** It took longer than it may, and was stopped. */
  readonly late: boolean;
  readonly seconds: number;
  readonly log: string;
}

export interface Going {
  readonly ended: Promise<Ended>;
  /** Asks it to end in order; it is asked again, and killed, when it does not. */
  readonly stop: () => void;
}

/** How long a part that was asked to end may take for it: Terraform ends what is under way. */
const graceMs = 5 * 60_000;

export function begin(shell: Shell, phase: Phase, grace = graceMs): Going {
  const { name, command, log, output, limitMs, env } = phase;
  const [out, err] = [openSync(output ?? log, 'a', 0o600), openSync(log, 'a', 0o600)];
  const start = performance.now();
  // A session of its own: Ctrl-C reaches it through us alone.
  const child = shell.start(command, { stdio: ['ignore', out, err], detached: true, ...(env && { env }) });
  for (const file of [out, err]) closeSync(file);
  const timers: NodeJS.Timeout[] = [];
  let late = false;
  let asked = false;
  const stop = (): void => {
    if (asked) return;
    asked = true;
    child.kill('SIGTERM');
    timers.push(setTimeout(() => child.kill('SIGTERM'), grace));
    timers.push(setTimeout(() => kill(child), 2 * grace));
  };
  timers.push(
    setTimeout(() => {
      late = true;
      stop();
    }, limitMs),
  );
  const ended = new Promise<Ended>((done) => {
    const finish = (code: number | null): void => {
      for (const timer of timers) clearTimeout(timer);
      done({ name, code, late, seconds: Math.round((performance.now() - start) / 100) / 10, log });
    };
    child.once('error', () => finish(127));
    child.once('exit', finish);
  });
  return { ended, stop };
}

function kill({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
