import { expect, test } from 'vitest';
import { describe, describeSide } from '../../../modules/policy/describe.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { felix } from '../../../modules/policy/felix.ts';
import type { AnyPacket, Packet, PolicyState, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile, standInId } from '../../../modules/policy/network.ts';
import { ruleText } from '../../../modules/policy/text.ts';

const id = standInId('client');
const names = new Map([[id, { name: 'client', containerizer: 'docker' } as const]]);
const deny: Rule = { action: 'deny', protocol: 'icmp', from: {}, to: {} };
const toWeb: Rule = { action: 'allow', protocol: 'tcp', from: { tag: id }, to: { ports: [{ from: 80, to: 80 }] } };
const { decide } = compileState({
  profiles: new Map(
    [
      defaultProfile(id),
      { ...defaultProfile('web'), inbound: [...defaultProfile('web').inbound, toWeb], outbound: [deny] },
    ].map((profile) => [profile.name, profile]),
  ),
  endpoints: [
    { id: 'client', address: '10.0.0.1', profiles: [id] },
    { id: 'web', address: '10.0.0.2', profiles: ['web'] },
    { id: 'bare', address: '10.0.0.3', profiles: [] },
    { id: 'lost', address: '10.0.0.4', profiles: ['gone'] },
    { id: 'both', address: '10.0.0.5', profiles: ['web', id] },
  ],
});
const web: Packet = { protocol: 'tcp', sourcePort: 40000, port: 80 };
const ping: Packet = { protocol: 'icmp', type: 8, code: 0 };

test.each([
  [
    'a rule, with names of networks',
    'client',
    'web',
    web,
    'allowed by web inbound rule 2 (allow tcp from tag client to ports 80)',
  ],
  ['no rule', 'client', 'web', ping, 'denied: no inbound rule of web matched'],
  ['no rule of several profiles', '203.0.113.9', 'both', ping, 'denied: no inbound rule of web, client matched'],
  ['a deny rule', 'web', 'client', ping, 'denied by web outbound rule 1 (deny icmp)'],
  ['the source first, when both deny', 'web', 'client', web, 'denied: no outbound rule of web matched'],
  ['no profile', 'client', 'bare', web, 'denied: the destination has no profile'],
  ['no profile at the source', 'bare', 'web', web, 'denied: the source has no profile'],
  ['a missing profile', 'client', 'lost', web, 'denied: the profile gone of the destination is missing or invalid'],
  ['to an outsider: what let it out', 'client', '203.0.113.9', web, 'allowed by client outbound rule 1 (allow)'],
  ['between outsiders', '203.0.113.8', '203.0.113.9', web, 'allowed: the source is no endpoint, so no policy is asked'],
  ['the own address', 'web', 'web', ping, 'allowed: a packet to the own address never leaves the task'],
])('%s', (_, from, to, packet, sentence) => {
  expect(describe(decide(from, to, packet), names)).toBe(sentence);
});

test('one side alone', () => {
  const { outbound, inbound } = decide('client', 'web', ping);
  expect(describeSide(outbound, names)).toBe('allowed by client outbound rule 1 (allow)');
  expect(describeSide(inbound, names)).toBe('denied: no inbound rule of web matched');
});

test('without names the datastore’s own are shown', () => {
  expect(describe(decide('client', '203.0.113.9', web))).toBe(`allowed by ${id} outbound rule 1 (allow)`);
});

test('a tier, a quirk, a host and an inactive task', () => {
  const state: PolicyState = {
    profiles: new Map([['web', { ...defaultProfile('web'), inbound: [{ ...toWeb, from: { cidr: '10.0.0.0/8' } }] }]]),
    endpoints: [
      { id: 'a', address: '10.0.0.1', address6: 'fd00::1', profiles: ['web'], host: 'h1' },
      { id: 'b', address: '10.0.0.2', profiles: ['web'], labels: { role: 'db' } },
      { id: 'off', address: '10.0.0.3', profiles: ['web'], state: 'inactive' },
    ],
    hosts: [{ name: 'h1', addresses: ['10.1.0.1', 'fd01::1'], endpointToHost: 'DROP' }],
    tiers: [
      {
        name: 't',
        policies: [
          {
            name: 'p',
            selector: 'has(role)',
            inbound: [{ action: 'allow', from: { not: { cidr: '10.0.0.1/32' } }, to: {} }],
            outbound: [],
          },
        ],
      },
    ],
  };
  const say = (from: string, to: string, version = '1.4.0', packet: AnyPacket = web) =>
    describe(compileState(state, felix(version)).decide(from, to, packet));
  expect(say('203.0.113.9', 'b')).toBe('allowed by the policy p of t inbound rule 1 (allow from !cidr 10.0.0.1/32)');
  expect(say('a', 'b')).toBe('denied: no inbound rule of p in the tier t matched');
  expect(say('b', 'a')).toBe('denied: no outbound rule of p in the tier t matched');
  expect(say('2001:db8::9', 'a')).toBe(
    'allowed by web inbound rule 1 (allow tcp from cidr 10.0.0.0/8 to ports 80); Felix: ' +
      'A CIDR of the other IP version vanishes from the rule, which then matches without it; otherwise the rule would be skipped.',
  );
  expect(say('a', 'off')).toBe('denied: the destination is inactive');
  expect(say('h1', 'a')).toBe('allowed: a host reaches its own tasks, and no policy is asked');
  expect(say('a', 'h1')).toBe('denied: DefaultEndpointToHostAction drops what a task sends to its own host');
  const dns: Packet = { protocol: 'udp', sourcePort: 40000, port: 53 };
  expect(say('a', 'h1', '1.4.0', dns)).toBe('allowed: DNS from a task to its own host is let through before any rule');
});

test('every part of a rule stands in its text', () => {
  const rule: Rule = {
    action: 'next-tier',
    ipVersion: 4,
    protocol: 'icmp',
    icmp: { type: 3 },
    from: { selector: 'role == "db"', not: { tag: 'a', ports: [] } },
    to: { cidr: '10.0.0.0/8', not: { selector: 'has(x)' } },
    not: { protocol: 47, icmp: { type: 3, code: 4 } },
  };
  expect(ruleText(rule)).toBe(
    'next-tier ipv4 icmp type 3 !47 !type 3 !code 4 from selector "role == \\"db\\"" !tag a to cidr 10.0.0.0/8 !selector "has(x)"',
  );
});
