/**
 * Files that a person names on the command line. What cannot be read or written is no bug of ours: a Refusal says why.
 *
 *     readGiven(file) -> its text; `-` is standard input
 *     writeGiven(file, text)
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Refusal } from '../problem/problem.ts';

export function readGiven(file: string): string {
  return tried('unreadable-file', `${file} cannot be read`, () => readFileSync(file === '-' ? 0 : file, 'utf8'));
}

export function writeGiven(file: string, text: string): void {
  tried('unwritable-file', `${file === '' ? 'A file without a name' : file} cannot be written`, () =>
    writeFileSync(file, text),
  );
}

/** Whether it can be read again and again: a pipe is empty the second time. */
export function isRegular(file: string): boolean {
  return statSync(file).isFile();
}

function tried<T>(code: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refusal([{ code, what: `${what}: ${(error as Error).message}.` }]);
  }
}
