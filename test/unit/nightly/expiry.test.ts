/** The mark on what a night deploys: who may destroy it, and when. */
import { describe, expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { expiring, isOf, isOver, label, marksIn, tag, timeOf, wordOf } from '../../../modules/nightly/expiry.ts';
import { fateOf } from '../../../modules/nightly/sweep.ts';

const time = timeOf('2026-11-30T06:00:00Z');

test('a time that is written is read as the same', () => expect(timeOf(wordOf(time))).toEqual(time));

test.each(['', 'tomorrow', '2026-11-30', '2026-11-30T06:00:00', '2026-13-30T06:00:00Z', '1796018400'])(
  'a word that is no time in UTC is refused: "%s"',
  (word) => expect(() => timeOf(word)).toThrow(Refusal),
);

test('AWS gets a tag, beside those of the description', () => {
  const { target } = expiring(loadCluster('quickstart-aws'), time);
  expect(target).toMatchObject({ tags: { [tag]: '2026-11-30T06:00:00Z' } });
});

test('Google gets a label that it takes', () => {
  const { target } = expiring(loadCluster('quickstart-gce'), time);
  expect(target).toMatchObject({ labels: { [label]: '1796018400' } });
  expect(label).toMatch(/^[a-z][a-z0-9_-]{0,62}$/);
});

test('what stands on no cloud stays as it is', () => {
  const cluster = loadCluster('lab');
  expect(expiring(cluster, time)).toBe(cluster);
});

const aws = (expires?: string): object => ({
  mode: 'managed',
  instances: [{ attributes: { tags_all: { cluster: 'x', ...(expires === undefined ? {} : { [tag]: expires }) } } }],
});
const gce = (expires?: string): object => ({
  mode: 'managed',
  instances: [{ attributes: { labels: { cluster: 'x', ...(expires === undefined ? {} : { [label]: expires }) } } }],
});
/** A rule, or a network of Google: nothing can be written on it. */
const bare = { mode: 'managed', instances: [{ attributes: { labels: null, tags_all: {} } }] };
const marks = (...resources: object[]) => marksIn(JSON.stringify({ version: 4, resources }));

describe('a state', () => {
  test('that is empty, or holds only what was looked up, holds nothing', () => {
    expect(marksIn('').standing).toBe(0);
    expect(marks({ mode: 'data', instances: [{ attributes: { tags_all: { [tag]: wordOf(time) } } }] })).toEqual({
      standing: 0,
      expires: undefined,
      unmarked: 0,
    });
  });

  test('of either cloud says its time', () => {
    for (const one of [aws('2026-11-30T06:00:00Z'), gce('1796018400')])
      expect(marks(one, bare)).toEqual({ standing: 2, expires: time, unmarked: 0 });
  });

  test('of a deploy that was cut off by another has the later time', () => {
    expect(marks(aws('2026-11-29T06:00:00Z'), aws('2026-11-30T06:00:00Z')).expires).toEqual(time);
  });

  const later = new Date(time.getTime() + 1000);
  test('is over when its time is, not before', () => {
    const mine = marks(aws(wordOf(time)), bare);
    expect([isOver(mine, new Date(time.getTime() - 1)), isOver(mine, time)]).toEqual([false, true]);
  });

  test('that a person has deployed, in part or in whole, is never over, and nobody else’s', () => {
    for (const one of [marks(aws()), marks(aws(wordOf(time)), aws()), marks(gce('soon'))]) {
      expect(isOver(one, later)).toBe(false);
      expect(isOf(one, time)).toBe(false);
      expect(fateOf({ cluster: 'x', marks: one }, later, true)).toBe('no time');
    }
  });

  test('on which nothing can be written yet is not swept', () => {
    expect(fateOf({ cluster: 'x', marks: marks(bare) }, later, true)).toBe('no time');
  });

  test('of another night is not of this one', () => {
    expect(isOf(marks(aws(wordOf(later))), time)).toBe(false);
    expect(isOf(marks(aws(wordOf(time)), bare), time)).toBe(true);
  });
});
