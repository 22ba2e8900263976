import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { Decision, Packet, PolicyState, Rule, SideDecision } from '../../../modules/policy/model.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { mapProfiles, rule as anyRule, world } from './arbitrary.ts';
import { naive } from './naive.ts';

/** Each world is asked ten questions. */
const runs = { numRuns: 150 };

/** Our decision in the naive interpreter's words. */
function opinion({ allow, outbound, inbound }: Decision) {
  return { allow, outbound: word(outbound), inbound: word(inbound) };
}

function word({ direction, because }: SideDecision): string {
  switch (because.kind) {
    case 'rule':
      return `${because.profile} ${direction} ${because.position} ${because.rule.action}`;
    case 'no rule matched':
      return 'default';
    case 'no profile':
      return 'empty';
    case 'missing profile':
      return `missing ${because.profile}`;
    case 'not an endpoint':
      return 'outsider';
    case 'own address':
      return 'self';
  }
}

describe('against a naive interpreter', () => {
  test('every verdict, rule and position is the same', () => {
    fc.assert(
      fc.property(world, ({ state, asks }) => {
        const { decide } = compileState(state);
        for (const { from, to, packet } of asks) {
          expect(opinion(decide(from, to, packet))).toEqual(naive(state, from, to, packet));
        }
      }),
      { numRuns: 600 },
    );
  });

  test('an endpoint may be named by its id as well as by its address', () => {
    fc.assert(
      fc.property(world, ({ state, asks }) => {
        const { decide } = compileState(state);
        const source = state.endpoints[0]!;
        const target = state.endpoints.at(-1)!;
        for (const { packet } of asks) {
          expect(decide(source.id, target.id, packet)).toEqual(decide(source.address, target.address, packet));
        }
      }),
      { numRuns: 50 },
    );
  });
});

test('an endpoint that is called like another’s address is meant by that name', () => {
  const { decide } = compileState({
    profiles: new Map(),
    endpoints: [
      { id: '10.0.0.2', address: '10.0.0.1', profiles: ['one'] },
      { id: 'b', address: '10.0.0.2', profiles: [] },
    ],
  });
  const packet: Packet = { protocol: 'icmp', type: 8, code: 0 };
  expect(decide('10.0.0.2', 'b', packet).outbound.because).toEqual({ kind: 'missing profile', profile: 'one' });
  expect(decide('10.0.0.1', 'b', packet).outbound.because).toEqual({ kind: 'missing profile', profile: 'one' });
});

describe('what an edit of the policy can do', () => {
  const inboundOf = (state: PolicyState, rules: (old: readonly Rule[]) => readonly Rule[]) =>
    mapProfiles(state, (profile) => ({ ...profile, inbound: rules(profile.inbound) }));

  const compare = (
    before: PolicyState,
    after: PolicyState,
    asks: readonly { readonly from: string; readonly to: string; readonly packet: Packet }[],
    hold: (before: Decision, after: Decision) => unknown,
  ) => {
    const [old, now] = [compileState(before), compileState(after)];
    for (const { from, to, packet } of asks) hold(old.decide(from, to, packet), now.decide(from, to, packet));
  };

  test('an allow rule at the end never removes a flow', () => {
    fc.assert(
      fc.property(world, anyRule, ({ state, asks }, rule) => {
        const wider = inboundOf(state, (old) => [...old, { ...rule, action: 'allow' }]);
        compare(state, wider, asks, (before, after) => before.allow && expect(after.allow).toBe(true));
      }),
      runs,
    );
  });

  test('swapping neighbours of equal action changes no verdict', () => {
    fc.assert(
      fc.property(world, fc.nat(4), ({ state, asks }, at) => {
        const swapped = inboundOf(state, (old) => {
          const [first, second] = [old[at], old[at + 1]];
          if (first === undefined || second?.action !== first.action) return old;
          return [...old.slice(0, at), second, first, ...old.slice(at + 2)];
        });
        compare(state, swapped, asks, (before, after) => expect(after.allow).toBe(before.allow));
      }),
      runs,
    );
  });

  test('splitting a range of ports changes nothing', () => {
    fc.assert(
      fc.property(world, fc.double({ min: 0, max: 1, noNaN: true }), ({ state, asks }, part) => {
        const split = inboundOf(state, (old) =>
          old.map((rule) =>
            rule.to.ports === undefined
              ? rule
              : {
                  ...rule,
                  to: {
                    ...rule.to,
                    ports: rule.to.ports.flatMap((range) => {
                      const middle = range.from + Math.floor((range.to - range.from) * part);
                      return middle < range.to && middle >= range.from
                        ? [
                            { from: range.from, to: middle },
                            { from: middle + 1, to: range.to },
                          ]
                        : [range];
                    }),
                  },
                },
          ),
        );
        compare(state, split, asks, (before, after) => expect(opinion(after)).toEqual(opinion(before)));
      }),
      runs,
    );
  });

  test('a profile appended last never changes what a rule has decided', () => {
    fc.assert(
      fc.property(world, ({ state, asks }) => {
        // p0 lends its rules without its tags: a tag more is another matter, it changes who matches.
        const last = { ...state.profiles.get('p0')!, name: 'last', tags: [] };
        const longer: PolicyState = {
          profiles: new Map([...state.profiles, ['last', last]]),
          endpoints: state.endpoints.map((one) => ({ ...one, profiles: [...one.profiles, 'last'] })),
        };
        compare(state, longer, asks, (before, after) => {
          if (before.outbound.because.kind === 'rule') expect(after.outbound).toEqual(before.outbound);
          if (before.inbound.because.kind === 'rule') expect(after.inbound).toEqual(before.inbound);
        });
      }),
      runs,
    );
  });

  test('renaming tags everywhere is neutral', () => {
    fc.assert(
      fc.property(world, ({ state, asks }) => {
        const name = (tag: string) => `renamed.${tag}`;
        const side = (peer: Rule['from']) => (peer.tag === undefined ? peer : { ...peer, tag: name(peer.tag) });
        const rename = (rule: Rule): Rule => ({ ...rule, from: side(rule.from), to: side(rule.to) });
        const renamed = mapProfiles(state, (profile) => ({
          ...profile,
          tags: profile.tags.map(name),
          inbound: profile.inbound.map(rename),
          outbound: profile.outbound.map(rename),
        }));
        compare(state, renamed, asks, (before, after) => expect(opinion(after)).toEqual(opinion(before)));
      }),
      runs,
    );
  });
});

describe('a state that cannot be decided is refused', () => {
  const endpoint = { id: 'a', address: '10.0.0.1', profiles: [] };
  const codes = (endpoints: PolicyState['endpoints']) => {
    try {
      compileState({ profiles: new Map(), endpoints });
      return [];
    } catch (error) {
      return error instanceof Refusal ? error.problems.map(({ code }) => code) : [String(error)];
    }
  };

  test.each([
    ['two endpoints of one name', [endpoint, { ...endpoint, address: '10.0.0.2' }], 'duplicate-endpoint'],
    ['two endpoints with one address', [endpoint, { ...endpoint, id: 'b' }], 'duplicate-address'],
    ['an address with a prefix length', [{ ...endpoint, address: '10.0.0.1/32' }], 'bad-address'],
    ['an address with a leading zero', [{ ...endpoint, address: '10.0.0.01' }], 'bad-address'],
    ['an IPv6 address', [{ ...endpoint, address: 'fd00::1' }], 'bad-address'],
    ['no address', [{ ...endpoint, address: '' }], 'bad-address'],
  ])('%s', (_, endpoints, code) => {
    expect(codes(endpoints)).toEqual([code]);
  });

  test('all problems are told at once', () => {
    expect(codes([endpoint, endpoint, { ...endpoint, id: 'c', address: 'here' }])).toEqual([
      'duplicate-endpoint',
      'duplicate-address',
      'bad-address',
    ]);
  });

  test('a question about nobody names the nearest', () => {
    const evaluator = compileState({ profiles: new Map(), endpoints: [{ ...endpoint, id: 'client-1' }] });
    const ask = () => evaluator.decide('client-2', '10.0.0.1', { protocol: 'icmp', type: 8, code: 0 });
    expect(ask).toThrow('client-1');
    expect(ask).toThrow(Refusal);
  });
});
