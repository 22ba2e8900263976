/** Runs `ip` batches, and programs inside the lab's namespaces. */
import { must, type Output, type RunOptions, type Shell } from '../shell/shell.ts';
import type { Batch } from './wiring.ts';

/** `ip netns exec` would remount /sys; nsenter only changes the network namespace. */
export const inside = (namespace: string | undefined, command: readonly string[]): string[] =>
  namespace === undefined ? [...command] : ['nsenter', `--net=/run/netns/${namespace}`, ...command];

export const runInside = (
  shell: Shell,
  namespace: string | undefined,
  command: readonly string[],
  options?: RunOptions,
): Promise<Output> => shell.run(inside(namespace, command), options);

/** Batches without a namespace first and in order, since they make what the others use; those two at a time. */
export async function runBatches(shell: Shell, batches: readonly Batch[]): Promise<void> {
  const run = (batch: Batch): Promise<string> =>
    must(shell, ['ip', ...(batch.namespace === undefined ? [] : ['-n', batch.namespace]), '-batch', '-'], {
      input: `${batch.lines.join('\n')}\n`,
      timeoutMs: 30_000,
    });
  for (const batch of batches) if (batch.namespace === undefined && batch.lines.length > 0) await run(batch);
  const named = batches.filter((batch) => batch.namespace !== undefined);
  const worker = async (): Promise<void> => {
    for (let batch = named.shift(); batch; batch = named.shift()) await run(batch);
  };
  await Promise.all([worker(), worker(), worker()]);
}
