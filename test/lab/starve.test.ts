/** `npm run starve` in small: on a machine whose processor others burn, verification is slower, never wrong. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { burn, burnerWord } from '../starve/burn.ts';
import { faultyCases } from '../starve/cases.ts';
import { starve } from '../starve/starve.ts';
import { beginProgram, processesWith, until } from './machine.ts';

const program = 'test/starve/main.ts';
const burning = (): number => processesWith(burnerWord).length;
const labsOf = (pid: number): number => processesWith(`--lab=test-${pid}-`).length;

test('every kind once, and as many right clusters: no verdict is false, and every run is told right', async () => {
  const { rows } = await starve(
    { runs: 2 * faultyCases.length, labs: 2, perCore: 4, seed: 7 },
    { say: () => undefined, row: () => undefined },
    new AbortController().signal,
  );
  expect(rows.filter(({ word }) => word === 'wrong')).toEqual([]);
  // What could not be found out is honest, and no pass.
  expect(rows.filter(({ word }) => word === 'unknown')).toEqual([]);
  expect(rows.length).toBe(2 * faultyCases.length);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(faultyCases.length + 2);
  expect(burning()).toBe(0);
}, 600_000);

describe('nothing is left', () => {
  test('the burners had the processor, and are gone at the end', async () => {
    const fire = burn(2);
    await sleep(1_000);
    expect(burning()).toBe(fire.processes);
    expect(await fire.end()).toBeGreaterThan(0);
    expect(burning()).toBe(0);
  });

  test('the burners of a process that was killed end by themselves', async () => {
    const one = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { burn } from ${JSON.stringify(new URL('../../dist/test/starve/burn.js', import.meta.url).href)}; burn(1); setInterval(() => {}, 1e6)`,
    ]);
    await until('the burners burn', () => burning() > 0, 30_000);
    one.kill('SIGKILL');
    await until('the burners are gone', () => burning() === 0, 30_000);
  });

  test('Ctrl-C ends it in order: what was found is printed, burners and labs are gone', async () => {
    const run = beginProgram(program, ['--runs=500', '--labs=2', '--burners=2']);
    await until('the burners burn', () => burning() > 0, 120_000);
    await sleep(3_000);
    process.kill(run.pid, 'SIGINT');
    await until('the burners are gone', () => burning() === 0, 30_000);
    const { code, stdout } = await run.ended;
    expect(stdout).toMatch(/0 false denials, 0 false alarms, 0 missed/);
    expect(code).toBe(130);
    expect(labsOf(run.pid)).toBe(0);
  }, 300_000);
});

test('a number that is none is refused before anything is started', async () => {
  const { code, stderr } = await beginProgram(program, ['--runs=many']).ended;
  expect(stderr).toContain('--runs=many: a whole number from 1');
  expect(code).toBe(2);
});
