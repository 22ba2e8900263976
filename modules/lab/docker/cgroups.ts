/** Control groups that the containers of a lab leave: folders, which outlive even the kernel's end of the processes. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupOf } from './engine.ts';

const base = '/sys/fs/cgroup';

/** Removes those of the labs that `dead` says are no more. Only empty ones can be removed, and others are not looked at. */
export function sweepCgroups(dead: (id: string) => boolean): void {
  if (!existsSync(base)) return;
  // One tree in version 2; one for each controller in version 1.
  for (const tree of [base, ...folders(base)]) {
    for (const folder of folders(tree)) {
      const id = folder.split('/').at(-1)!.slice(cgroupOf('').length);
      if (folder === join(tree, cgroupOf(id)) && dead(id)) remove(folder);
    }
  }
}

function remove(folder: string): void {
  for (const child of folders(folder)) remove(child);
  try {
    rmdirSync(folder);
  } catch {
    // Gone already by another name of the same tree, or the kernel is still at it; the next lab looks again.
  }
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((one) =>
      one.isDirectory() ? [join(path, one.name)] : [],
    );
  } catch {
    return [];
  }
}
