/** Whole runs at the same time: three on three labs, which do not meet, and two on one, of which one is told of the other. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectLab, endLab, findLab, runningLabs } from '../../modules/lab/lab.ts';
import { keys } from '../../modules/datastore/calico.ts';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import type { Report } from '../../modules/verify/report.ts';
import { closeLab, openLab, type Stage } from './harness.ts';
import { alive, begin, processesOf, processesWith, snapshot, until, type Begun } from './machine.ts';

const pair = 'test/lab/clusters/pair.yaml';
const named = (name: string): string => `parallel-${process.pid}-${name}`;

let folder: string;
/** A lab that was there before, and has nothing to do with any of this. */
let bystander: Stage;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parallel-'));
  mkdirSync(join(folder, 'scratch'));
  bystander = await openLab(pair);
});
afterAll(async () => {
  for (const one of runningLabs()) if (one.name.startsWith(named(''))) await endLab(one);
  rmSync(folder, { recursive: true, force: true });
  await closeLab(bystander);
});

const run = (verb: 'start' | 'verify', cluster: string, name: string, reports = name): Begun =>
  begin(verb, [cluster, '--name', named(name), '--reports', join(folder, reports)], {
    TMPDIR: join(folder, 'scratch'),
  });

const reportOf = (name: string): Report =>
  JSON.parse(readFileSync(join(folder, name, 'report.json'), 'utf8')) as Report;

/** All that a foreign run could have changed in a lab. */
const seenOf = async (stage: Stage): Promise<unknown> => ({
  views: await stage.another().views(),
  policy: await stage.lab.call('read', { key: '/calico/v1' }).then(({ node }) => keysOf(node)),
  tasks: (await stage.lab.call('status', {})).tasks,
});

/** Keys with their values; etcd gives them in no order. */
function keysOf(node: EtcdNode | undefined): string[] {
  const all = (one: EtcdNode): string[] => [`${one.key} ${one.value ?? ''}`, ...(one.nodes ?? []).flatMap(all)];
  return node === undefined ? [] : all(node).sort();
}

/** Whether somebody has the lease of that lab; one that is being built says nothing yet. */
async function holds(name: string): Promise<boolean> {
  const running = findLab(named(name));
  if (running === undefined) return false;
  try {
    const lab = await connectLab(running);
    try {
      return (await lab.call('read', { key: keys.verifyLease })).node !== undefined;
    } finally {
      lab.disconnect();
    }
  } catch {
    return false;
  }
}

test('three runs on three labs at the same time are all green, do not meet, and leave nothing', async () => {
  const machine = await snapshot();
  const before = await seenOf(bystander);
  const beings = processesOf(bystander.lab);
  const names = ['walk', 'whole', 'pair'] as const;
  const runs = [run('start', 'lab', 'walk'), run('verify', 'lab', 'whole'), run('verify', pair, 'pair')];

  // All three run at one moment: else this would be three runs after each other.
  await until('three labs run', () => names.every((name) => findLab(named(name)) !== undefined), 60_000);
  expect(await snapshot()).toEqual(machine);

  const ended = await Promise.all(runs.map((one) => one.ended));
  expect(ended.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
    names.map(() => ({ code: 0, stderr: '' })),
  );
  const reports = names.map(reportOf);
  expect(reports.flatMap(({ steps }) => steps.flatMap(({ findings }) => findings))).toEqual([]);
  expect(reports.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'pass']);
  // The same addresses in all of them, and not the same policy: had they met, not all could be green.
  const addresses = reports.map(({ tasks }) => tasks.map(({ address }) => address));
  expect(addresses[1]).toEqual(addresses[0]);
  expect(addresses[0]).toEqual(expect.arrayContaining(addresses[2]!.slice(0, 1)));
  const open = reports.map(({ steps }) => steps[0]!.cells.filter(({ observed }) => observed === 'open').length);
  expect(new Set(open).size).toBe(3);

  expect(processesWith(named(''))).toEqual([]);
  expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
  expect(await snapshot()).toEqual(machine);
  expect(alive(beings)).toEqual(beings);
  expect(await seenOf(bystander)).toEqual(before);
}, 300_000);

test('two runs that begin at once on one lab that neither found: one is green, the other is refused and says why', async () => {
  const both = await Promise.all([run('verify', pair, 'one', 'a').ended, run('verify', pair, 'one', 'b').ended]);
  const codes = both.map(({ code }) => code);
  expect(codes.filter((code) => code === 0)).toHaveLength(1);
  // Not 1: that the policy is wrong is not what it has found out.
  const refused = both.find(({ code }) => code !== 0)!;
  expect([2, 3]).toContain(refused.code);
  expect(refused.stderr).toMatch(/\[(lab-runs-already|verified-already|lab-failed)\]/);
  expect(processesWith(named(''))).toEqual([]);
}, 300_000);

test('a run that comes to a lab that another run has made is refused while that one lasts, and does not harm it', async () => {
  const first = run('verify', pair, 'shared', 'first');
  await until('the first verifies', async () => await holds('shared'), 60_000);
  const second = await run('verify', pair, 'shared', 'second').ended;
  expect({ code: second.code, told: second.stderr.includes('[verified-already]') }).toEqual({ code: 3, told: true });
  expect(second.stderr).toContain(`process ${first.pid}`);
  const { code, stderr } = await first.ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(processesWith(named(''))).toEqual([]);
}, 300_000);
