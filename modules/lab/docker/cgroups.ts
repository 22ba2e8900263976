/** Control groups that the containers of a lab leave: folders, which outlive even the kernel's end of the processes. */
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupOf } from './engine.ts';

const base = '/sys/fs/cgroup';

/** How long the kernel may take to let go of a group whose processes have ended, milliseconds. */
const limitMs = 2_000;

/** Ends all processes of the lab but this, its first one, and takes away their groups. */
export async function endAll(id: string): Promise<void> {
  try {
    process.kill(-1, 'SIGKILL');
  } catch {
    // There was no other.
  }
  await sweepCgroups((one) => one === id);
}

/** Removes those of the labs that `dead` says are no more. Only empty ones can be removed, and others are not looked at. */
export async function sweepCgroups(dead: (id: string) => boolean): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    // Outer ones cannot go before inner ones.
    const left = groups(dead).filter((folder) => !remove(folder));
    // What cannot be removed is left to the next lab that looks.
    if (left.length === 0 || performance.now() > deadline) return;
    await sleep(20);
  }
}

function groups(dead: (id: string) => boolean): string[] {
  if (!existsSync(base)) return [];
  // One tree in version 2; one for each controller in version 1, some by a second name.
  return [base, ...folders(base)].flatMap((tree) =>
    folders(tree).filter((folder) => {
      const id = folder.split('/').at(-1)!.slice(cgroupOf('').length);
      return folder === join(tree, cgroupOf(id)) && dead(id);
    }),
  );
}

/** False when it is still there. */
function remove(folder: string): boolean {
  for (const child of folders(folder)) remove(child);
  try {
    rmdirSync(folder);
  } catch {
    return !existsSync(folder);
  }
  return true;
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
