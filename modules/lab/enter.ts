/** Runs a command of the user's inside a task, with his terminal. */
import { signalCode, type Shell } from '../shell/shell.ts';
import type { Running } from './lab.ts';
import { isRoot } from './permission.ts';

/** Gives the command's exit code; 128 and the signal's number when a signal ended it. */
export function enterTask(
  shell: Shell,
  lab: Running,
  namespace: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  const into = ['nsenter', `--target=${lab.pid}`, ...(isRoot() ? [] : ['--user', '--preserve-credentials'])];
  const child = shell.start(
    [...into, '--mount', '--pid', '--', 'nsenter', `--net=/run/netns/${namespace}`, '--', ...command],
    { stdio: 'inherit', env },
  );
  // Ctrl-C on the terminal is the command's to answer: without this, a shell in a task would lose its terminal to ours.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signalCode(signal ?? 'SIGKILL')));
  }).finally(() => process.off('SIGINT', ignore));
}
