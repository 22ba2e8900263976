import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect } from 'vitest';

/**
 * A folder of goldens holds exactly these texts. `npm run golden:accept` writes what differs, and takes away what is not
 * there any more; otherwise a file too many fails like a file that differs.
 * @param mine whether a path belongs to this test, in a folder that several tests fill
 */
export async function expectFolder(
  folder: string,
  texts: ReadonlyMap<string, string>,
  mine: (path: string) => boolean = () => true,
): Promise<void> {
  for (const [path, text] of texts) await expect(text, path).toMatchFileSnapshot(join(folder, path));
  const stale = files(folder).filter((path) => mine(path) && !texts.has(path));
  if (expect.getState().snapshotState.snapshotUpdateState === 'all') for (const path of stale) remove(folder, path);
  else expect(stale, `files of ${folder} that nothing writes any more`).toEqual([]);
}

function files(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function remove(folder: string, path: string): void {
  rmSync(join(folder, path));
  for (let above = dirname(join(folder, path)); readdirSync(above).length === 0; above = dirname(above))
    rmdirSync(above);
}
