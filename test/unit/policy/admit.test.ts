import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admission as admissionOf, admissionText } from '../../../modules/policy/admit.ts';
import { parseCommand } from '../../../modules/policy/syntax/command.ts';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { felix } from '../../../modules/policy/felix.ts';
import type { PolicyState, Profile } from '../../../modules/policy/model.ts';
import { world } from './arbitrary.ts';

const profile = (name: string, more: Partial<Profile> = {}): Profile => ({
  name,
  tags: [name],
  inbound: [],
  outbound: [{ action: 'allow', from: {}, to: {} }],
  ...more,
});
function cluster(...profiles: Profile[]): PolicyState {
  return {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: profiles.map(({ name }, index) => ({ id: name, address: `10.0.0.${index}`, profiles: [name] })),
  };
}

/** With the commands that are typed. */
function admission(...words: Parameters<typeof admissionOf>) {
  const found = admissionOf(...words);
  return typeof found === 'string' ? found : { ...found, commands: admissionText(found, true) };
}
const http = { protocol: 'tcp', sourcePort: 40000, port: 80 } as const;

test('a rule at the end where none matches, with the tag of the source and the one port', () => {
  expect(admission(cluster(profile('client'), profile('web')), 'client', 'web', http)).toMatchObject({
    commands: ['calicoctl profile web rule add inbound allow tcp from tag client to ports 80'],
  });
});

test('before the rule that denies, on each side that denies', () => {
  const deny = [{ action: 'deny', from: {}, to: {} }] as const;
  const closed = cluster(profile('client', { outbound: deny }), profile('web', { inbound: deny }));
  expect(admission(closed, 'client', 'web', http)).toMatchObject({
    commands: [
      'calicoctl profile client rule add outbound --at=1 allow tcp to ports 80 tag web',
      'calicoctl profile web rule add inbound --at=1 allow tcp from tag client to ports 80',
    ],
  });
});

test('outside by its address', () => {
  expect(admission(cluster(profile('web')), '203.0.113.7', 'web', http)).toMatchObject({
    commands: ['calicoctl profile web rule add inbound allow tcp from cidr 203.0.113.7/32 to ports 80'],
  });
});

test('a host by its address, where it is asked for by its name', () => {
  const state = { ...cluster(profile('web')), hosts: [{ name: 'h1', addresses: ['fd01::1', '10.1.0.1'] }] };
  expect(admission(state, 'h1', 'web', http)).toMatchObject({
    commands: ['calicoctl profile web rule add inbound allow tcp from cidr 10.1.0.1/32 to ports 80'],
  });
});

test('a source that is masqueraded on its way by the address of its host', () => {
  const { profiles, endpoints } = cluster(profile('client'), profile('web'));
  const state = (host: string): PolicyState => ({
    profiles,
    endpoints: endpoints.map((one) => ({ ...one, host: one.id === 'web' ? host : 'h1' })),
    hosts: [{ name: 'h1', addresses: ['10.1.0.1'] }],
    pools: [{ cidr: '10.0.0.0/32', masquerade: true }],
  });
  const rule = 'calicoctl profile web rule add inbound allow tcp from';
  expect(admission(state('h2'), 'client', 'web', http)).toMatchObject({
    commands: [`${rule} cidr 10.1.0.1/32 to ports 80`],
  });
  expect(admission(state('h1'), 'client', 'web', http)).toMatchObject({ commands: [`${rule} tag client to ports 80`] });
});

test('a reason where what Felix makes of the rules is in the way', () => {
  const zero = { action: 'allow', protocol: 'tcp', from: {}, to: { ports: [{ from: 0, to: 79 }] } } as const;
  const state = cluster(profile('client'), profile('web', { inbound: [zero] }));
  expect(admission(state, 'client', 'web', http)).toMatchObject({ commands: [expect.any(String)] });
  expect(admission(state, 'client', 'web', http, felix('2.6.8'))).toMatch(/missing or invalid/);
});

test('nothing where it passes already', () => {
  const open = profile('web', { inbound: [{ action: 'allow', from: {}, to: {} }] });
  expect(admission(cluster(profile('client'), open), 'client', 'web', http)).toMatchObject({ commands: [] });
});

test('a reason where no rule can do it', () => {
  const { profiles, endpoints } = cluster(profile('client'), profile('web'));
  const bare = { profiles, endpoints: endpoints.map((one) => (one.id === 'web' ? { ...one, profiles: [] } : one)) };
  expect(admission(bare, 'client', 'web', http)).toMatch(/put it on a network/);
  const gone = { profiles: new Map([['client', profiles.get('client')!]]), endpoints };
  expect(admission(gone, 'client', 'web', http)).toMatch(/missing or invalid/);
});

test('what it says admits the flow, in any state, by commands that calicoctl reads, and closes nothing', () => {
  let admitted = 0;
  fc.assert(
    fc.property(world, ({ state, asks }) => {
      for (const { from, to, packet } of asks) {
        const answer = admission(state, from, to, packet);
        if (typeof answer === 'string') continue;
        for (const line of answer.commands) expect(parseCommand(line).ok).toBe(true);
        const [before, after] = [compileState(state), compileState(answer.state)];
        expect(after.allows(from, to, packet)).toBe(true);
        if (answer.commands.length > 0) admitted++;
        const closed = asks.filter(
          (other) =>
            before.allows(other.from, other.to, other.packet) && !after.allows(other.from, other.to, other.packet),
        );
        expect(closed).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
  expect(admitted).toBeGreaterThan(100);
});

test('in a policy of a tier, before the rule that denies or at the end of the last that was asked', () => {
  const deny = { action: 'deny', from: {}, to: {} } as const;
  const policy = (name: string, more: object) => ({ name, selector: 'all()', inbound: [], outbound: [], ...more });
  const outbound = [{ action: 'next-tier', from: {}, to: {} }] as const;
  const tiers = [
    { name: 't', order: 1, policies: [policy('a', { outbound }), policy('b', { inbound: [deny] })] },
    { name: 'u', order: 2, policies: [policy('c', { outbound })] },
  ];
  const open = profile('web', { inbound: [{ action: 'allow', from: {}, to: {} }] });
  const state: PolicyState = { ...cluster(profile('client'), open), tiers };
  expect(admission(state, 'client', 'web', http)).toMatchObject({
    commands: ['in the policy b of t, inbound, before rule 1: allow tcp from tag client to ports 80'],
  });
  const first = { ...state, tiers: [tiers[1]!] };
  expect(admission(first, 'client', 'web', http)).toMatchObject({
    commands: ['in the policy c of u, inbound, at the end: allow tcp from tag client to ports 80'],
  });
});

test('in words where calicoctl has no command for profiles', () => {
  const found = admissionOf(cluster(profile('client'), profile('web')), 'client', 'web', http);
  expect(typeof found === 'string' ? [] : admissionText(found, false)).toEqual([
    'in the profile web, inbound, at the end: allow tcp from tag client to ports 80',
  ]);
});
