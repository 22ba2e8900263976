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

test('while somebody has it another run is refused and told who it is, and one that waits goes on afterwards', async () => {
  await stage.target.lease.claim('ann', 120);
  const [refused, waiting] = [verify(), verify('--wait', '90s')];
  const { code, stderr } = await refused.ended;
  expect(code).toBe(3);
  expect(stderr).toContain('ann verifies this cluster');
  expect(stderr).toContain('[verified-already]');
  await stage.target.lease.release('ann');
  const waited = await waiting.ended;
  expect(waited.code).toBe(0);
  expect(await holder()).toBeUndefined();
});

test('two at once take turns', async () => {
  const ends = await Promise.all([verify('--wait', '90s').ended, verify('--wait', '90s').ended]);
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
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
