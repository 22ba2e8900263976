/** Covers: all that can be touched is touched, and nobody is asked for nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration } from '../../../modules/cli/duration.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { hold } from '../../../modules/verify/suite/lease.ts';
import { cover } from '../../../modules/verify/suite/smoke.ts';
import { spread } from '../../../modules/verify/suite/spread.ts';
import type { Lease } from '../../../modules/verify/target.ts';

describe('cover', () => {
  test('touches all that any touches, and each taken one brought something new', () => {
    const cells = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 4 }));
    fc.assert(
      fc.property(cells, (all) => {
        const taken = cover(all, (cell) => cell);
        expect(new Set(taken.flat())).toEqual(new Set(all.flat()));
        const seen = new Set<string>();
        for (const cell of taken) {
          expect(cell.some((one) => !seen.has(one))).toBe(true);
          for (const one of cell) seen.add(one);
        }
      }),
    );
  });

  test('takes the one that touches all in place of those that touch a part', () => {
    expect(cover([['a'], ['b'], ['a', 'b']], (cell) => cell)).toEqual([['a', 'b']]);
  });
});

test('percentiles are times that were measured', () => {
  expect(spread([5, 1, 4, 2, 3])).toEqual({ count: 5, p50: 3, p95: 5, p99: 5, most: 5 });
});

test('times on the command line', () => {
  expect([duration('wait', '90s'), duration('wait', '10m'), duration('wait', '2h')]).toEqual([
    90_000, 600_000, 7_200_000,
  ]);
  expect(() => duration('wait', '10')).toThrow(Refusal);
  expect(() => duration('wait', 'soon')).toThrow('--wait is "soon"');
});

describe('the lease', () => {
  const told: string[] = [];
  const terms = { waitMs: 0, ttlSeconds: 15, waiting: (who: string) => void told.push(who) };
  const lease = (has: string | undefined): Lease => ({
    claim: (holder) => Promise.resolve(has ?? holder),
    release: () => Promise.resolve(),
  });

  test('of somebody else is refused, with the holder', async () => {
    await expect(hold(lease('ann'), 'ben', terms)).rejects.toThrow('ann verifies this cluster');
  });

  test('is waited for as long as is asked, and whoever waits is told for whom', async () => {
    let asked = 0;
    const free: Lease = { ...lease(undefined), claim: (holder) => Promise.resolve(++asked < 3 ? 'ann' : holder) };
    await (await hold(free, 'ben', { ...terms, waitMs: 10_000 })).end();
    expect(told).toEqual(['ann']);
  });

  test('that is lost meanwhile is known', async () => {
    const thieves: string[] = [];
    const stolen: Lease = { ...lease(undefined), claim: (holder) => Promise.resolve(thieves[0] ?? holder) };
    const held = await hold(stolen, 'ben', { ...terms, ttlSeconds: 0.03 });
    thieves.push('ann');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(held.lostTo()).toBe('ann');
    await held.end();
  });
});
