/** Groups of the bench by name. */
import { expect, test } from 'vitest';
import { Refusal } from '../../../modules/problem/problem.ts';
import { chosen } from '../../bench/group.ts';

const groups = ['lab', 'verify'].map((name) => ({ name, about: name, rows: () => [] }));

test('all in their order, or the one that is asked for', () => {
  expect(chosen(groups, undefined)).toEqual(groups);
  expect(chosen(groups, 'verify')).toEqual([groups[1]]);
});

test('a group that nobody knows is refused, with the one that was meant', () => {
  expect(() => chosen(groups, 'verfy')).toThrow(Refusal);
  expect(() => chosen(groups, 'verfy')).toThrow('Did you mean verify?');
});
