import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { felix, felixVersions } from '../../../modules/policy/felix.ts';
import type {
  AnyPacket,
  Decision,
  Packet,
  Peer,
  PeerMatch,
  PolicyState,
  PortRange,
  Profile,
  Rule,
  SideDecision,
} from '../../../modules/policy/model.ts';
import { profileFault } from '../../../modules/policy/valid.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { knownTo, mapProfiles, rule as anyRule, wholeRule, wholeWorld, world } from './arbitrary.ts';
import { naive } from './naive.ts';

/** Each world is asked ten questions, or twelve. */
const runs = { numRuns: 1000 };

/** The rule with each of its matches changed, the negated ones too. */
function eachPeer(rule: Rule, change: (match: PeerMatch) => PeerMatch): Rule {
  const peer = ({ not, ...rest }: Peer): Peer => ({
    ...change(rest),
    ...(not === undefined ? {} : { not: change(not) }),
  });
  return { ...rule, from: peer(rule.from), to: peer(rule.to) };
}

/** Our decision in the naive interpreter's words. */
function opinion({ allow, outbound, inbound }: Decision) {
  return { allow, outbound: word(outbound), inbound: word(inbound) };
}

function word({ direction, allow, because }: SideDecision): string {
  switch (because.kind) {
    case 'rule':
      return `${because.profile} ${direction} ${because.position} ${allow ? 'allow' : 'deny'}`;
    case 'policy rule':
      return `${because.tier}/${because.policy} ${direction} ${because.position} ${allow ? 'allow' : 'deny'}`;
    case 'no policy passed':
      return `end of ${because.tier}`;
    case 'no rule matched':
      return 'default';
    case 'no profile':
      return 'empty';
    case 'missing profile':
      return `missing ${because.profile}`;
    case 'not an endpoint':
      return 'outsider';
    case 'inactive':
      return 'inactive';
    case 'own address':
      return 'self';
    case 'own host':
      return 'own host';
    case 'to own host':
      return `to own host ${because.what}`;
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

  test.each(['plain', ...felixVersions])('with tiers, selectors, negation and IPv6: Felix %s', (version) => {
    fc.assert(
      fc.property(wholeWorld, ({ state: any, asks }) => {
        const state = knownTo(felix(version)!, any);
        const { decide } = compileState(state, felix(version));
        for (const { from, to, packet } of asks) {
          expect(opinion(decide(from, to, packet))).toEqual(naive(state, from, to, packet, version));
        }
      }),
      { numRuns: 150 },
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
  /** The small model and the whole one, as it is meant. */
  const anyWorld = fc.oneof(world, wholeWorld) as typeof wholeWorld;
  type Change = (rules: readonly Rule[]) => readonly Rule[];
  const bothOf = <T extends Pick<Profile, 'inbound' | 'outbound'>>(one: T, change: Change): T => ({
    ...one,
    inbound: change(one.inbound),
    outbound: change(one.outbound),
  });
  /** Every list of rules, of profiles and of policies. */
  const changed = (state: PolicyState, change: Change): PolicyState => ({
    ...mapProfiles(state, (profile) => bothOf(profile, change)),
    tiers: (state.tiers ?? []).map((tier) => ({
      ...tier,
      policies: tier.policies.map((policy) => bothOf(policy, change)),
    })),
  });

  const compare = (
    before: PolicyState,
    after: PolicyState,
    asks: readonly { readonly from: string; readonly to: string; readonly packet: AnyPacket }[],
    hold: (before: Decision, after: Decision) => unknown,
  ) => {
    const [old, now] = [compileState(before), compileState(after)];
    for (const { from, to, packet } of asks) hold(old.decide(from, to, packet), now.decide(from, to, packet));
  };

  test('an allow rule at the end never removes a flow, unless it is broken', () => {
    fc.assert(
      fc.property(anyWorld, fc.oneof(anyRule, wholeRule), ({ state, asks }, added) => {
        const rule: Rule = { ...added, action: 'allow' };
        const broken = profileFault({ name: 'a', tags: [], inbound: [rule], outbound: [] }) !== undefined;
        // What leaves a profile by next-tier may be closed by a rule that keeps it in.
        const plain = changed(state, (old) =>
          old.map((one) => (one.action === 'next-tier' ? { ...one, action: 'deny' } : one)),
        );
        const wider = changed(plain, (old) => [...old, rule]);
        compare(plain, wider, asks, (before, after) => before.allow && !broken && expect(after.allow).toBe(true));
      }),
      runs,
    );
  });

  test('swapping neighbours of equal action changes no verdict', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(4), ({ state, asks }, at) => {
        const swapped = changed(state, (old) => {
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
      fc.property(anyWorld, fc.double({ min: 0, max: 1, noNaN: true }), ({ state, asks }, part) => {
        const halves = ({ from, to }: PortRange): PortRange[] => {
          const middle = from + Math.floor((to - from) * part);
          return middle < to && middle >= from
            ? [
                { from, to: middle },
                { from: middle + 1, to },
              ]
            : [{ from, to }];
        };
        const match = (one: PeerMatch): PeerMatch =>
          one.ports === undefined ? one : { ...one, ports: one.ports.flatMap(halves) };
        const split = changed(state, (old) => old.map((rule) => eachPeer(rule, match)));
        compare(state, split, asks, (before, after) => expect(opinion(after)).toEqual(opinion(before)));
      }),
      runs,
    );
  });

  test('a profile appended last never changes what a rule has decided', () => {
    fc.assert(
      fc.property(anyWorld, ({ state, asks }) => {
        // p0 lends its rules without its tags and labels: those change who matches, which is another matter.
        const last: Profile = { ...state.profiles.get('p0')!, name: 'last', tags: [], labels: {} };
        const longer: PolicyState = {
          ...state,
          profiles: new Map([...state.profiles, ['last', last]]),
          endpoints: state.endpoints.map((one) => ({ ...one, profiles: [...one.profiles, 'last'] })),
        };
        compare(state, longer, asks, (before, after) => {
          const decided = ({ because }: SideDecision) => because.kind === 'rule' || because.kind === 'policy rule';
          if (decided(before.outbound)) expect(after.outbound).toEqual(before.outbound);
          // A source that is let out by the profile appended may take the mark of next-tier along.
          if (decided(before.inbound) && before.outbound.allow) expect(after.inbound).toEqual(before.inbound);
        });
      }),
      runs,
    );
  });

  test('it does not matter on which host a task is, unless a tier passes packets on', () => {
    fc.assert(
      fc.property(wholeWorld, ({ state, asks }) => {
        const passOn = (rule: Rule): Rule => (rule.action === 'next-tier' ? { ...rule, action: 'deny' } : rule);
        const on = (host: (index: number) => string): PolicyState => ({
          ...state,
          hosts: [],
          tiers: (state.tiers ?? []).map((tier) => ({
            ...tier,
            policies: tier.policies.map((policy) => ({
              ...policy,
              inbound: policy.inbound.map(passOn),
              outbound: policy.outbound.map(passOn),
            })),
          })),
          profiles: new Map(
            [...state.profiles].map(([name, one]) => [name, { ...one, outbound: one.outbound.map(passOn) }]),
          ),
          endpoints: state.endpoints.map((one, index) => ({ ...one, host: host(index) })),
        });
        const [together, apart] = [on(() => 'h'), on((index) => `h${index}`)];
        compare(together, apart, asks, (before, after) => expect(after).toEqual(before));
      }),
      runs,
    );
  });

  test('rules for IPv6 only say nothing of IPv4', () => {
    const six = (rule: Rule): boolean =>
      rule.ipVersion === 6 ||
      [rule.from, rule.to].some(({ cidr = '', not }) => `${cidr} ${not?.cidr ?? ''}`.includes(':'));
    fc.assert(
      fc.property(wholeWorld, ({ state, asks }) => {
        const go = felix('2.6.8')!;
        // A rule that is invalid takes its whole list away from IPv4 too.
        const valid = changed(state, (rules) =>
          profileFault({ name: 'a', tags: [], inbound: rules, outbound: [] }, go) === undefined ? rules : [],
        );
        const less = changed(valid, (rules) => rules.filter((rule) => !six(rule)));
        const [old, now] = [compileState(valid, go), compileState(less, go)];
        for (const { from, to, packet } of asks) {
          if (!from.includes(':')) expect(now.allows(from, to, packet)).toBe(old.allows(from, to, packet));
        }
      }),
      runs,
    );
  });

  test('renaming tags everywhere is neutral', () => {
    fc.assert(
      fc.property(anyWorld, ({ state, asks }) => {
        const name = (tag: string) => `renamed.${tag}`;
        const match = (one: PeerMatch): PeerMatch => (one.tag === undefined ? one : { ...one, tag: name(one.tag) });
        const renamed = mapProfiles(
          changed(state, (old) => old.map((rule) => eachPeer(rule, match))),
          (profile) => ({ ...profile, tags: profile.tags.map(name) }),
        );
        compare(state, renamed, asks, (before, after) => expect(opinion(after)).toEqual(opinion(before)));
      }),
      runs,
    );
  });
});

describe('a state that cannot be decided is refused', () => {
  const endpoint = { id: 'a', address: '10.0.0.1', profiles: [] };
  const policy = { name: 'p', selector: '', inbound: [], outbound: [] };
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

  test.each([
    ['an IPv6 address that is none', { endpoints: [{ ...endpoint, address6: 'fd00::1/64' }] }, 'bad-address'],
    [
      'two endpoints with one IPv6 address, written in two ways',
      {
        endpoints: [
          { ...endpoint, address6: 'fd00::1' },
          { ...endpoint, id: 'b', address: '10.0.0.2', address6: 'FD00:0::1' },
        ],
      },
      'duplicate-address',
    ],
    ['a host without a good address', { hosts: [{ name: 'h', addresses: ['h'] }] }, 'bad-address'],
    [
      'two hosts of one name',
      {
        hosts: [
          { name: 'h', addresses: [] },
          { name: 'h', addresses: [] },
        ],
      },
      'duplicate-host',
    ],
    [
      'two tiers of one name',
      {
        tiers: [
          { name: 't', policies: [] },
          { name: 't', policies: [] },
        ],
      },
      'duplicate-tier',
    ],
    ['two policies of one name', { tiers: [{ name: 't', policies: [policy, policy] }] }, 'duplicate-policy'],
    ['a pool that is no network', { pools: [{ cidr: 'all' }] }, 'bad-cidr'],
  ])('%s', (_, change: Partial<PolicyState>, code) => {
    try {
      compileState({ profiles: new Map(), endpoints: [], ...change });
      expect.unreachable();
    } catch (error) {
      expect(error instanceof Refusal && error.problems.map((problem) => problem.code)).toEqual([code]);
    }
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

describe('questions about IP versions, hosts and pools', () => {
  const all: Rule = { action: 'allow', from: {}, to: {} };
  const closedTo = (cidr: string) => ({
    name: 'a',
    tags: [],
    inbound: [{ action: 'deny', from: { cidr }, to: {} } as const, all],
    outbound: [all],
  });
  const state: PolicyState = {
    profiles: new Map([['a', closedTo('10.1.0.1/32')]]),
    endpoints: [
      { id: 'a', address: '192.168.0.1', address6: 'fd00::1', profiles: ['a'], host: 'h1' },
      { id: 'b', address: '192.168.0.2', profiles: ['a'], host: 'h2' },
      { id: 'odd', address: '172.16.0.1', profiles: ['a'], host: 'h2' },
      { id: 'near', address: '172.16.0.2', profiles: ['a'], host: 'h1' },
    ],
    hosts: [{ name: 'h1', addresses: ['10.1.0.1'] }],
    pools: [{ cidr: '192.168.0.0/16', masquerade: true }, { cidr: 'fd00::/64' }],
  };
  const { decide } = compileState(state);
  const web: Packet = { protocol: 'tcp', sourcePort: 40000, port: 80 };
  const code = (ask: () => unknown) => {
    try {
      ask();
      return 'none';
    } catch (error) {
      return error instanceof Refusal ? error.problems[0]?.code : String(error);
    }
  };

  test('an address tells the version, and may be written in any way', () => {
    expect(decide('2001:db8::9', 'FD00:0:0::1', web).inbound.because).toMatchObject({ kind: 'rule', position: 2 });
    expect(decide('2001:db8::9', 'a', web).allow).toBe(true);
    expect(code(() => decide('2001:db8::9', 'b', web))).toBe('no-address');
    expect(code(() => decide('a', 'b', { ...web, ipVersion: 6 }))).toBe('no-address');
  });

  test('what cannot be one packet is refused', () => {
    expect(code(() => decide('192.168.0.1', 'fd00::1', web))).toBe('none');
    expect(code(() => decide('192.168.0.2', 'fd00::1', web))).toBe('mixed-ip-versions');
    expect(code(() => decide('192.168.0.1', 'b', { ...web, ipVersion: 6 }))).toBe('mixed-ip-versions');
    expect(code(() => decide('2001:db8::9', 'a', { protocol: 'icmp', type: 8, code: 0 }))).toBe('mixed-ip-versions');
    expect(code(() => decide('a', 'b', { protocol: 'icmpv6', type: 128, code: 0 }))).toBe('no-address');
    expect(code(() => decide('a', 'b', { protocol: 6 }))).toBe('unfinished-packet');
    expect(code(() => decide('a', 'b', { protocol: 47 }))).toBe('none');
    expect(code(() => decide('a', 'h3', web))).toBe('unknown-endpoint');
  });

  test('a masqueraded task is seen as its host by whoever is in no pool, on another host', () => {
    expect(decide('a', '203.0.113.9', web).seenFrom).toBe('10.1.0.1');
    expect(decide('a', 'b', web)).not.toHaveProperty('seenFrom');
    // The rule against the host meets the packet only where it arrives from outside.
    expect(decide('a', 'odd', web)).toMatchObject({ allow: false, seenFrom: '10.1.0.1' });
    expect(decide('a', 'near', web)).toMatchObject({ allow: true, seenFrom: '10.1.0.1' });
    // Nobody knows the address of h2.
    expect(decide('b', 'odd', web)).not.toHaveProperty('seenFrom');
    expect(decide('a', '2001:db8::9', web)).not.toHaveProperty('seenFrom');
  });

  test('a task of no pool, or of one that does not masquerade, and who goes to any pool, keep their address', () => {
    const more = compileState({
      ...state,
      hosts: [{ name: 'h1', addresses: ['10.1.0.1', 'fd01::1'] }],
      pools: [...(state.pools ?? []), { cidr: '10.9.0.0/16' }],
    });
    for (const [from, to] of [
      ['near', '203.0.113.9'],
      ['a', '10.9.0.1'],
      ['a', '2001:db8::9'],
    ] as const) {
      expect(more.decide(from, to, web), `${from} ${to}`).not.toHaveProperty('seenFrom');
    }
  });

  test('IPv6 is masqueraded by Go’s Felix alone', () => {
    const six: PolicyState = {
      ...state,
      hosts: [{ name: 'h1', addresses: ['10.1.0.1', 'fd01::1'] }],
      pools: [{ cidr: 'fd00::/64', masquerade: true }],
    };
    const seen = (version: string) => compileState(six, felix(version)).decide('a', '2001:db8::9', web).seenFrom;
    expect([seen('plain'), seen('2.6.8'), seen('1.4.4')]).toEqual(['fd01::1', 'fd01::1', undefined]);
  });
});

test('the whole worlds are worth asking: every way to decide is met', () => {
  const met = new Map<string, number>();
  for (const { state, asks } of fc.sample(wholeWorld, { numRuns: 400, seed: 5 })) {
    for (const version of ['1.4.0', '2.6.8']) {
      const { decide } = compileState(state, felix(version));
      for (const { from, to, packet } of asks) {
        const { outbound, inbound } = decide(from, to, packet);
        for (const { because, allow } of [outbound, inbound]) {
          const quirk = 'quirk' in because ? ` ${because.quirk ?? ''}` : '';
          const what = because.kind === 'to own host' ? ` ${because.what}` : '';
          const way = `${because.kind}${quirk}${what} ${allow ? 'allow' : 'deny'}`;
          met.set(way, (met.get(way) ?? 0) + 1);
        }
      }
    }
  }
  for (const way of [
    ...['rule allow', 'rule deny', 'policy rule allow', 'policy rule deny', 'no policy passed deny', 'own host allow'],
    ...['no rule matched deny', 'no profile deny', 'missing profile deny', 'inactive deny', 'to own host DROP deny'],
    ...['rule foreign-cidr-vanishes allow', 'rule icmp-type-drops-ipv6 deny', 'rule ports-drop-unless-tcp-udp deny'],
  ]) {
    expect(met.get(way) ?? 0, way).toBeGreaterThan(20);
  }
});
