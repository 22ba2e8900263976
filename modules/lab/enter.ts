/** Runs a command of the user's inside a task, with his terminal. */
import type { Shell } from '../shell/shell.ts';
import type { Running } from './lab.ts';
import { isRoot } from './permission.ts';

/** Gives the command's exit code; 128 and the signal's number when a signal ended it. */
export function enterTask(shell: Shell, lab: Running, namespace: string, command: readonly string[]): Promise<number> {
  const into = ['nsenter', `--target=${lab.pid}`, ...(isRoot() ? [] : ['--user', '--preserve-credentials'])];
  const child = shell.start(
    [...into, '--mount', '--pid', '--', 'nsenter', `--net=/run/netns/${namespace}`, '--', ...command],
    { stdio: 'inherit' },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)));
  });
}
