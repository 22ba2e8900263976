/** A program that takes minutes: what it says is shown while it runs. */
import { createInterface } from 'node:readline';
import { shell, type Output } from '../../modules/shell/shell.ts';

/** Runs a program to its end; after the limit it is killed, with all that it started. */
export async function told(command: readonly string[], env: NodeJS.ProcessEnv, limitMs: number): Promise<Output> {
  const child = shell.start(command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    createInterface({ input: child[name]! }).on('line', (line) => {
      said[name] += `${line}\n`;
      process.stderr.write(`${line}\n`);
    });
  const timer = setTimeout(() => {
    said.stderr += `killed after ${limitMs} ms\n`;
    process.kill(-child.pid!, 'SIGKILL');
  }, limitMs);
  const code = await new Promise<number | null>((end, fail) => child.once('close', end).once('error', fail));
  clearTimeout(timer);
  return { code, ...said };
}
