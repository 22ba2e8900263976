import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupNetworks, type ForeseenMatrix } from '../../../modules/report/groups.ts';

const square = (networks: readonly string[], cell: (from: string, to: string) => string): ForeseenMatrix => ({
  networks,
  cells: networks.map((from) => networks.map((to) => cell(from, to))),
});

describe('networks that are treated alike', () => {
  test('a hundred isolated ones are one row', () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const { networks, cells, groups } = groupNetworks(square(names, (from, to) => (from === to ? 'all' : '-')));
    expect(networks).toEqual(['n0 and 99 more']);
    expect(cells).toEqual([['own all; others -']]);
    expect(groups[0]!.networks).toEqual(names);
  });

  test('one that is admitted somewhere stands alone', () => {
    const matrix = square(['a', 'b', 'ui', 'c'], (from) => (from === 'ui' ? 'tcp 80' : '-'));
    expect(groupNetworks(matrix)).toMatchObject({
      networks: ['a and 2 more', 'ui'],
      cells: [
        ['-', '-'],
        ['tcp 80', 'tcp 80'],
      ],
    });
  });

  test('a circle has nobody alike, though all rows look the same', () => {
    const names = ['a', 'b', 'c', 'd'];
    const next = (from: string, to: string) => names[(names.indexOf(from) + 1) % 4] === to;
    expect(groupNetworks(square(names, (from, to) => (next(from, to) ? 'all' : '-'))).networks).toEqual(names);
  });

  test('any matrix can be had back from its groups', () => {
    const some = fc.integer({ min: 1, max: 7 }).chain((size) =>
      fc.array(fc.array(fc.constantFrom('all', '-'), { minLength: size, maxLength: size }), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(some, (cells) => {
        const networks = cells.map((_, index) => `n${index}`);
        const { groups, cells: short } = groupNetworks({ networks, cells });
        const of = (name: string) => groups.findIndex((group) => group.networks.includes(name));
        for (const [row, from] of networks.entries()) {
          for (const [column, to] of networks.entries()) {
            const text = short[of(from)]![of(to)]!;
            const both = /^own (.+); others (.+)$/.exec(text);
            expect(both === null ? text : both[from === to ? 1 : 2]).toBe(cells[row]![column]);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
