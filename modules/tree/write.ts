/** Puts a rendered tree on the disk, in a folder that is ours to clear: a list of what we wrote there marks it as such. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Tree } from '../node/tree.ts';
import { Refusal } from '../problem/problem.ts';

/** Names the files of the last render, one a line; only these are ever removed. */
const marker = '.rendered';

/**
 * Writes the files of a tree and removes those of an earlier one that it no longer has.
 * @throws Refusal for a folder that holds anything and has no marker: it is somebody else's.
 */
export function writeTree(folder: string, tree: Tree): void {
  const before = ours(folder);
  mkdirSync(folder, { recursive: true });
  const listed = (names: Iterable<string>): void => {
    writeFileSync(
      join(folder, marker),
      [...new Set(names)]
        .sort()
        .map((name) => `${name}\n`)
        .join(''),
    );
  };
  // Should this process end half-way, what it wrote is known all the same.
  listed([...before, ...tree.keys()]);
  for (const name of before) if (!tree.has(name)) remove(folder, name);
  for (const [name, text] of tree) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  listed(tree.keys());
}

/** What an earlier render wrote here. */
function ours(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const refuse = (what: string): Refusal =>
    new Refusal([
      {
        code: 'not-our-folder',
        what: `${folder} ${what}.`,
        rule: 'files of an earlier render are replaced or removed, and nobody else’s are.',
        remedy: '--out with an empty folder, or with one that does not exist',
      },
    ]);
  if (!statSync(folder).isDirectory()) throw refuse('is no folder');
  if (existsSync(join(folder, marker))) {
    return readFileSync(join(folder, marker), 'utf8')
      .split('\n')
      .filter((name) => name !== '');
  }
  if (readdirSync(folder).length > 0) throw refuse('holds files that no render wrote');
  return [];
}

/** A file and the folders that it leaves empty; nothing outside of the folder, whatever the list and links in it say. */
function remove(folder: string, name: string): void {
  const path = join(folder, name);
  if (!existsSync(path)) return;
  const inside = relative(realpathSync(folder), realpathSync(dirname(path)));
  if (inside.split(sep).includes('..') || inside.startsWith(sep)) return;
  rmSync(path, { recursive: false });
  for (
    let above = dirname(path);
    relative(folder, above) !== '' && readdirSync(above).length === 0;
    above = dirname(above)
  ) {
    rmdirSync(above);
  }
}
