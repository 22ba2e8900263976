/** What a bundle is made of: what nodes tell is read strictly, and the archive is one that tar itself reads. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pack, readTold, type Item } from '../../../modules/bundle/bundle.ts';
import { must, shell } from '../../../modules/shell/shell.ts';

const line = (path: string, said: string, ended = '\n\n[ended with 0]\n'): string =>
  `item=${path} ${Buffer.from(`${said}${ended}`).toString('base64')}\n`;

test('what a node told is read, with how each command ended', () => {
  const told = readTold(
    'm1',
    `${line('a.txt', 'one\ntwo')}${line('b.txt', 'no such unit', '\n\n[ended with 4]\n')}end=collect\n`,
  );
  expect(told).toEqual({
    items: [
      { path: 'm1/a.txt', text: 'one\ntwo', code: 0 },
      { path: 'm1/b.txt', text: 'no such unit', code: 4 },
    ],
    missing: [],
  });
});

test.each([
  ['a text cut off', line('a.txt', 'x'), 'm1: it did not tell to the end'],
  ['a path that leads out', `${line('../a.txt', 'x')}end=collect\n`, 'm1: a line that is no item'],
  ['a line of somebody else', 'bash: warning\nend=collect\n', 'm1: a line that is no item'],
  [
    'a file that is a secret by its name',
    'left=/etc/mesos/credential\nend=collect\n',
    'm1: /etc/mesos/credential: left out, a secret by its name',
  ],
])('%s is told of', (_, text, said) => {
  expect(readTold('m1', text).missing).toEqual([said]);
});

test('an item that was cut off says so', () => {
  const { items } = readTold('m1', `${line('a.txt', 'x', '')}end=collect\n`);
  expect(items).toEqual([{ path: 'm1/a.txt', text: 'x', code: undefined }]);
});

test('a node that brings too much is cut, and it is said', () => {
  const big = 'x'.repeat(2_000_000);
  const told = readTold('m1', `${Array.from({ length: 12 }, (_, n) => line(`${n}.txt`, big)).join('')}end=collect\n`);
  expect(told.items.length).toBe(9);
  expect(told.missing).toContain('m1: 9.txt: more than a node may bring');
});

test('tar reads the archive; the list has size and checksum of each file, what is missing, and no secret', async () => {
  const items: Item[] = [
    { path: 'm1/files/etc/a.env', text: 'A=1\nDB_PASSWORD=hunter22\n', code: 0 },
    { path: `m1/files/${'long/'.repeat(30)}b.json`, text: '{"token":"hunter33"}', code: undefined },
    { path: 'a1/units/failed.txt', text: '', code: 1 },
  ];
  const missing = ['a2: nobody answers at http://root:hunter44@10.0.0.22.'];
  const { archive, list } = pack({ cluster: 'own', at: Date.parse('2026-01-01T00:00:00Z'), items, missing });
  const folder = mkdtempSync(join(tmpdir(), 'mc-bundle-'));
  try {
    writeFileSync(join(folder, 'b.tar.gz'), archive);
    await must(shell, ['tar', '-xzf', join(folder, 'b.tar.gz'), '-C', folder]);
    const read = (path: string): string => readFileSync(join(folder, 'own-bundle', path), 'utf8');
    expect(read('CONTENTS')).toBe(list);
    expect(read('m1/files/etc/a.env')).toBe('A=1\nDB_PASSWORD=[REMOVED]\n');
    const rows = [...list.matchAll(/^ *(\d+) {2}([0-9a-f]{64}) {2}(\S+)(?: {2}\((.*)\))?$/gm)];
    expect(rows.map(([, , , path, note]) => [path, note])).toEqual([
      ['m1/files/etc/a.env', '1 removed'],
      [expect.stringMatching(/^m1\/files\/long.*~[0-9a-f]{8}\.json$/), 'cut off, 1 removed'],
      ['a1/units/failed.txt', 'ended with 1'],
    ]);
    for (const [, size, sum, path] of rows) {
      expect(read(path!).length).toBe(Number(size));
      expect(createHash('sha256').update(read(path!)).digest('hex')).toBe(sum);
    }
    expect(list).toContain('Not in it:\n  a2: nobody answers at http://[REMOVED]@10.0.0.22.');
    expect(list + rows.map(([, , , path]) => read(path!)).join('')).not.toMatch(/hunter/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
