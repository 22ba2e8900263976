/** The one door to child processes. Everything that runs a program takes a `Shell`, so that a test can hand in another. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as machine } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

export type { ChildProcess };

export interface RunOptions {
  readonly input?: string;
  /** The program, with all that it started, is killed after it, and the result is a failure that says so. Milliseconds. */
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Output {
  /** The exit code; null when a signal ended the program. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly stdio: StdioOptions;
  readonly env?: NodeJS.ProcessEnv;
  /** A session of its own: Ctrl-C on the terminal does not reach it. */
  readonly detached?: boolean;
}

export interface Shell {
  /** Runs a program to its end; a failure is a result, never an exception. */
  run(command: readonly string[], options?: RunOptions): Promise<Output>;
  /** Starts a program that goes on. */
  start(command: readonly string[], options: StartOptions): ChildProcess;
}

/** Thrown by `must`: a program of ours failed where it should not. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly command: readonly string[];
  readonly output: Output;

  constructor(command: readonly string[], output: Output) {
    const tail = output.stderr.trim().split('\n').slice(-5).join('\n');
    super(`${command.join(' ')} ended with ${output.code ?? 'a signal'}${tail ? `: ${tail}` : ''}`);
    this.command = command;
    this.output = output;
  }
}

/** Administrators' folders, which an ordinary user's PATH may lack though everybody may run what is in them. */
const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** PATH with the administrators' folders at its end. */
export function searchPath(): string {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...path, ...sbin.filter((folder) => !path.includes(folder))].join(delimiter);
}

/** The absolute path of a program, or undefined. */
export function which(program: string): string | undefined {
  for (const folder of searchPath().split(delimiter)) {
    const path = resolve(join(folder, program));
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: look on.
    }
  }
  return undefined;
}

/** The exit code that a shell gives to a program that a signal ended. */
export const signalCode = (signal: NodeJS.Signals): number => 128 + machine.signals[signal];

/** What an ended program's children may still hold of its output, before nobody waits for it any longer. Milliseconds. */
const lingerMs = 200;

export const shell: Shell = {
  run([program = '', ...args], { input, timeoutMs, env } = {}) {
    return new Promise((done) => {
      // A group of its own, so that a time-out ends what the program started, too.
      const child = spawn(program, args, { detached: true, env: { ...process.env, PATH: searchPath(), ...env } });
      const said = { stdout: '', stderr: '' };
      let code: number | null = null;
      const finish = (note = ''): void => {
        clearTimeout(timer);
        child.stdout.destroy();
        child.stderr.destroy();
        done({ code, stdout: said.stdout, stderr: said.stderr + note });
      };
      const kill = (): void => {
        try {
          process.kill(-child.pid!, 'SIGKILL');
        } catch {
          // It ended meanwhile; only its output is still held.
        }
        code = null;
        finish(`\nkilled after ${timeoutMs} ms`);
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (chunk: string) => (said[name] += chunk));
      }
      child.once('error', (error) => {
        code = 127;
        finish(error.message);
      });
      child.once('exit', (exitCode) => {
        code = exitCode;
        clearTimeout(timer);
        setTimeout(finish, lingerMs).unref();
      });
      child.once('close', () => finish());
      // A program need not read what it is given.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  },

  start([program = '', ...args], { stdio, env, detached = false }) {
    return spawn(program, args, { stdio, detached, env: { ...process.env, PATH: searchPath(), ...env } });
  },
};

/** Runs a program that has to succeed; throws `CommandFailed` with the end of what it said. */
export async function must(on: Shell, command: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await on.run(command, options);
  if (output.code !== 0) throw new CommandFailed(command, output);
  return output.stdout;
}
