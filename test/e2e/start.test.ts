/** `npm start` as a person runs it: a process, a terminal that can say Ctrl-C, files that stay. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { $, type ProcessPromise } from 'zx';
import { endLab, findLab, runningLabs } from '../../modules/lab/lab.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { processesWith, until } from '../lab/machine.ts';
import type { Report } from '../../modules/verify/report.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-start-'));
  mkdirSync(scratch());
});
afterAll(async () => {
  for (const lab of runningLabs()) if (lab.name.startsWith('start-')) await endLab(lab);
  rmSync(folder, { recursive: true, force: true });
});

/** Where the programs would leave temporary files, if they made any. */
const scratch = (): string => join(folder, 'scratch');

/** `npm start` as a shell starts it: in a process group of its own, all of which Ctrl-C goes to. */
function start(...words: string[]): ProcessPromise {
  const env = { ...process.env, NO_COLOR: '1', TMPDIR: scratch() };
  return $({
    cwd: root,
    env,
    nothrow: true,
    quiet: true,
    detached: true,
  })`exec node ${compiled('verbs/start.ts')} ${words}`;
}

/** Without the line breaks of the terminal's width. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** A cluster like the lab's, with a policy file of its own. */
function clusterWith(name: string, policy: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(join(folder, `${name}-policy.yaml`), policy);
  writeFileSync(
    file,
    `name: ${name}
target: { lab: {} }
masters: { count: 1 }
agents: { general: { count: 2, containerizers: [docker] } }
networks: { client: {}, backend: {} }
policies: [./${name}-policy.yaml]
`,
  );
  return file;
}

test('shows each step expected and observed, ends with one line and a page, and leaves nothing', async () => {
  const reports = join(folder, 'stars');
  const { exitCode, stdout, stderr } = await start('--name=start-stars', `--reports=${reports}`);
  expect(stderr).not.toContain('bug');
  expect(exitCode).toBe(0);
  for (const title of ['Isolated', 'Management UI admitted', 'Client to frontend to backend only']) {
    expect(stdout).toContain(title);
  }
  expect(stdout.match(/EXPECTED/g)).toHaveLength(3);
  expect(stdout.match(/OBSERVED/g)).toHaveLength(3);
  expect(flat(stdout)).toContain(
    'lab: the network does what the policy says: 1980 of 1980 probes between 12 tasks in 3 states of the policy as expected.',
  );
  expect(stdout.trimEnd().split('\n').at(-1)).toContain(join(reports, 'report.html'));
  expect(readFileSync(join(reports, 'report.html'), 'utf8')).toContain('<html');
  expect(readFileSync(join(reports, 'junit.xml'), 'utf8')).toContain('<testsuites');
  expect(findLab('start-stars')).toBeUndefined();
  expect(processesWith('--lab=start-stars')).toEqual([]);
});

test('--json prints the report and nothing else on standard output', async () => {
  const { exitCode, stdout } = await start('--name=start-json', '--json', '--seed=7', `--reports=${folder}/json`);
  const report = JSON.parse(stdout) as Report;
  expect(exitCode).toBe(0);
  expect(report.seed).toBe(7);
  expect(report.outcome).toBe('pass');
});

test('--keep leaves the lab and says how to look around', async () => {
  const { exitCode, stderr } = await start('--name=start-keep', '--keep', `--reports=${folder}/keep`);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('npm run lab down -- --name start-keep');
  const lab = findLab('start-keep');
  expect(lab).toBeDefined();
  await endLab(lab!);
});

test('where few files may be open, fewer probes are under way at once, and the answer is the same', async () => {
  const command = `ulimit -n 500; exec node ${compiled('verbs/verify.ts')} lab --name=start-few --reports=${folder}/few`;
  const { exitCode, stdout } = await $({ cwd: root, nothrow: true, quiet: true })`bash -c ${command}`;
  expect(flat(stdout)).toContain('660 of 660 probes');
  expect(exitCode).toBe(0);
});

describe('exit codes', () => {
  test('1 when a hand-written expectation is not what the policy says', async () => {
    const file = clusterWith('wish', 'title: As wished\nexpect:\n  - allow client -> backend tcp 9000\n');
    const { exitCode, stdout } = await start(file, '--name=start-wish', `--reports=${folder}/wish`);
    expect(exitCode).toBe(1);
    expect(flat(stdout)).toContain('"allow client -> backend tcp 9000" is not what the policy says');
  });

  test('2 when the policy has a mistake, which is named with file and line, and no lab is started', async () => {
    const file = clusterWith('typo', 'title: Typo\nprofiles:\n  client:\n    inbound:\n      - alow tcp\n');
    const { exitCode, stderr } = await start(file, '--name=start-typo');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/typo-policy\.yaml:5:9/);
    expect(stderr).toContain('allow');
    expect(stderr).not.toContain('start the lab');
  });

  test('2 when there is no such cluster', async () => {
    const { exitCode, stderr } = await start('labb');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('lab');
  });
});

describe('Ctrl-C', () => {
  // Ten moments over a run of about three seconds and a bit more, never the same ones.
  const moments = Array.from({ length: 10 }, (_, index) => Math.round((index + Math.random()) * 350));
  test.each(moments)('after %i ms leaves nothing behind', async (moment) => {
    const name = `start-stop-${moment}`;
    const running = start(`--name=${name}`, `--reports=${folder}/${name}`);
    await sleep(moment);
    try {
      process.kill(-running.pid!, 'SIGINT');
    } catch {
      // It was done before.
    }
    const { exitCode, signal } = await running;
    // Before its handlers stand, the signal itself ends it.
    expect([0, 130, 'SIGINT']).toContain(signal ?? exitCode);
    // A lab that had just begun loses its lifeline with its caller, and needs a moment to notice.
    await until('the lab is gone', () => processesWith(`--lab=${name}`).length === 0, 2_000);
    expect(readdirSync(scratch())).toEqual([]);
  });
});
