import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFolder } from '../../golden-folder.ts';

test('a golden that nothing writes any more fails, unless goldens are being accepted: then it goes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-golden-'));
  try {
    writeFileSync(join(folder, 'stale.txt'), '');
    writeFileSync(join(folder, 'other.json'), '');
    const checked = expectFolder(folder, new Map(), (path) => path.endsWith('.txt'));
    const accepting = expect.getState().snapshotState.snapshotUpdateState === 'all';
    if (accepting) await checked;
    else await expect(checked).rejects.toThrow('that nothing writes any more');
    expect(existsSync(join(folder, 'stale.txt'))).toBe(!accepting);
    expect(existsSync(join(folder, 'other.json'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
