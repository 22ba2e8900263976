/** One verification at a time: the second waits or is refused, and the lease of one that was killed ends. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keys } from '../../../modules/datastore/calico.ts';
import { LabTarget } from '../../../modules/lab/target.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { begin, until } from '../machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'lease-'));
let stage: Stage;
beforeAll(async () => {
  stage = await openLab('lab');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeLab(stage);
});

const verify = (...more: string[]) =>
  begin('verify', ['lab', '--name', stage.lab.name, '--suite', 'smoke', '--reports', folder, ...more]);
const holder = async (): Promise<string | undefined> =>
  (await stage.lab.call('read', { key: keys.verifyLease })).node?.value;

test('two at once: the second is refused, told who has it; with --wait it runs afterwards', async () => {
  const first = begin('verify', ['lab', '--name', stage.lab.name, '--suite', 'leaks', '--reports', folder]);
  await until('the first has the lease', async () => (await holder()) !== undefined, 30_000);
  const refused = await verify().ended;
  const waited = await verify('--wait', '60s').ended;
  expect((await first.ended).code).toBe(0);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(`process ${first.pid}, suite leaks`);
  expect(refused.stderr).toContain('[verified-already]');
  expect(waited.code).toBe(0);
  expect(waited.stderr).toContain(`wait for `);
  expect(await holder()).toBeUndefined();
});

test('one that is killed keeps nobody out for longer than the lease lasts', async () => {
  const killed = verify();
  await until('it has the lease', async () => (await holder()) !== undefined, 30_000);
  process.kill(killed.pid, 'SIGKILL');
  await killed.ended;
  expect(await holder()).toContain(`process ${killed.pid}`);
  expect((await verify('--wait', '40s').ended).code).toBe(0);
});

test('a lease is renewed by its holder, refused to others, and given up only by its holder', async () => {
  const [a, b] = [new LabTarget(stage.lab, stage.cluster, stage.tools), stage.another()];
  expect(await a.lease.claim('a', 1)).toBe('a');
  expect(await b.lease.claim('b', 1)).toBe('a');
  expect(await a.lease.claim('a', 60)).toBe('a');
  await b.lease.release('b');
  expect(await holder()).toBe('a');
  await a.lease.release('a');
  expect(await b.lease.claim('b', 1)).toBe('b');
  await until('it ends by itself', async () => (await holder()) === undefined, 5_000);
});
