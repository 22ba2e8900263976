import { afterEach, expect, test } from 'vitest';
import { checkMachine } from '../../../modules/lab/up.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import type { Shell } from '../../../modules/shell/shell.ts';

const here = process.platform;
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: here });
});

/** Nothing may be started on a machine that cannot have a lab. */
const untouched: Shell = {
  run: () => Promise.reject(new Error('a program was run')),
  start: () => {
    throw new Error('a program was started');
  },
};

test.each(['darwin', 'win32', 'freebsd'])(
  'on %s a person is told where a lab can be, before anything runs',
  async (platform) => {
    Object.defineProperty(process, 'platform', { value: platform });
    const refusal = await checkMachine(untouched).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    const { problems, exitCode } = refusal as Refusal;
    expect(exitCode).toBe(3);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      code: 'lab-needs-linux',
      remedy: expect.stringContaining('vagrant up') as string,
    });
    expect(problems[0]!.what).toContain(platform);
  },
);
