/** That the linter tells of every quirk which a policy would meet, and of none that it would not. */
import { describe, expect, test } from 'vitest';
import { felix, plainFelix, quirks, type Felix, type Quirk } from '../../../modules/policy/felix.ts';
import { lint } from '../../../modules/policy/lint.ts';
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
const tier = (rule: Rule): Tier => ({
  name: 't',
  policies: [{ name: 'one', selector: 'all()', inbound: [rule], outbound: [] }],
});

describe('what stands in a rule', () => {
  test.each<[Quirk, Rule, string]>([
    ['stray-icmp-type-vanishes', { ...allow, icmp: { type: 8 } }, '1.4.4'],
    ['icmp-type-255-drops', { ...allow, protocol: 'icmp', icmp: { type: 255 } }, '1.4.4'],
    ['ports-drop-unless-tcp-udp', { ...allow, protocol: 'sctp', to: { ports: [{ from: 99, to: 99 }] } }, '1.4.4'],
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
  expect(found([passes, allow], '1.4.4')).toEqual([]);
  expect(found([passes, allow], '1.4.4', { tiers: [tier(allow)] })).toEqual([]);
  expect(found([allow], '1.4.4', { tiers: [tier(passes)] })).toEqual([]);
  expect(found([passes, allow], '1.4.4', { tiers: [tier(passes)] })).toEqual(['next-tier-mark-leaks']);
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
