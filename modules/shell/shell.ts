/** The one door to child processes. Everything that runs a program takes a `Shell`, so that a test can hand in another. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { $ } from 'zx/core';

export type { ChildProcess };

export interface RunOptions {
  readonly input?: string;
  /** The program is killed after it, and the result is a failure that says so. Milliseconds. */
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
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look on.
    }
  }
  return undefined;
}

export const shell: Shell = {
  async run(command, { input, timeoutMs, env } = {}) {
    const result = await $({
      ...(input === undefined ? {} : { input }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, timeoutSignal: 'SIGKILL' as const }),
      env: { ...process.env, PATH: searchPath(), ...env },
      nothrow: true,
      quiet: true,
    })`${[...command]}`;
    const killed = result.signal === 'SIGKILL' && timeoutMs !== undefined;
    const note = killed ? `\nkilled after ${timeoutMs} ms` : '';
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr + note };
  },

  start(command, { stdio, env, detached = false }) {
    const [program = '', ...args] = command;
    return spawn(program, args, { stdio, detached, env: { ...process.env, PATH: searchPath(), ...env } });
  },
};

/** Runs a program that has to succeed; throws `CommandFailed` with the end of what it said. */
export async function must(on: Shell, command: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await on.run(command, options);
  if (output.code !== 0) throw new CommandFailed(command, output);
  return output.stdout;
}
