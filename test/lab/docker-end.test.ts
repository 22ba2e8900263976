/** How labs with Docker engines end, and what of engines and containers is left then: nothing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cgroupOf } from '../../modules/lab/docker/engine.ts';
import { endLab, findLab, runningLabs } from '../../modules/lab/lab.ts';
import { needEngines } from './engines.ts';
import { alive, begin, lab, processesOf, processesWith, snapshot, until } from './machine.ts';

const pair = 'test/lab/clusters/pair.yaml';
const named = (name: string): string => `engines-${process.pid}-${name}`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mesos-calico-engines-'));
});
beforeEach(needEngines);
afterAll(async () => {
  for (const one of runningLabs()) if (one.name.startsWith(named(''))) await endLab(one);
  rmSync(folder, { recursive: true, force: true });
});

/** Control groups of labs that do not run any more, in every tree. */
function orphans(): string[] {
  const base = '/sys/fs/cgroup';
  const running = runningLabs().map(({ pid }) => cgroupOf(String(pid)));
  return [base, ...readdirSync(base).map((tree) => join(base, tree))].flatMap((tree) => {
    try {
      return readdirSync(tree).filter((group) => group.startsWith(cgroupOf('')) && !running.includes(group));
    } catch {
      return [];
    }
  });
}

async function nothingOf(name: string): Promise<void> {
  // The name of a lab is in the words of its first process; those of containers and engines go with that one.
  await until('the end of the lab', () => processesWith(name).length === 0);
  await until('the end of its control groups', () => orphans().length === 0);
}

test('this machine is the same before, during and after: network, mounts, folders, control groups', async () => {
  const before = await snapshot();
  const name = named('trace');
  const { code, stdout, stderr } = await lab('up', pair, '--docker', '--name', name);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('npm run lab exec general-1 -- docker ps');
  expect(await snapshot()).toEqual(before);
  const beings = processesOf(findLab(name)!);
  expect(beings.filter(({ command }) => command.startsWith('dockerd'))).toHaveLength(2);

  const images = await lab('exec', '--name', name, 'general-1', 'docker', 'ps', '--format', '{{.Names}} {{.Image}}');
  expect(images.stdout.trim().split('\n').sort()).toEqual([
    'backend.general-1 lab/busybox',
    'client.general-1 lab/busybox',
  ]);
  const inside = await lab('exec', '--name', name, 'client@general-1', 'ip', '-4', '-o', 'address', 'show', 'cali0');
  expect(inside.stdout).toMatch(/10\.65\.\d+\.\d+\/32/);

  expect((await lab('status', '--name', name)).stdout).toContain('dockerd runs');
  const victim = beings.find(({ command }) => command.startsWith('dockerd'))!;
  process.kill(victim.pid, 'SIGKILL');
  await until('the end of an engine', () => alive([victim]).length === 0);
  const after = await lab('status', '--name', name);
  expect(after.code).toBe(1);
  expect(after.stdout).toContain('dockerd DOWN');

  expect((await lab('down', '--name', name)).code).toBe(0);
  expect(alive(beings)).toEqual([]);
  expect(orphans()).toEqual([]);
  expect(await snapshot()).toEqual(before);
});

test('a lab that runs without engines is not taken for one that has them', async () => {
  const name = named('plain');
  expect((await lab('up', pair, '--name', name)).code).toBe(0);
  const { code, stderr } = await begin('verify', [pair, '--docker', '--name', name]).ended;
  expect(code).toBe(2);
  expect(stderr).toContain('[lab-without-engines]');
  await endLab(findLab(name)!);
});

test('engines for a cluster without the Docker Containerizer are refused', async () => {
  const { code, stderr } = await lab(
    'up',
    'test/lab/clusters/unified-current.yaml',
    '--docker',
    '--name',
    named('none'),
  );
  expect(code).toBe(2);
  expect(stderr).toContain('[lab-docker-without-agents]');
});

describe('in the middle', () => {
  const moments = [400, 1400, 2600, 4500];

  test.each(moments)('kill -9 of `lab up` after %i ms leaves nothing', async (moment) => {
    const name = named(`kill-${moment}`);
    const { pid, ended } = begin('lab', ['up', '--docker', '--name', name]);
    await sleep(moment);
    kill(pid, 'SIGKILL');
    const { stdout } = await ended;
    // Once it has said that the lab runs, the lab is meant to stay.
    if (stdout !== '') await endLab(findLab(name)!);
    await nothingOf(name);
  });

  test.each(moments)('Ctrl-C of a verification after %i ms leaves nothing', async (moment) => {
    const before = await snapshot();
    const name = named(`stop-${moment}`);
    const { pid, ended } = begin('verify', ['lab', '--docker', '--name', name, '--reports', folder]);
    await sleep(moment);
    kill(pid, 'SIGINT');
    expect([null, 0, 130]).toContain((await ended).code);
    await nothingOf(name);
    expect(await snapshot()).toEqual(before);
  });

  test.each([
    ['Ctrl-C', 'SIGINT'],
    ['kill -9', 'SIGKILL'],
  ] as const)('%s of a verification in a lab that runs leaves that lab as it was', async (_, signal) => {
    const name = named(`used-${signal}`);
    expect((await lab('up', pair, '--docker', '--name', name)).code).toBe(0);
    const look = async (): Promise<string> =>
      (
        await lab(
          'exec',
          '--name',
          name,
          'general-1',
          'sh',
          '-c',
          'docker ps -a --format "{{.Names}}" | sort; docker network ls --format "{{.Name}}" | sort',
        )
      ).stdout;
    const before = await look();
    for (const moment of [500, 900, 1300, 1800]) {
      const { pid, ended } = begin('verify', [pair, '--name', name, '--reports', folder]);
      await sleep(moment);
      kill(pid, signal);
      await ended;
      // After kill -9 it is the lab that undoes it.
      if (signal === 'SIGKILL')
        await until('the end of what the run had started', async () => (await look()) === before, 30_000);
      expect(await look()).toBe(before);
    }
    await endLab(findLab(name)!);
  });

  test('kill -9 of the first process takes engines and containers along; the next lab takes their groups', async () => {
    const name = named('first');
    expect((await lab('up', pair, '--docker', '--name', name)).code).toBe(0);
    const running = findLab(name)!;
    const beings = processesOf(running);
    process.kill(running.pid, 'SIGKILL');
    await until('the end of all processes of the lab', () => alive(beings).length === 0);
    expect((await lab('up', pair, '--name', named('next'))).code).toBe(0);
    expect(orphans()).toEqual([]);
    await endLab(findLab(named('next'))!);
  });
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It was done before.
  }
}
