/** The project as a user has it, in a folder of its own, and stand-ins for programs. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../../modules/root/root.ts';

/** A new folder in `place`; `without` is what is missing. */
export function projectIn(place: string, without: readonly string[] = []): string {
  const folder = mkdtempSync(join(place, 'project-'));
  for (const each of ['Vagrantfile', 'clusters', 'policies'])
    cpSync(join(root, each), join(folder, each), { recursive: true });
  for (const each of ['dist', 'node_modules', 'package.json', 'templates'])
    if (!without.includes(each)) symlinkSync(join(root, each), join(folder, each));
  return folder;
}

/** Writes a program: a script of sh. */
export function program(file: string, body: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}
