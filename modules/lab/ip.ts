/** Runs `ip` batches, and programs inside the lab's namespaces. */
import { must, type Output, type RunOptions, type Shell } from '../shell/shell.ts';
import type { Batch, Step } from './wiring.ts';

/** `ip netns exec` would remount /sys; nsenter only changes the network namespace. */
export const inside = (namespace: string | undefined, command: readonly string[]): string[] =>
  namespace === undefined ? [...command] : ['nsenter', `--net=/run/netns/${namespace}`, ...command];

export const runInside = (
  shell: Shell,
  namespace: string | undefined,
  command: readonly string[],
  options?: RunOptions,
): Promise<Output> => shell.run(inside(namespace, command), options);

/** Step by step; three batches of a step at a time, since starting `ip` is most of the work. */
export async function runSteps(shell: Shell, steps: readonly Step[]): Promise<void> {
  const run = ({ namespace, lines }: Batch): Promise<string> =>
    must(shell, ['ip', ...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
      timeoutMs: 30_000,
    });
  for (const step of steps) {
    const waiting = step.filter((batch) => batch.lines.length > 0);
    const worker = async (): Promise<void> => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) await run(batch);
    };
    await Promise.all([worker(), worker(), worker()]);
  }
}
