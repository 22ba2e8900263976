/** That the linter tells of every quirk which a policy would meet, and of none that it would not. */
import { describe, expect, test } from 'vitest';
import { felix, plainFelix, quirks, type Felix, type Quirk } from '../../../modules/policy/felix.ts';
import { lint } from '../../../modules/policy/lint.ts';
import { orderKept } from '../../../modules/policy/met.ts';
import type { Endpoint, PolicyState, Profile, Rule, Tier } from '../../../modules/policy/model.ts';

const allow: Rule = { action: 'allow', from: {}, to: {} };
const endpoint: Endpoint = { id: 'a', address: '10.0.0.1', profiles: ['p'], host: 'h' };
const dual: Endpoint = { ...endpoint, address6: 'fd00::1' };

function found(
  rules: readonly Rule[],
  version: string,
  more: Partial<PolicyState> = {},
  side: 'inbound' | 'outbound' = 'inbound',
) {
  const profile: Profile = { name: 'p', tags: ['p'], inbound: [], outbound: [allow], [side]: rules };
  const state: PolicyState = { profiles: new Map([['p', profile]]), endpoints: [endpoint], ...more };
  return lint(state, undefined, felix(version))
    .map(({ code }) => code)
    .filter((code) => code in quirks);
}

const net: Rule = { ...allow, from: { cidr: '10.9.0.0/16' } };
const ping: Rule = { ...allow, protocol: 'icmp', icmp: { type: 8 } };
const passes: Rule = { ...allow, action: 'next-tier' };
const some: Rule = { ...passes, protocol: 'udp' };
const tier = (rule: Rule): Tier => ({
  name: 't',
  policies: [{ name: 'one', selector: 'all()', inbound: [rule], outbound: [] }],
});

describe('what stands in a rule', () => {
  test.each<[Quirk, Rule, string]>([
    ['stray-icmp-type-vanishes', { ...allow, icmp: { type: 8 } }, '1.4.4'],
    ['icmp-type-255-drops', { ...allow, protocol: 'icmp', icmp: { type: 255 } }, '1.4.4'],
    ['ports-drop-unless-tcp-udp', { ...allow, protocol: 'sctp', to: { ports: [{ from: 99, to: 99 }] } }, '1.4.4'],
    ['empty-ports-need-protocol', { ...allow, to: { ports: [] } }, '1.4.4'],
    ['port-zero-invalid', { ...allow, protocol: 'tcp', to: { ports: [{ from: 0, to: 5 }] } }, '2.6.8'],
    ['version-contradiction-invalid', { ...net, ipVersion: 6 }, '1.4.4'],
  ])('%s', (quirk, rule, version) => {
    expect(found([rule], version)).toEqual([quirk]);
    expect(found([allow], version)).toEqual([]);
  });

  test.each<[Quirk, Rule]>([
    ['foreign-cidr-vanishes', net],
    ['icmp-type-drops-ipv6', ping],
  ])('%s: only where somebody has an IPv6 address', (quirk, rule) => {
    expect(found([rule], '1.4.4')).toEqual([]);
    expect(found([rule], '1.4.4', { endpoints: [dual] })).toEqual([quirk]);
    expect(found([rule], '2.6.8', { endpoints: [dual] })).toEqual([]);
  });
});

test('next-tier-mark-leaks: where a tier sets the mark and a profile reads it', () => {
  expect(found([some, allow], '1.4.4')).toEqual([]);
  expect(found([some, allow], '1.4.4', { tiers: [tier(allow)] })).toEqual([]);
  expect(found([allow], '1.4.4', { tiers: [tier(passes)] })).toEqual([]);
  expect(found([some, allow], '1.4.4', { tiers: [tier(passes)] })).toEqual(['next-tier-mark-leaks']);
  // One that is for every packet leaves the profile with the mark as without it.
  expect(found([passes], '1.4.4', { tiers: [tier(passes)] })).toEqual([]);
});

describe('next-tier-mark-leaks, without a tier', () => {
  const profile = (name: string, inbound: readonly Rule[], outbound: readonly Rule[] = [allow]): Profile => {
    return { name, tags: [], inbound, outbound };
  };
  const told = (profiles: readonly Profile[], endpoints: readonly Endpoint[]) =>
    lint({ profiles: new Map(profiles.map((one) => [one.name, one])), endpoints }, undefined, felix('1.4.4'))
      .filter(({ code }) => code === 'next-tier-mark-leaks')
      .map(({ what }) => what);
  const leaks = [expect.stringContaining('the profile b')] as string[];

  test('where a profile before it in the list sets the mark, in the same direction', () => {
    const [a, b] = [profile('a', [passes]), profile('b', [some, allow])];
    expect(told([a, b], [{ ...endpoint, profiles: ['a', 'b'] }])).toEqual(leaks);
    expect(told([a, b], [{ ...endpoint, profiles: ['b', 'a'] }])).toEqual([]);
    expect(told([profile('a', [], [passes]), b], [{ ...endpoint, profiles: ['a', 'b'] }])).toEqual([]);
  });

  test('where a source on the same host sends with the mark', () => {
    const [a, b] = [profile('a', [], [passes]), profile('b', [some, allow])];
    const one = { ...endpoint, profiles: ['b'] };
    const source = { id: 'b', address: '10.0.0.2', profiles: ['a', 'c'], host: 'h' };
    expect(told([a, b], [one, source])).toEqual(leaks);
    expect(told([a, b], [one, { ...source, host: 'h2' }])).toEqual([]);
    expect(
      told(
        [a, b],
        [
          { ...one, profiles: ['a'] },
          { ...source, profiles: ['b'] },
        ],
      ),
    ).toEqual(leaks);
  });
});

test('established-returns: where a host drops what is handed back to it', () => {
  const hosts = (forward: 'ACCEPT' | 'DROP') => [{ name: 'h', addresses: ['192.0.2.1'], forward }];
  expect(found([allow], '1.4.0b1', { hosts: hosts('DROP') })).toEqual(['established-returns']);
  expect(found([allow], '1.4.0b1', { hosts: hosts('ACCEPT') })).toEqual([]);
  expect(found([allow], '1.4.0', { hosts: hosts('DROP') })).toEqual([]);
});

test('ipv6-not-masqueraded: where a pool of IPv6 asks for it', () => {
  const pools = (cidr: string, masquerade = true) => ({ pools: [{ cidr, masquerade }] });
  expect(found([allow], '1.4.4', pools('fd00::/64'))).toEqual(['ipv6-not-masqueraded']);
  expect(found([allow], '1.4.4', pools('fd00::/64', false))).toEqual([]);
  expect(found([allow], '1.4.4', pools('10.0.0.0/8'))).toEqual([]);
  expect(found([allow], '2.6.8', pools('fd00::/64'))).toEqual([]);
});

test('profile-order-kept: where nothing of an endpoint changes but the order of its profiles', () => {
  const state = (...profiles: string[]): PolicyState => ({
    profiles: new Map(),
    endpoints: [{ ...endpoint, profiles }],
  });
  const codes = (before: PolicyState, after: PolicyState, version: string) =>
    orderKept(before, after, felix(version)!).map(({ code }) => code);
  expect(codes(state('a', 'b'), state('b', 'a'), '1.4.4')).toEqual(['profile-order-kept']);
  expect(codes(state('a', 'b'), state('b', 'a'), '2.0.0')).toEqual([]);
  expect(codes(state('a', 'b'), state('a', 'b'), '1.4.4')).toEqual([]);
  expect(codes(state('a', 'b'), state('b', 'c'), '1.4.4')).toEqual([]);
  expect(codes({ ...state(), endpoints: [] }, state('b', 'a'), '1.4.4')).toEqual([]);
});

test('dns-and-dhcp-to-own-host: where the rules would keep a task from it', () => {
  const hosts = [{ name: 'h', addresses: ['192.0.2.1'] }];
  const closed: Rule[] = [{ ...allow, action: 'deny' }];
  expect(found(closed, '1.4.4', { hosts }, 'outbound')).toEqual(['dns-and-dhcp-to-own-host']);
  expect(found([allow], '1.4.4', { hosts }, 'outbound')).toEqual([]);
  expect(found(closed, '2.6.8', { hosts }, 'outbound')).toEqual([]);
});

describe('policies of tiers', () => {
  const codes = (one: Tier, of: Felix = plainFelix, profiles: PolicyState['profiles'] = new Map()) =>
    lint(
      { profiles, endpoints: [{ ...endpoint, profiles: [], labels: { role: 'db' } }], tiers: [one] },
      undefined,
      of,
    ).map(({ code }) => code);
  const policy = tier(allow).policies[0]!;

  test('one that selects nobody, one that is invalid, rules that are no use', () => {
    expect(codes({ name: 't', policies: [policy] })).toEqual([]);
    expect(codes({ name: 't', policies: [{ ...policy, selector: 'role == "web"' }] })).toEqual(['policy-for-nobody']);
    expect(codes({ name: 't', policies: [{ ...policy, selector: 'role ==' }] })).toEqual(['invalid-policy']);
    expect(codes({ name: 't', policies: [{ ...policy, inbound: [allow, net] }] })).toEqual(['redundant-rule']);
    const stranger: Rule = { ...allow, from: { selector: 'has(nothing)' } };
    expect(codes({ name: 't', policies: [{ ...policy, inbound: [stranger] }] })).toEqual(['selector-matches-nobody']);
    const logs: Rule = { ...allow, action: 'log' };
    expect(codes({ name: 't', policies: [{ ...policy, inbound: [logs, allow] }] })).toEqual([]);
  });

  test('a Felix without tiers', () => {
    expect(codes(tier(allow), felix('1.3.0'))).toEqual(['tiers-not-read']);
  });
});
