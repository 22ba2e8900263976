/** A TCP connection between two tasks of the lab, held open: a program in each of their namespaces. */
import { compiled } from '../root/root.ts';
import { TargetFailed, type HeldFlow, type LaunchedTask } from '../verify/target.ts';
import type { Lab } from './lab.ts';

const program = compiled('modules/lab/flow.ts');
/** The lab's own, one after the other. */
let count = 0;

export async function hold(
  { call }: Pick<Lab, 'call'>,
  from: string,
  to: LaunchedTask,
  port: number,
): Promise<HeldFlow> {
  const id = `${process.pid}-${++count}`;
  const socket = (side: string): string => `/run/lab/flow-${id}-${side}.s`;
  const run = async (namespace: string | undefined, command: readonly string[]): Promise<string> => {
    const request = { command: [...command], timeoutMs: 20_000 };
    const { code, stdout, stderr } = await call('exec', namespace === undefined ? request : { namespace, ...request });
    if (code !== 0) throw new TargetFailed(`a TCP connection from ${from} to ${to.name}: ${stderr.trim()}`);
    return stdout;
  };
  const start = (namespace: string, ...words: string[]): Promise<string> =>
    run(namespace, [
      'sh',
      '-c',
      'setsid -f "$@" </dev/null >/dev/null 2>&1',
      'sh',
      process.execPath,
      program,
      ...words,
    ]);
  const tell = (side: string, word: string): Promise<string> =>
    run(undefined, [process.execPath, program, 'tell', socket(side), word]);
  const close = async (): Promise<void> => {
    await Promise.all(['to', 'from'].map((side) => tell(side, 'end')));
    await run(undefined, ['rm', '-f', socket('to'), socket('from')]);
  };
  await start(to.name, 'answer', socket('to'), String(port));
  await tell('to', 'ask');
  await start(from, 'call', socket('from'), to.address, String(port));
  return { asks: async () => (await tell('from', 'ask')) === 'yes', close };
}
