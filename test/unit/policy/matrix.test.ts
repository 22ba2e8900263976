import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { diff, matrixOf } from '../../../modules/policy/matrix/matrix.ts';
import type { PolicyState } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { packetOf, trafficClasses } from '../../../modules/policy/traffic.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { state as anyState } from './arbitrary.ts';

const endpoints = (profile: string, amount: number) =>
  Array.from({ length: amount }, (_, index) => ({
    id: `${profile}-${index}`,
    address: `10.0.${profile.length}.${index + 1}`,
    profiles: [profile],
  }));

const two: PolicyState = {
  profiles: new Map([defaultProfile('a'), defaultProfile('bb')].map((one) => [one.name, one])),
  // More than 32 classes would hide a mistake in the second word of a bitset: each endpoint gets a CIDR of its own.
  endpoints: [...endpoints('a', 20), ...endpoints('bb', 20)],
};

describe('the matrix', () => {
  test('every cell is what the evaluator says', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const traffic = trafficClasses(state.profiles.values());
        const matrix = matrixOf(state, traffic);
        const { allows } = compileState(state);
        const wrong: string[] = [];
        for (const [from, source] of state.endpoints.entries()) {
          for (const [to, target] of state.endpoints.entries()) {
            for (const [index, one] of traffic.entries()) {
              if (matrix.allowed(from, to, index) !== allows(source.id, target.id, packetOf(one))) {
                wrong.push(`${source.id} -> ${target.id} ${one.name}`);
              }
            }
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('with more classes than a word has bits', () => {
    const state = {
      ...two,
      profiles: new Map(
        [...two.profiles.values()].map((profile) => [
          profile.name,
          {
            ...profile,
            inbound: [
              ...two.endpoints.map(({ address }, index) => ({
                action: index % 3 === 0 ? ('deny' as const) : ('allow' as const),
                from: { cidr: `${address}/32` },
                to: index % 2 === 0 ? {} : { cidr: `10.0.2.${index}/31` },
              })),
              ...profile.inbound,
            ],
          },
        ]),
      ),
    };
    const traffic = trafficClasses(state.profiles.values());
    const matrix = matrixOf(state, traffic);
    const { allows } = compileState(state);
    const cells = state.endpoints.flatMap((source, from) =>
      state.endpoints.map((target, to) => [
        matrix.allowed(from, to, 0),
        allows(source.id, target.id, packetOf(traffic[0]!)),
      ]),
    );
    expect(cells.filter(([factored, single]) => factored !== single)).toEqual([]);
    expect(new Set(cells.map(([factored]) => factored)).size).toBe(2);
  });

  test('what is not there is not allowed', () => {
    const matrix = matrixOf(two, trafficClasses(two.profiles.values()));
    expect([
      matrix.allowed(0, 99, 0),
      matrix.allowed(99, 99, 0),
      matrix.allowed(0, 0, 99),
      matrix.allowed(0, 0, 0),
    ]).toEqual([false, false, false, true]);
  });

  test('a state that cannot be decided is refused', () => {
    const [first] = two.endpoints;
    expect(() => matrixOf({ ...two, endpoints: [first!, first!] }, [])).toThrow(Refusal);
  });
});

describe('the difference of two matrices', () => {
  const traffic = trafficClasses(two.profiles.values());
  const small = { ...two, endpoints: [two.endpoints[0]!, two.endpoints[20]!] };
  const opened: PolicyState = {
    ...small,
    profiles: new Map([
      ['a', { ...defaultProfile('a'), inbound: [{ action: 'allow', protocol: 'udp', from: { tag: 'bb' }, to: {} }] }],
      ['bb', defaultProfile('bb')],
    ]),
  };

  test('names the cells that open and those that close', () => {
    const [before, after] = [matrixOf(small, traffic), matrixOf(opened, traffic)];
    const udp = traffic.findIndex(({ name }) => name === 'udp');
    expect(diff(before, after)).toEqual({ opened: [{ from: 1, to: 0, traffic: udp }], closed: [] });
    expect(diff(after, before)).toEqual({ opened: [], closed: [{ from: 1, to: 0, traffic: udp }] });
    expect(diff(after, after)).toEqual({ opened: [], closed: [] });
  });

  test('needs the same endpoints and the same traffic', () => {
    const matrix = matrixOf(small, traffic);
    expect(() => diff(matrix, matrixOf(two, traffic))).toThrow(TypeError);
    expect(() => diff(matrix, matrixOf(small, traffic.slice(1)))).toThrow(TypeError);
  });
});
