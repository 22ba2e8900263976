import { expect, test } from 'vitest';
import { describe, describeSide } from '../../../modules/policy/describe.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { Packet, Rule } from '../../../modules/policy/model.ts';
import { defaultProfile, standInId } from '../../../modules/policy/network.ts';

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
