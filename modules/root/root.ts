import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder, from the compiled code in `dist/` as well as from the sources. */
export const root: string = find(dirname(fileURLToPath(import.meta.url)));

/** A compiled program of the project, to be started as a process of its own. */
export const compiled = (module: string): string => join(root, 'dist', module.replace(/\.ts$/, '.js'));

function find(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above the compiled code');
  return find(parent);
}
