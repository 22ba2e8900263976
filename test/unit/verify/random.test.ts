import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomFrom, shuffled } from '../../../modules/verify/random.ts';

const seed = fc.integer({ min: 0, max: 2 ** 31 });

test('the same seed gives the same order', () => {
  fc.assert(
    fc.property(seed, fc.array(fc.integer()), (one, list) => {
      expect(shuffled(list, randomFrom(one))).toEqual(shuffled(list, randomFrom(one)));
    }),
  );
});

test('nothing is lost or doubled, and the list handed in stays as it was', () => {
  fc.assert(
    fc.property(seed, fc.array(fc.integer()), (one, list) => {
      const before = [...list];
      const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
      expect(sorted(shuffled(list, randomFrom(one)))).toEqual(sorted(list));
      expect(list).toEqual(before);
    }),
  );
});

test('different seeds give different orders, and every place is reached', () => {
  const list = [...Array(8).keys()];
  const orders = [...Array(200).keys()].map((one) => shuffled(list, randomFrom(one)));
  expect(new Set(orders.map(String)).size).toBeGreaterThan(190);
  for (const place of list) expect(new Set(orders.map((order) => order[place])).size).toBe(list.length);
});
