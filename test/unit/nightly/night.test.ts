/** The order of a night, and what it means: whatever happens, what was deployed is destroyed, and nothing else. */
import { describe, expect, test } from 'vitest';
import { night, type Means, type Plan } from '../../../modules/nightly/night.ts';
import type { Ended, Phase } from '../../../modules/nightly/phase.ts';
import { verdict } from '../../../modules/nightly/verdict.ts';

const phase = (name: string): Phase => ({ name, command: [], log: `${name}.log`, limitMs: 1 });
const plan: Plan = {
  deploy: phase('deploy'),
  doctor: phase('doctor'),
  readyMs: 20,
  pauseMs: 1,
  verify: phase('verify'),
  destroy: phase('destroy'),
};
const { doctor, readyMs, pauseMs, verify, destroy } = plan;
const reuse: Plan = { doctor: doctor!, readyMs, pauseMs, verify, destroy };

interface World {
  /** Exit codes by part, one a call; the last stays. */
  readonly codes?: Readonly<Record<string, readonly (number | null)[]>>;
  /** During which part a signal comes, and how often. */
  readonly signals?: Readonly<Record<string, number>>;
  readonly ours?: ReturnType<Means['ours']>;
}

async function lived(what: Plan, { codes = {}, signals = {}, ours = 'ours' }: World) {
  const calls: string[] = [];
  const hearers = new Set<() => void>();
  let times = 0;
  const done = await night(what, {
    begin: ({ name, log }) => {
      calls.push(name);
      const all = codes[name] ?? [0];
      const code = all[Math.min(calls.filter((one) => one === name).length, all.length) - 1]!;
      const ended = new Promise<Ended>((end) =>
        setImmediate(() => {
          for (let n = 0; n < (signals[name] ?? 0); n++) {
            times++;
            for (const hear of hearers) hear();
          }
          end({ name, code, late: false, seconds: 1, log });
        }),
      );
      return { ended, stop: () => calls.push(`stop ${name}`) };
    },
    ours: () => ours,
    say: () => undefined,
    asked: {
      times: () => times,
      on: (hear) => {
        hearers.add(hear);
        return () => hearers.delete(hear);
      },
    },
  });
  return { calls, done, judged: verdict('x', done, undefined) };
}

test('a good night has four parts and no alarm', async () => {
  const { calls, judged } = await lived(plan, {});
  expect(calls).toEqual(['deploy', 'doctor', 'verify', 'destroy']);
  expect(judged).toEqual({ exitCode: 0, alarm: [] });
});

test('the doctor is asked until all is healthy; only its last look counts', async () => {
  const { calls, judged } = await lived(plan, { codes: { doctor: [3, 1, 0] } });
  expect(calls.filter((one) => one === 'doctor').length).toBe(3);
  expect(judged.exitCode).toBe(0);
});

describe('it is destroyed', () => {
  test.each([
    ['after a deploy that failed', { codes: { deploy: [3] } }, ['deploy', 'destroy'], 3],
    ['after a deploy that was killed', { codes: { deploy: [null] } }, ['deploy', 'destroy'], 3],
    ['after policy that is wrong', { codes: { verify: [1] } }, ['deploy', 'doctor', 'verify', 'destroy'], 1],
    ['after a verification that failed', { codes: { verify: [3] } }, ['deploy', 'doctor', 'verify', 'destroy'], 3],
    ['after a signal during the deploy, which ends first', { signals: { deploy: 1 } }, ['deploy', 'destroy'], 3],
    ['after two signals, which stop it', { signals: { deploy: 2 } }, ['deploy', 'stop deploy', 'destroy'], 3],
    [
      'after a signal during the verification, which is stopped',
      { signals: { verify: 1 }, codes: { verify: [143] } },
      ['deploy', 'doctor', 'verify', 'stop verify', 'destroy'],
      3,
    ],
    ['though signals come while it is', { signals: { destroy: 3 } }, ['deploy', 'doctor', 'verify', 'destroy'], 0],
  ] as const)('%s', async (_name, world, calls, exitCode) => {
    const lives = await lived(plan, world);
    expect(lives.calls).toEqual(calls);
    expect(lives.done.left).toBe('destroyed');
    expect(lives.judged.exitCode).toBe(exitCode);
  });

  test('at the second try, and the first is told', async () => {
    const { calls, done } = await lived(plan, { codes: { destroy: [3, 0] } });
    expect(calls.slice(-2)).toEqual(['destroy', 'destroy']);
    expect(done.left).toBe('destroyed');
  });
});

test('what cannot be destroyed is the loudest alarm', async () => {
  const { done, judged } = await lived(plan, { codes: { destroy: [3] } });
  expect(done.left).toBe('still there');
  expect(judged.exitCode).toBe(3);
  expect(judged.alarm.join('\n')).toContain('IT STILL STANDS AND COSTS MONEY');
});

test.each(['nothing', 'not ours'] as const)('nothing is destroyed when what stands is %s', async (ours) => {
  const { calls } = await lived(plan, { codes: { deploy: [3] }, ours });
  expect(calls).toEqual(['deploy']);
});

test('a cluster that is reused is neither deployed nor destroyed, however the night goes', async () => {
  for (const world of [{}, { codes: { verify: [3] } }, { signals: { verify: 2 } }] satisfies World[]) {
    const { calls, done } = await lived(reuse, world);
    expect(calls.filter((one) => /deploy|destroy/.test(one))).toEqual([]);
    expect(done.left).toBe('nothing was deployed');
  }
});
