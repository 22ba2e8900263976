/** Reads the files under templates/; filling them in is the business of modules/node. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Templates } from '../node/fill.ts';
import { root } from '../root/root.ts';

let all: Templates | undefined;

/** All templates by their path under templates/, with slashes on every system. Read once. */
export function templates(): Templates {
  const folder = join(root, 'templates');
  all ??= new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path): [string, string] => [relative(folder, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
  );
  return all;
}
