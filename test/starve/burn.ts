/** Takes the processor from everybody else: real processes that do nothing but count, and end with whoever started them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** One that was left alone, by `kill -9` too, ends within a moment. The word at the end is to be found in the list of processes. */
const loop = 'while kill -0 "$PPID"; do i=0; while [ "$i" -lt 20000 ]; do i=$((i + 1)); done; done 2> /dev/null';

export const burnerWord = 'mesos-calico-burner';

export const cores = availableParallelism();

export interface Fire {
  readonly processes: number;
  /** Ends all of them; says which part of the processor, 0 to 1, they had. */
  readonly end: () => Promise<number>;
}

export function burn(perCore: number): Fire {
  const begin = performance.now();
  const children = Array.from({ length: perCore * cores }, () =>
    spawn('sh', ['-c', loop, burnerWord], { stdio: 'ignore' }),
  );
  let ended: Promise<number> | undefined;
  const end = async (): Promise<number> => {
    const spent = children.reduce((sum, child) => sum + spentMs(child), 0);
    const wall = performance.now() - begin;
    await Promise.all(children.map(extinguish));
    return spent / wall / cores;
  };
  return { processes: children.length, end: () => (ended ??= end()) };
}

async function extinguish(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms. */
function spentMs({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}
