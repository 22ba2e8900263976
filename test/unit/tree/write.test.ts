/** A rendered tree on the disk: the files of the last render are replaced, nobody else's are touched. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../../modules/problem/problem.ts';
import { writeTree } from '../../../modules/tree/write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-tree-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const files = (of: string): string[] =>
  readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && entry.name !== '.rendered')
    .map((entry) => join(entry.parentPath, entry.name).slice(of.length + 1))
    .sort();

const tree = (...names: string[]): ReadonlyMap<string, string> => new Map(names.map((name) => [name, `${name}\n`]));

function refusal(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.problems[0]?.code;
  }
  return undefined;
}

test('a tree is written into a folder that is not there, and into an empty one', () => {
  for (const out of [join(folder, 'new/deep'), folder]) {
    rmSync(join(folder, 'new'), { recursive: true, force: true });
    writeTree(out, tree('a/b/c', 'd'));
    expect(files(out)).toEqual(['a/b/c', 'd']);
    expect(readFileSync(join(out, 'a/b/c'), 'utf8')).toBe('a/b/c\n');
  }
});

test('what the last render wrote and this one does not is gone, with the folders that held nothing else', () => {
  writeTree(folder, tree('a/b/c', 'a/x', 'd'));
  writeTree(folder, tree('a/x', 'e'));
  expect(files(folder)).toEqual(['a/x', 'e']);
  expect(existsSync(join(folder, 'a/b'))).toBe(false);
});

test('a file may become a folder, and a folder a file', () => {
  writeTree(folder, tree('a', 'b/c'));
  writeTree(folder, tree('a/x', 'b'));
  expect(files(folder)).toEqual(['a/x', 'b']);
});

describe('somebody else’s', () => {
  test('folder is refused, and stays as it is', () => {
    writeFileSync(join(folder, 'thesis.tex'), 'ten years of work');
    expect(refusal(() => writeTree(folder, tree('a')))).toBe('not-our-folder');
    expect(files(folder)).toEqual(['thesis.tex']);
  });

  test('file in the place of the folder is refused', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(refusal(() => writeTree(join(folder, 'file'), tree('a')))).toBe('not-our-folder');
  });

  test('file among ours is left alone', () => {
    writeTree(folder, tree('a/b'));
    writeFileSync(join(folder, 'a/notes'), '');
    writeTree(folder, tree('c'));
    expect(files(folder)).toEqual(['a/notes', 'c']);
  });

  test('file outside is left alone, whatever our list or a link in the folder say', () => {
    const out = join(folder, 'out');
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'precious'), '');
    writeTree(out, tree('a'));
    symlinkSync(other, join(out, 'link'));
    writeFileSync(join(out, '.rendered'), 'a\n../other/precious\nlink/precious\n');
    writeTree(out, tree('b'));
    expect(files(other)).toEqual(['precious']);
  });
});
