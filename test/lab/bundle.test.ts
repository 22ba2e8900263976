/** `npm run bundle` in a lab: what is in the archive, what is not, and what is left when it is interrupted. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { compiled } from '../../modules/root/root.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

let stage: Stage;
let folder: string;
beforeAll(async () => {
  stage = await openLab('lab');
});
afterAll(() => closeLab(stage));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mc-bundle-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const words = (...more: string[]): string[] => [
  process.execPath,
  compiled('verbs/bundle.ts'),
  'lab',
  `--name=${stage.lab.name}`,
  `--out=${join(folder, 'own.tar.gz')}`,
  ...more,
];

test('it has what every host tells, the list is true, and a secret in etcd is not in it', async () => {
  const value = JSON.stringify({ token: 'hunter22', note: 'kept' });
  await stage.lab.call('write', { writes: [{ key: '/calico/v1/config/Planted', value }] });
  const { code, stdout, stderr } = await shell.run(words('--json'), { timeoutMs: 60_000 });
  expect(code, stderr).toBe(0);
  const { files, missing } = JSON.parse(stdout) as { files: number; missing: string[] };
  expect(missing).toEqual([]);
  await must(shell, ['tar', '-xzf', join(folder, 'own.tar.gz'), '-C', folder]);
  const read = (path: string): string => readFileSync(join(folder, 'lab-bundle', path), 'utf8');
  const list = read('CONTENTS');
  const paths = [...list.matchAll(/^ *\d+ {2}[0-9a-f]{64} {2}(\S+)/gm)].map(([, path]) => path!);
  expect(paths.length + 1).toBe(files);
  for (const host of ['master-1', 'general-1', 'general-2', 'general-3'])
    for (const file of ['network/iptables.txt', 'network/routes.txt', 'bird/protocols-all.txt'])
      expect(paths).toContain(`${host}/${file}`);
  expect(read('general-1/bird/protocols-all.txt')).toContain('Established');
  expect(read('general-1/network/iptables-legacy.txt') + read('general-1/network/iptables.txt')).toContain(
    'felix-FORWARD',
  );
  expect(JSON.parse(read('doctor.json'))).toMatchObject({ cluster: 'lab', healthy: true });
  const keys = read('master-1/etcd/calico.json');
  expect(keys).toContain('kept');
  expect(paths.map(read).join('')).not.toContain('hunter22');
});

test('a file that is there is not overwritten', async () => {
  writeFileSync(join(folder, 'own.tar.gz'), 'mine');
  const { code, stderr } = await shell.run(words(), { timeoutMs: 60_000 });
  expect(code).toBe(2);
  expect(stderr).toContain('[bundle-is-there]');
  expect(readdirSync(folder)).toEqual(['own.tar.gz']);
  expect(readFileSync(join(folder, 'own.tar.gz'), 'utf8')).toBe('mine');
});

test('interrupted at any moment it leaves no file, or a whole one', async () => {
  for (const after of ['', 'look at', 'collect from']) {
    const child = shell.start(words(), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      // Where there is no terminal a stage is told when it ends: the next one runs.
      if (said.includes(after)) child.kill('SIGINT');
    });
    await new Promise((done) => child.once('exit', done));
    const left = readdirSync(folder);
    // It may have been done already.
    if (left.length > 0) {
      expect(left, `after "${after}"`).toEqual(['own.tar.gz']);
      await must(shell, ['tar', '-tzf', join(folder, 'own.tar.gz')]);
    }
    rmSync(join(folder, 'own.tar.gz'), { force: true });
  }
});
