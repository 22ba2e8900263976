import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classDiff } from '../../../modules/policy/matrix/diff.ts';
import { edited } from '../../../modules/policy/matrix/edit.ts';
import { felix as felixNamed, felixVersions, plainFelix, type Felix } from '../../../modules/policy/felix.ts';
import { matrixIn, matrixOf, openFlows, wholeMatrix } from '../../../modules/policy/matrix/matrix.ts';
import type { AnyPacket, IpVersion, PolicyState, Profile, Rule, Tier } from '../../../modules/policy/model.ts';
import { inPorts } from '../../../modules/policy/syntax/ports.ts';
import { protocolNumber } from '../../../modules/policy/protocol.ts';
import { anyPacketOf, trafficClasses, wholeClasses, type AnyTraffic } from '../../../modules/policy/traffic.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { knownTo, wholeRule, wholeState, wholeWorld } from './arbitrary.ts';
import { addressOf, apart, open, replaced, spelledOut, verdicts, without } from './matrix-cells.ts';
import { naive } from './naive.ts';

/** The plain one more often: it has everything, and the mark that travels. */
const anyFelix = fc
  .constantFrom('plain', 'plain', 'plain', ...felixVersions)
  .map((version): Felix => felixNamed(version)!);
const anyVersion = fc.constantFrom<IpVersion>(4, 4, 6);

/** The class that the packet is in; -1 where the class tells only some of its packets. */
const classOf = (traffic: readonly AnyTraffic[], packet: AnyPacket): number => {
  const number = protocolNumber(packet.protocol);
  const own = traffic.findIndex((one) => {
    if (protocolNumber(one.protocol) !== number) return false;
    if ('type' in packet) return 'type' in one && one.type === packet.type && one.code === packet.code;
    if (!('ports' in one) || !('port' in packet)) return true;
    return inPorts(one.ports, packet.port) && inPorts([one.sourcePorts], packet.sourcePort);
  });
  const usual = ['tcp', 'udp', 'icmp', 'icmpv6'].includes(`${packet.protocol}`);
  return own >= 0 || usual ? own : traffic.findIndex(({ name }) => name === 'other protocols');
};

describe('the whole matrix', () => {
  test('every cell is what a slow interpreter says, for every Felix and both IP versions', () => {
    let cells = 0;
    fc.assert(
      fc.property(wholeState, anyFelix, anyVersion, (anyState, felix, version) => {
        const state = knownTo(felix, anyState);
        const matrix = wholeMatrix(state, version, felix);
        const wrong: string[] = [];
        for (const [from, source] of state.endpoints.entries()) {
          for (const [to, target] of state.endpoints.entries()) {
            const [a, b] = [addressOf(source, version), addressOf(target, version)];
            for (const [index, one] of matrix.traffic.entries()) {
              const said =
                a !== undefined && b !== undefined && naive(state, a, b, anyPacketOf(one), felix.version).allow;
              if (matrix.allowed(from, to, index) !== said) wrong.push(`${source.id} -> ${target.id} ${one.name}`);
              if (said && from !== to) cells++;
            }
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 400 },
    );
    // Cells that are all closed would prove little.
    expect(cells).toBeGreaterThan(1000);
  });

  test('a packet has the verdict of its class', () => {
    fc.assert(
      fc.property(wholeWorld, ({ state, asks }) => {
        const ends = new Map(
          state.endpoints.flatMap(({ address, address6 }, index) => [
            [address, index],
            ...(address6 === undefined ? [] : [[address6, index] as const]),
          ]),
        );
        const matrices = new Map(([4, 6] as const).map((version) => [version, wholeMatrix(state, version)]));
        for (const { from, to, packet } of asks) {
          const [source, target] = [ends.get(from), ends.get(to)];
          if (source === undefined || target === undefined) continue;
          const matrix = matrices.get(from.includes(':') ? 6 : 4)!;
          const index = classOf(matrix.traffic, packet);
          if (index < 0) continue;
          const { name } = matrix.traffic[index]!;
          expect([name, matrix.allowed(source, target, index)]).toEqual([name, naive(state, from, to, packet).allow]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('classes of traffic that a probe speaks are told by tiers and negations, too', () => {
    fc.assert(
      fc.property(wholeState, (state) => {
        const traffic = trafficClasses(state.profiles.values(), { tiers: state.tiers ?? [] });
        const whole = wholeMatrix(state, 4);
        expect(traffic).toEqual(whole.traffic.filter(({ protocol }) => typeof protocol === 'string'));
        expect(new Set(whole.traffic.map(({ name }) => name)).size).toBe(whole.traffic.length);
        const matrix = matrixOf(state, traffic);
        expect(apart(open(matrix), verdicts(state, traffic))).toEqual([]);
        expect(openFlows(matrix).reduce((sum, one) => sum + one, 0)).toBe(open(matrix).size);
      }),
      { numRuns: 150 },
    );
  });
});

/** An edit of one profile: other rules, tags or labels, taken away, or made where it was missing. */
const edit = fc.record({
  name: fc.constantFrom('p0', 'p1', 'p2', 'p3', 'missing'),
  inbound: fc.option(fc.array(wholeRule, { maxLength: 3 })),
  outbound: fc.option(fc.array(wholeRule, { maxLength: 3 })),
  tags: fc.option(fc.subarray(['a', 'b', 'c', 'd'])),
  labels: fc.option(fc.dictionary(fc.constantFrom('role', 'stage'), fc.constantFrom('db', 'web'), { maxKeys: 2 }), {
    freq: 2,
  }),
  gone: fc.integer({ min: 0, max: 9 }).map((number) => number === 3),
});

function after(state: PolicyState, { name, gone, ...change }: typeof edit extends fc.Arbitrary<infer E> ? E : never) {
  const old: Profile = state.profiles.get(name) ?? { name, tags: [], inbound: [], outbound: [] };
  if (gone) return undefined;
  const given = Object.entries(change).filter(([, value]) => value !== null);
  return { ...old, ...(Object.fromEntries(given) as Partial<Profile>) };
}

describe('a profile edited, with tiers, selectors and negations about', () => {
  test.each([4, 6] as const)('gives the matrix that would be computed anew, and all that changes: IPv%i', (version) => {
    fc.assert(
      fc.property(wholeState, anyFelix, fc.array(edit, { minLength: 1, maxLength: 3 }), (anyState, felix, edits) => {
        let state = knownTo(felix, anyState);
        let matrix = wholeMatrix(state, version, felix);
        const classify = (rules: readonly Rule[]) => wholeClasses(rules, version);
        for (const one of edits) {
          const profile = after(state, one);
          const next = replaced(state, one.name, profile);
          const change = edited(matrix, one.name, profile);
          const anew = matrixIn(next, { version, felix }, classify, change.matrix.traffic);
          expect(apart(open(change.matrix), open(anew))).toEqual([]);
          expect(apart(open(change.matrix), verdicts(next, anew.traffic, felix, version))).toEqual([]);

          const { changes } = classDiff(matrix, change.matrix);
          expect(apart(spelledOut(change, true), spelledOut({ changes }, true))).toEqual([]);
          expect(apart(spelledOut(change, false), spelledOut({ changes }, false))).toEqual([]);
          const told = new Set(changes.flatMap(({ traffic }) => traffic));
          const [was, is] = [state, next].map((all) => verdicts(all, [...told], felix, version));
          expect(apart(spelledOut({ changes }, true), without(is!, was!))).toEqual([]);
          expect(apart(spelledOut({ changes }, false), without(was!, is!))).toEqual([]);
          state = next;
          matrix = change.matrix;
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the mark of next-tier', () => {
  const rule = (action: Rule['action'], protocol?: 'udp'): Rule => ({
    action,
    ...(protocol === undefined ? {} : { protocol }),
    from: {},
    to: {},
  });
  const tier: Tier = {
    name: 't',
    policies: [{ name: 'p', selector: 'has(role)', inbound: [], outbound: [rule('next-tier')] }],
  };
  const profiles = new Map<string, Profile>([
    ['sends', { name: 'sends', tags: [], inbound: [], outbound: [rule('allow')] }],
    ['takes', { name: 'takes', tags: [], inbound: [rule('next-tier', 'udp'), rule('allow')], outbound: [] }],
  ]);
  const state: PolicyState = {
    profiles,
    tiers: [tier],
    endpoints: [
      { id: 'near', address: '10.0.0.1', profiles: ['sends'], host: 'h1', labels: { role: 'a' } },
      { id: 'far', address: '10.0.0.2', profiles: ['sends'], host: 'h2', labels: { role: 'a' } },
      { id: 'target', address: '10.0.0.3', profiles: ['takes'], host: 'h1' },
    ],
  };
  const tcp = (matrix: ReturnType<typeof matrixOf>) => [matrix.allowed(0, 2, 0), matrix.allowed(1, 2, 0)];

  test('closes on the same host what is open from another', () => {
    const traffic = trafficClasses(profiles.values(), { tiers: [tier] });
    expect(tcp(matrixOf(state, traffic))).toEqual([false, true]);
    expect(openFlows(matrixOf(state, traffic))[0]).toBe(1);
    expect(tcp(matrixOf(state, traffic, felixNamed('1.3.0')))).toEqual([false, false]);
  });

  test('is met when an edit brings it', () => {
    const plain = { ...profiles.get('takes')!, inbound: [rule('allow')] };
    const before = matrixOf(replaced(state, 'takes', plain), trafficClasses([plain]));
    expect(tcp(before)).toEqual([true, true]);
    expect(tcp(edited(before, 'takes', profiles.get('takes')).matrix)).toEqual([false, true]);
  });
});

describe('what the matrix does not know is refused, not judged wrongly', () => {
  const profiles = new Map<string, Profile>([['p', { name: 'p', tags: [], inbound: [], outbound: [] }]]);
  const pools = [{ cidr: '10.0.0.0/24', masquerade: true }];
  const hosts = [{ name: 'h', addresses: ['172.16.0.1'] }];
  const inside = { id: 'inside', address: '10.0.0.1', profiles: ['p'], host: 'h' };
  const outside = { id: 'outside', address: '10.0.1.1', profiles: ['p'] };

  test('addresses that others do not see', () => {
    expect(() => matrixOf({ profiles, pools, hosts, endpoints: [inside, outside] }, [])).toThrow(Refusal);
  });

  test.each([
    ['all in the pool', { profiles, pools, hosts, endpoints: [inside] }],
    ['no masquerade', { profiles, pools: [{ cidr: '10.0.0.0/24' }], hosts, endpoints: [inside, outside] }],
    ['no host', { profiles, pools, hosts, endpoints: [{ ...inside, host: 'other' }, outside] }],
  ])('but not %s', (_, state) => {
    expect(matrixOf(state, []).endpoints).toHaveLength(state.endpoints.length);
  });
});

test('matrices of two IP versions cannot be compared', () => {
  const state: PolicyState = { profiles: new Map(), endpoints: [] };
  expect(() => classDiff(wholeMatrix(state, 4), wholeMatrix(state, 6, plainFelix))).toThrow(TypeError);
});
