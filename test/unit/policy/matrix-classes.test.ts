import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BitsNumbers, bitsOf, has, listOf, transposed, weigher } from '../../../modules/policy/matrix/bits.ts';
import { classDiff, membersText } from '../../../modules/policy/matrix/diff.ts';
import { edited } from '../../../modules/policy/matrix/edit.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { matrixOf, openFlows, type Matrix } from '../../../modules/policy/matrix/matrix.ts';
import type { PolicyState, PortRange, Profile, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { packetOf, trafficClasses } from '../../../modules/policy/traffic.ts';
import { mapProfiles, rule, rules, state as anyState } from './arbitrary.ts';
import { apart, open, replaced, spelledOut, verdicts, without } from './matrix-cells.ts';

const full = (state: PolicyState): Matrix => matrixOf(state, trafficClasses(state.profiles.values()));

const twoStates = fc.tuple(anyState, anyState);

interface Edit extends Pick<Profile, 'inbound' | 'outbound'> {
  readonly name: string;
  readonly tags: readonly string[] | null;
  readonly side: 'inbound' | 'outbound' | 'both' | 'tags' | 'gone';
}

/** An edit of one profile: other rules, other tags, taken away, or made where it was missing. */
const edit: fc.Arbitrary<Edit> = fc.record({
  name: fc.constantFrom('p0', 'p1', 'p2', 'p3', 'missing'),
  inbound: rules,
  outbound: rules,
  tags: fc.option(fc.subarray(['a', 'b', 'c', 'd'])),
  side: fc.constantFrom('inbound', 'outbound', 'both', 'tags', 'gone'),
});

function after(state: PolicyState, { name, inbound, outbound, tags, side }: Edit): Profile | undefined {
  const old = state.profiles.get(name) ?? { name, tags: [], inbound: [], outbound: [] };
  if (side === 'gone') return undefined;
  return {
    name,
    tags: tags ?? old.tags,
    inbound: side === 'inbound' || side === 'both' ? inbound : old.inbound,
    outbound: side === 'outbound' || side === 'both' ? outbound : old.outbound,
  };
}

describe('an edited profile', () => {
  test('gives the matrix that would be computed anew, and all that changes', () => {
    fc.assert(
      fc.property(anyState, fc.array(edit, { minLength: 1, maxLength: 3 }), (first, edits) => {
        let state = first;
        let matrix = full(state);
        for (const one of edits) {
          const profile = after(state, one);
          const next = replaced(state, one.name, profile);
          const change = edited(matrix, one.name, profile);
          const anew = matrixOf(next, change.matrix.traffic);
          expect(apart(open(change.matrix), open(anew))).toEqual([]);
          expect(apart(open(change.matrix), verdicts(next, anew.traffic))).toEqual([]);

          const traffic =
            change.matrix.traffic === matrix.traffic
              ? matrix.traffic
              : trafficClasses([...state.profiles.values(), ...next.profiles.values()]);
          const [was, is] = [verdicts(state, traffic), verdicts(next, traffic)];
          expect(apart(spelledOut(change, true), without(is, was))).toEqual([]);
          expect(apart(spelledOut(change, false), without(was, is))).toEqual([]);
          expect([change.opened, change.closed]).toEqual([without(is, was).size, without(was, is).size]);
          state = next;
          matrix = change.matrix;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('keeps the classes of traffic, or has those that the new rules need', () => {
    fc.assert(
      fc.property(anyState, edit, (state, one) => {
        const matrix = full(state);
        const profile = after(state, one);
        const change = edited(matrix, one.name, profile);
        if (change.matrix.traffic !== matrix.traffic) {
          expect(change.matrix.traffic).toEqual(trafficClasses(replaced(state, one.name, profile).profiles.values()));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('edits that cut classes again and again', () => {
  // One class each to begin with, so that the first word of the sets soon has no room for new ones.
  const state: PolicyState = {
    profiles: new Map(['a', 'b'].map((name) => [name, defaultProfile(name)])),
    endpoints: Array.from({ length: 48 }, (_, index) => ({
      id: `task-${index}`,
      address: `10.0.0.${index}`,
      profiles: [index % 2 === 0 ? 'a' : 'b'],
    })),
  };
  const step = fc.record({
    name: fc.constantFrom('a', 'b'),
    action: fc.constantFrom<Rule['action']>('allow', 'deny'),
    side: fc.constantFrom('inbound', 'outbound'),
    last: fc.integer({ min: 0, max: 47 }),
    length: fc.constantFrom(32, 32, 31, 30, 28),
    port: fc.option(fc.constantFrom(80, 443)),
    tags: fc.constantFrom(['a'], ['b'], ['a', 'b']),
  });

  function changed(profile: Profile, { action, side, last, length, port, tags }: StepOf<typeof step>): Profile {
    const peer = { cidr: `10.0.0.${last}/${length}` };
    const ported = port === null ? {} : { ports: [{ from: port, to: port }] };
    const one: Rule = {
      action,
      protocol: 'tcp',
      ...(side === 'inbound' ? { from: peer, to: ported } : { from: {}, to: { ...peer, ...ported } }),
    };
    return { ...profile, tags, [side]: [one, ...profile[side]] };
  }

  test('come to what is computed anew', () => {
    let most = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 45, size: 'max' }), (steps) => {
        let [now, matrix] = [state, full(state)];
        for (const [index, one] of steps.entries()) {
          const profile = changed(now.profiles.get(one.name)!, one);
          const change = edited(matrix, one.name, profile);
          now = replaced(now, one.name, profile);
          if (index % 10 === 9 || index === steps.length - 1) {
            const { traffic } = change.matrix;
            expect(apart(open(change.matrix), open(matrixOf(now, traffic)))).toEqual([]);
            const { opened, closed } = classDiff(matrix, change.matrix);
            expect([change.opened, change.closed]).toEqual([opened, closed]);
          }
          matrix = change.matrix;
        }
        most = Math.max(most, matrix.factors.classes.size);
      }),
      { numRuns: 40 },
    );
    expect(most).toBeGreaterThan(32);
  });
});

type StepOf<Of> = Of extends fc.Arbitrary<infer One> ? One : never;

describe('a difference in classes', () => {
  test('is the difference of all single verdicts', () => {
    fc.assert(
      fc.property(twoStates, ([before, other]) => {
        const ids = (state: PolicyState) => new Set(state.endpoints.map(({ id }) => id));
        const [old, now] = [ids(before), ids(other)];
        const shared = (state: PolicyState, traffic: Matrix['traffic']): Set<string> =>
          new Set(
            [...verdicts(state, traffic)].filter((text) => {
              const [from, to] = text.split(' ') as [string, string];
              return old.has(from) && now.has(from) && old.has(to) && now.has(to);
            }),
          );
        const common = trafficClasses([...before.profiles.values(), ...other.profiles.values()]);
        const [was, is] = [shared(before, common), shared(other, common)];
        const result = classDiff(full(before), full(other));
        expect(apart(spelledOut(result, true), without(is, was))).toEqual([]);
        expect(apart(spelledOut(result, false), without(was, is))).toEqual([]);
        expect([result.opened, result.closed]).toEqual([without(is, was).size, without(was, is).size]);
        expect(new Set(result.appeared)).toEqual(without(now, old));
        expect(new Set(result.vanished)).toEqual(without(old, now));
      }),
      { numRuns: 300 },
    );
  });

  test('names networks and counts, and merges what is equal', () => {
    const endpoints = ['client', 'frontend', 'backend'].flatMap((name, net) =>
      Array.from({ length: 40 }, (_, index) => ({
        id: `${name}-${index}`,
        address: `10.${index % 2}.${net}.${index + 1}`,
        profiles: [name],
      })),
    );
    const before: PolicyState = {
      profiles: new Map(['client', 'frontend', 'backend'].map((name) => [name, defaultProfile(name)])),
      endpoints,
    };
    const admit: Rule[] = ['client', 'frontend'].map((tag) => ({
      action: 'allow',
      protocol: 'tcp',
      from: { tag, cidr: '10.0.0.0/16' },
      to: { ports: [{ from: 80, to: 80 }] },
    }));
    const backend = before.profiles.get('backend')!;
    const matrix = full(before);
    const { changes, matrix: next } = edited(matrix, 'backend', {
      ...backend,
      inbound: [...backend.inbound, ...admit],
    });
    const told = changes.map(({ opens, from, to, traffic, pairs }) => [
      opens ? 'opens' : 'closes',
      membersText(from),
      membersText(to),
      traffic.map(({ name }) => name).join(),
      pairs,
    ]);
    expect(told).toEqual([['opens', 'client (20 of 40), frontend (20 of 40)', 'backend (40)', 'tcp 80', 1600]]);
    expect(classDiff(matrix, next).changes.map(({ from }) => membersText(from))).toEqual([told[0]![1]]);
    expect(classDiff(next, matrix)).toMatchObject({ opened: 0, closed: 1600 });
    expect(classDiff(next, next).changes).toEqual([]);
  });
});

describe('what changes nothing', () => {
  const flows = (state: PolicyState, traffic: Matrix['traffic']) => open(matrixOf(state, traffic));

  test('the count of open flows is that of open cells', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const matrix = full(state);
        expect(openFlows(matrix).reduce((sum, one) => sum + one, 0)).toBe(open(matrix).size);
      }),
      { numRuns: 300 },
    );
  });

  test('splitting a range of ports', () => {
    const split = (ports: readonly PortRange[]): PortRange[] =>
      ports.flatMap(({ from, to }) => {
        const middle = (from + to) >>> 1;
        return from < to
          ? [
              { from, to: middle },
              { from: middle + 1, to },
            ]
          : [{ from, to }];
      });
    const change = (one: Rule): Rule => ({
      ...one,
      from: one.from.ports === undefined ? one.from : { ...one.from, ports: split(one.from.ports) },
      to: one.to.ports === undefined ? one.to : { ...one.to, ports: split(one.to.ports) },
    });
    fc.assert(
      fc.property(anyState, (state) => {
        const parted = mapProfiles(state, (profile) => ({
          ...profile,
          inbound: profile.inbound.map(change),
          outbound: profile.outbound.map(change),
        }));
        const traffic = trafficClasses(state.profiles.values());
        expect(trafficClasses(parted.profiles.values())).toEqual(traffic);
        expect(apart(flows(parted, traffic), flows(state, traffic))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('renaming tags', () => {
    const other = (tag: string): string => `tag-${tag}`;
    const peer = (one: Rule['from']): Rule['from'] => (one.tag === undefined ? one : { ...one, tag: other(one.tag) });
    const change = (one: Rule): Rule => ({ ...one, from: peer(one.from), to: peer(one.to) });
    fc.assert(
      fc.property(anyState, (state) => {
        const renamed = mapProfiles(state, (profile) => ({
          ...profile,
          tags: profile.tags.map(other),
          inbound: profile.inbound.map(change),
          outbound: profile.outbound.map(change),
        }));
        const traffic = trafficClasses(state.profiles.values());
        expect(apart(flows(renamed, traffic), flows(state, traffic))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('changing over adjacent rules of equal action', () => {
    const swapped = (list: readonly Rule[]): readonly Rule[] => {
      const result = [...list];
      for (let index = 0; index + 1 < result.length; index += 2) {
        const [a, b] = [result[index]!, result[index + 1]!];
        if (a.action === b.action) [result[index], result[index + 1]] = [b, a];
      }
      return result;
    };
    fc.assert(
      fc.property(anyState, (state) => {
        const other = mapProfiles(state, (profile) => ({
          ...profile,
          inbound: swapped(profile.inbound),
          outbound: swapped(profile.outbound),
        }));
        const traffic = trafficClasses(state.profiles.values());
        expect(apart(flows(other, traffic), flows(state, traffic))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('an allow rule at the end of a profile removes no flow', () => {
    fc.assert(
      fc.property(anyState, rule, fc.constantFrom('p0', 'p1'), (state, appended, name) => {
        const profile = state.profiles.get(name)!;
        const allow: Rule = { ...appended, action: 'allow' };
        const added = { ...profile, inbound: [...profile.inbound, allow], outbound: [...profile.outbound, allow] };
        const { changes } = edited(full(state), name, added);
        expect(changes.filter(({ opens }) => !opens)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('a profile appended last changes no packet that a rule decided', () => {
    fc.assert(
      fc.property(anyState, fc.constantFrom('p0', 'p1', 'p2', 'p3', 'missing'), (state, name) => {
        const other = {
          ...state,
          // The tags of the appended profile would change more than the end of the list.
          profiles: new Map(
            [...state.profiles].map(([key, one]) => [key, one.name === name ? { ...one, tags: [] } : one]),
          ),
        };
        const longer = {
          ...other,
          endpoints: other.endpoints.map((one) =>
            one.profiles.includes(name) ? one : { ...one, profiles: [...one.profiles, name] },
          ),
        };
        const traffic = trafficClasses(other.profiles.values());
        const [before, now] = [matrixOf(other, traffic), matrixOf(longer, traffic)];
        const { decide } = compileState(other);
        for (const [from, source] of other.endpoints.entries()) {
          for (const [to, target] of other.endpoints.entries()) {
            for (const [index, one] of traffic.entries()) {
              const { outbound, inbound } = decide(source.id, target.id, packetOf(one));
              const open = ({ because }: typeof inbound) =>
                because.kind === 'no rule matched' || because.kind === 'no profile';
              if (open(outbound) || open(inbound)) continue;
              const same = now.allowed(from, to, index) === before.allowed(from, to, index);
              if (!same) throw new Error(`${source.id} -> ${target.id} ${one.name}`);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('sets of bits', () => {
  const table = fc.integer({ min: 1, max: 100 }).chain((size) =>
    fc.array(
      fc.array(fc.boolean(), { minLength: size, maxLength: size }).map((row) => bitsOf(size, (at) => row[at]!)),
      { minLength: size, maxLength: size },
    ),
  );

  test('rows and columns changed over', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const columns = transposed(rows);
        for (const [row, bits] of rows.entries()) {
          expect([...rows.keys()].filter((column) => has(columns[column]!, row) !== has(bits, column))).toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('weights, members and numbers', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const weights = rows.map((_, index) => index * 3 + 1);
        const weigh = weigher(weights);
        const numbers = new BitsNumbers();
        for (const row of rows) {
          expect(weigh(row)).toBe(listOf(row).reduce((sum, index) => sum + weights[index]!, 0));
          expect(listOf(numbers.sets[numbers.of(Int32Array.from(row))]!)).toEqual(listOf(row));
        }
        expect(numbers.sets).toHaveLength(new Set(rows.map((row) => row.join())).size);
      }),
      { numRuns: 30 },
    );
  });
});
