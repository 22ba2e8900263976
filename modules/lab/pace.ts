/** How many probes may be under way in this process, and how long a batch of them may take. */
import { readFileSync } from 'node:fs';
import type { ProbeBatch } from './api.ts';

/** Files that a prober has open besides one for each probe: its own, and one for each namespace. */
export const spareFiles = 300;

/** How many files a process may have open here. Node raises its limit to the highest allowed, and helpers inherit it. */
export function openFiles(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined ? 1024 : Number(soft);
}

/** How often a probe may have to wait for others: for a place in flight, or for a source port of its own. */
export function rounds(probes: ProbeBatch['probes'], inFlight: number): number {
  const shares = new Map<string, number>();
  for (const { from, protocol, sourcePorts } of probes) {
    const key = `${from} ${protocol} ${sourcePorts.join()}`;
    shares.set(key, (shares.get(key) ?? 0) + 1 / (sourcePorts[1] - sourcePorts[0] + 1));
  }
  return Math.ceil(Math.max(probes.length / inFlight, ...shares.values()));
}
