/** The very code that verifies real clusters, against a lab that it takes for one: over SSH, through Marathon, in etcd. */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import { openSsh, type Ssh } from '../../modules/hosts/ssh.ts';
import { isRoot } from '../../modules/lab/permission.ts';
import { described } from '../../modules/remote/inventory.ts';
import { openRemote, type Remote } from '../../modules/remote/open.ts';
import { compiled } from '../../modules/root/root.ts';
import type { ChildProcess } from '../../modules/shell/shell.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import type { Report } from '../../modules/verify/report.ts';
import { verify } from '../../modules/verify/run.ts';
import type { Target } from '../../modules/verify/target.ts';
import { openRemoteLab, type RemoteLab } from './remote/rig.ts';

let there: RemoteLab;
let ssh: Ssh;
beforeAll(async () => {
  if (!isRoot()) return;
  there = await openRemoteLab('test/lab/clusters/unified-stars.yaml');
  ssh = openSsh({ shell: there.shell });
});
beforeEach(({ skip }) => {
  if (!isRoot()) skip('an sshd that lets root in has to be started by root');
});
afterAll(async () => {
  if (!isRoot()) return;
  await ssh.close();
  await there.close();
});

const open = (): Promise<Remote> =>
  openRemote({
    cluster: there.cluster,
    ground: described(there.cluster),
    ssh,
    launcher: 'marathon',
    image: 'busybox',
    onStage: () => undefined,
    say: () => undefined,
    holder: 'the tests',
    waitMs: 0,
    signal: new AbortController().signal,
    onHeld: () => undefined,
  });

/** `programmed`: what happens once the policy is in the kernels. */
async function look(walk: boolean, programmed?: () => Promise<void>): Promise<Report> {
  const remote = await open();
  const { target } = remote;
  const broken: Target = {
    real: target.real,
    standIns: target.standIns,
    timeoutMs: target.timeoutMs,
    budgetMs: target.budgetMs,
    neverMs: target.neverMs,
    launch: (...words) => target.launch(...words),
    cleanUp: () => target.cleanUp(),
    write: (...words) => target.write(...words),
    probe: (...words) => target.probe(...words),
    programmed: async (...words) => {
      const done = await target.programmed(...words);
      await programmed?.();
      return done;
    },
  };
  const cluster = there.cluster;
  const run = { cluster, documents: readPolicies(cluster), walk, seed: 1, startedAt: new Date(), stages: [] };
  try {
    return await verify(
      broken,
      { ...run, host: remote.host, id: remote.id, leaveTasks: false },
      { stage: () => undefined, step: () => undefined },
    );
  } finally {
    await remote.close();
  }
}

/** What a run may leave nothing of. */
async function traces(): Promise<unknown> {
  const { lab } = there.stage;
  return {
    tasks: (await lab.call('status', {})).tasks,
    policy: flat((await lab.call('read', { key: '/calico/v1/policy' })).node),
    endpoints: flat((await lab.call('read', { key: '/calico/v1/host' })).node),
    apps: [...there.launcher.running.keys()],
  };
}

test('Stars, step by step: every cell as expected, and nothing left', async () => {
  const before = await traces();
  const report = await look(true);
  expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
  expect(report.outcome).toBe('pass');
  expect(report.standIns).toEqual([]);
  expect(report.steps.map((step) => step.cells.length)).toEqual([660, 660, 660]);
  expect(report.steps.map((step) => step.cells.filter((cell) => cell.observed === 'open').length)).toEqual([
    120, 150, 168,
  ]);
  expect(await traces()).toEqual(before);
}, 400_000);

test('a rule that is missing in one kernel is found, and named', async () => {
  const before = await traces();
  const iptables = there.stage.tools.restore.replace('-restore', '');
  let broken = '';
  const report = await look(false, async () => {
    if (broken !== '') return;
    // The first rule by which the backend lets the frontend in.
    broken = await there.stage.sh(
      'general-2',
      `${iptables} -S felix-p-ng_backend-i 1; ${iptables} -D felix-p-ng_backend-i 1`,
    );
  });
  expect(broken).toContain('-A felix-p-ng_backend-i');
  expect(report.outcome).toBe('policy-wrong');
  expect(report.steps.flatMap((step) => step.findings).join('\n')).toMatch(/policy-wrong: .*backend@general-2/);
  // What is wrong is what goes to that task, and nothing else.
  const wrong = report.steps[0]!.cells.filter((cell) => cell.outcome !== 'pass');
  expect(new Set(wrong.map((cell) => report.tasks[cell.to]!.name))).toEqual(new Set(['backend@general-2']));
  expect(await traces()).toEqual(before);
}, 200_000);

test('Marathon without a leader is said before anything is begun', async () => {
  const before = await traces();
  there.launcher.lead(false);
  try {
    await expect(open()).rejects.toThrow(/Marathon gave no answer to GET \/v2\/info in .* HTTP 503/);
  } finally {
    there.launcher.lead(true);
  }
  expect(await traces()).toEqual(before);
}, 60_000);

describe('npm run verify', () => {
  const start = (...words: string[]) =>
    there.shell.start(
      [
        process.execPath,
        compiled('verbs/verify.ts'),
        there.file,
        '--reports',
        join(dirname(there.file), 'out'),
        ...words,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  const ended = async (child: ChildProcess): Promise<{ code: number | null; text: string }> => {
    let text = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.once('close', done));
    return { code, text };
  };

  test('verifies it by an inventory, as a stack hands one over', async () => {
    const { code, text } = await ended(start('--inventory', there.inventory));
    expect(text).toContain('own: policy: all is as it must be: 660 of 660 probes as expected');
    expect(code).toBe(0);
  }, 200_000);

  test('interrupted: tasks are ended, and the policy is as it was', async () => {
    // Somebody else's policy, which the run writes over.
    const rules = JSON.stringify({ inbound_rules: [], outbound_rules: [{ action: 'deny' }] });
    const profile = '/calico/v1/policy/profile/ng_backend';
    await there.stage.lab.call('write', {
      writes: [
        { key: `${profile}/tags`, value: '["ng_backend","other"]' },
        { key: `${profile}/rules`, value: rules },
      ],
    });
    const before = await traces();
    const child = start();
    const end = ended(child);
    await vi.waitFor(() => expect(there.launcher.running.size).toBeGreaterThan(0), { timeout: 60_000, interval: 50 });
    await new Promise((done) => setTimeout(done, 1500));
    child.kill('SIGINT');
    const { code, text } = await end;
    expect(text).toContain('Stopping: the probe tasks are ended, and the policy is put back.');
    expect(code).toBe(130);
    expect(await traces()).toEqual(before);
  }, 200_000);
});

const flat = (node: EtcdNode | undefined): Record<string, string> =>
  Object.fromEntries(
    node === undefined
      ? []
      : [
          ...(node.value === undefined ? [] : [[node.key, node.value] as const]),
          ...(node.nodes ?? []).flatMap((child) => Object.entries(flat(child))),
        ],
  );
