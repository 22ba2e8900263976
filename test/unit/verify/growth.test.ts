/** Growth over rounds: noise never alarms, what is lost in every round always does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { growth, leastRounds, thin, warmUp } from '../../../modules/verify/suite/growth.ts';
import { randomFrom } from '../../../modules/verify/random.ts';

const rounds = fc.integer({ min: leastRounds, max: 400 });
const seed = fc.integer({ min: 0, max: 2 ** 31 });
const level = fc.integer({ min: 0, max: 100_000 });

/** Values between -amplitude and amplitude, in an order that follows from the seed. */
const noise = (count: number, amplitude: number, from: number): number[] => {
  const random = randomFrom(from);
  return Array.from({ length: count }, () => (random() * 2 - 1) * amplitude);
};

test('something constant never alarms, whatever noise within the tolerance it has', () => {
  fc.assert(
    fc.property(rounds, level, seed, fc.integer({ min: 0, max: 1000 }), (count, at, from, tolerance) => {
      const values = noise(count, tolerance / 2, from).map((one) => at + one);
      expect(growth(values, tolerance)!.grows).toBe(false);
    }),
  );
});

test('noise within the tolerance does not alarm in the worst order either', () => {
  fc.assert(
    fc.property(rounds, level, (count, at) => {
      const ramp = Array.from({ length: count }, (_, index) => at + (index / count) * 10);
      expect(growth(ramp, 10)!.grows).toBe(false);
    }),
  );
});

test('a leak of one thing a round always alarms, with its size', () => {
  fc.assert(
    fc.property(rounds, level, fc.integer({ min: 1, max: 50 }), (count, at, each) => {
      const found = growth(
        Array.from({ length: count }, (_, index) => at + each * index),
        0.5,
      )!;
      expect(found.grows).toBe(true);
      expect(found.perRound).toBeCloseTo(each);
    }),
  );
});

test('a leak under noise as large as itself always alarms', () => {
  fc.assert(
    fc.property(rounds, level, fc.integer({ min: 1, max: 1000 }), seed, (count, at, each, from) => {
      const values = noise(count, each / 2, from).map((one, index) => at + each * index + one);
      expect(growth(values, each)!.grows).toBe(true);
    }),
  );
});

test('a leak that is small beside the noise alarms once there were rounds enough', () => {
  fc.assert(
    fc.property(seed, (from) => {
      const values = noise(400, 20, from).map((one, index) => 1000 + index + one);
      expect(growth(values, 40)!.grows).toBe(true);
    }),
  );
});

test('what grows while it warms up and then stays does not alarm', () => {
  const values = Array.from({ length: 40 }, (_, index) => 100 + Math.min(index, 8) * 50);
  expect(growth(values, 0.5)!.grows).toBe(false);
});

test('one odd round is no growth, wherever it is', () => {
  for (let odd = 0; odd < 20; odd++) {
    const values = Array.from({ length: 20 }, (_, index) => (index === odd ? 9999 : 10));
    expect(growth(values, 0.5)).toMatchObject({ grows: false, perRound: 0 });
  }
});

test('something that shrinks does not grow', () => {
  expect(growth([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 0)).toMatchObject({ grows: false, perRound: -1 });
});

test('too few rounds are no verdict', () => {
  expect(
    growth(
      Array.from({ length: leastRounds - 1 }, (_, index) => index),
      0,
    ),
  ).toBeUndefined();
  expect(growth([], 0)).toBeUndefined();
});

test('the warm-up is a quarter of the rounds, and two at least', () => {
  expect([leastRounds, 12, 100].map(warmUp)).toEqual([2, 3, 25]);
});

test('a day of rounds is thinned to its medians, and the slope stays that of one round', () => {
  expect(thin([1, 2, 9, 4, 5, 6], 2)).toEqual({ points: [2, 5], width: 3 });
  const values = Array.from({ length: 28_800 }, (_, index) => index * 0.25);
  const begin = performance.now();
  expect(growth(values, 0.5)!.perRound).toBeCloseTo(0.25);
  expect(performance.now() - begin).toBeLessThan(5_000);
});
