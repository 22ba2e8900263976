/** One verification of a real cluster at a time, and one that was killed is taken back by the next: `kill -9` included. */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { compiled } from '../../modules/root/root.ts';
import type { ChildProcess } from '../../modules/shell/shell.ts';
import { until } from './machine.ts';
import { openRemoteLab, type RemoteLab } from './remote/rig.ts';

let there: RemoteLab;
const begun: ChildProcess[] = [];
beforeAll(async () => {
  if (isRoot()) there = await openRemoteLab('test/lab/clusters/unified-stars.yaml');
});
beforeEach(({ skip }) => {
  if (!isRoot()) skip('an sshd that lets root in has to be started by root');
});
afterAll(async () => {
  for (const child of begun) child.kill('SIGKILL');
  if (isRoot()) await there.close();
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
}

function verify(...words: string[]): Run {
  const reports = join(dirname(there.file), `out-${begun.length}`);
  const child = there.shell.start(
    [process.execPath, compiled('verbs/verify.ts'), there.file, '--suite', 'smoke', '--reports', reports, ...words],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  begun.push(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, ended: new Promise((done) => child.once('close', (code) => done({ code, text }))) };
}

const read = async (key: string): Promise<Record<string, string>> =>
  flat((await there.stage.lab.call('read', { key })).node);
const holder = async (): Promise<string | undefined> =>
  (await there.stage.lab.call('read', { key: '/mesos-calico/verify' })).node?.value;
const holds = ({ child }: Run) => until('it has the lease', async () => await has(child), 60_000);
const has = async ({ pid }: ChildProcess): Promise<boolean> => (await holder())?.includes(`process ${pid},`) === true;
/** It has started tasks and written policy. */
const inTheMiddle = () =>
  until(
    'tasks run and policy is written',
    async () => there.launcher.running.size > 0 && Object.keys(await read('/mesos-calico/undo/before')).length > 1,
    60_000,
  );

/** What a run may leave nothing of. */
const traces = async (): Promise<unknown> => ({
  tasks: (await there.stage.lab.call('status', {})).tasks,
  policy: await read('/calico/v1/policy'),
  endpoints: await read('/calico/v1/host'),
  ours: await read('/mesos-calico'),
  apps: [...there.launcher.running.keys()],
});

test('two at once: the second is refused and told who the first is, and one that waits goes on after it', async () => {
  const first = verify();
  await holds(first);
  const [refused, waiting] = [verify(), verify('--wait', '3m')];
  const { code, text } = await refused.ended;
  expect(text).toContain(`process ${first.child.pid}, suite smoke`);
  expect(text).toContain('[verified-already]');
  expect(code).toBe(3);
  // The first has taken no harm from the one that was refused.
  expect((await first.ended).code).toBe(0);
  expect((await waiting.ended).code).toBe(0);
  expect(await holder()).toBeUndefined();
}, 300_000);

test('killed in the middle, it is taken back by the next run, which passes and says so', async () => {
  // Somebody else's policy, which the run writes over.
  const profile = '/calico/v1/policy/profile/ng_backend';
  const rules = JSON.stringify({ inbound_rules: [], outbound_rules: [{ action: 'deny' }] });
  await there.stage.lab.call('write', {
    writes: [
      { key: `${profile}/tags`, value: '["ng_backend","other"]' },
      { key: `${profile}/rules`, value: rules },
    ],
  });
  const before = await traces();
  const killed = verify();
  await inTheMiddle();
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect((await read(profile))[`${profile}/rules`]).not.toBe(rules);
  expect(there.launcher.running.size).toBeGreaterThan(0);
  expect(await holder()).toContain(`process ${killed.child.pid}`);
  const { code, text } = await verify('--wait', '60s').ended;
  expect(text).toMatch(new RegExp(`verification of .*process ${killed.child.pid}.* did not come to its end`));
  expect(text).toContain(profile);
  expect(code).toBe(0);
  expect(await traces()).toEqual(before);
}, 300_000);

test('interrupted in the middle, it gives the cluster free at once, as it was', async () => {
  const before = await traces();
  const run = verify();
  await inTheMiddle();
  run.child.kill('SIGINT');
  expect((await run.ended).code).toBe(130);
  expect(await traces()).toEqual(before);
}, 120_000);

test('interrupted while it waits for another, it ends soon, and does not take the lease afterwards', async () => {
  await there.stage.lab.call('claim', { key: '/mesos-calico/verify', holder: 'ann', ttlSeconds: 60 });
  const run = verify('--wait', '10m');
  let seen = '';
  run.child.stderr!.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await until('it waits', () => Promise.resolve(seen.includes('waiting for ann')), 60_000);
  const asked = performance.now();
  run.child.kill('SIGINT');
  expect((await run.ended).code).toBe(130);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect(await holder()).toBe('ann');
  await there.stage.lab.call('release', { key: '/mesos-calico/verify', holder: 'ann' });
  expect(await holder()).toBeUndefined();
}, 120_000);

const flat = (node: EtcdNode | undefined): Record<string, string> =>
  Object.fromEntries(
    node === undefined
      ? []
      : [
          ...(node.value === undefined ? [] : [[node.key, node.value] as const]),
          ...(node.nodes ?? []).flatMap((child) => Object.entries(flat(child))),
        ],
  );
