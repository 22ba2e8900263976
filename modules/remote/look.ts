/** Asks a host by a script of this folder that only reads: lines of words, the last of which says that nothing is missing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Login } from '../hosts/login.ts';
import type { Remote } from '../hosts/ssh.ts';
import { format } from '../problem/problem.ts';
import { root } from '../root/root.ts';
import { TargetFailed } from '../verify/target.ts';

/** A machine that is asked. */
export interface Asked {
  readonly name: string;
  readonly login: Login;
}

const limitMs = 90_000;

/** `what`: as a sentence goes on: `its routes`. */
export async function look(
  remote: Pick<Remote, 'run'>,
  { name, login }: Asked,
  script: 'traces.sh' | 'held.sh',
  what: string,
): Promise<readonly string[]> {
  const text = readFileSync(join(root, 'modules/remote', script), 'utf8');
  const outcome = await remote.run(login, { script: text, limitMs, what });
  if (!outcome.ok) throw new TargetFailed(format(outcome.problem));
  const lines = outcome.stdout.split('\n').filter((line) => line !== '');
  const failed = lines.find((line) => line.startsWith('failed '));
  if (failed !== undefined) throw new TargetFailed(`${name}: ${failed.slice('failed '.length)}`);
  if (lines.pop() !== 'all') throw new TargetFailed(`${name}: it did not tell all of ${what}`);
  return lines;
}
