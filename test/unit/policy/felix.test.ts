import { describe, expect, test } from 'vitest';
import {
  felix,
  felixOf,
  felixVersions,
  plainFelix,
  quirks,
  without,
  type Quirk,
} from '../../../modules/policy/felix.ts';
import type { Profile, Rule } from '../../../modules/policy/model.ts';
import { render } from '../../../modules/policy/render.ts';
import { profileFault } from '../../../modules/policy/valid.ts';
import { channels } from '../../../modules/release/channels.ts';

const names = Object.keys(quirks) as Quirk[];
const anybody: Rule = { action: 'allow', from: {}, to: {} };

function fault(rule: Rule, version: string): string | undefined {
  const profile: Profile = { name: 'a', tags: [], inbound: [rule], outbound: [] };
  return profileFault(profile, felix(version));
}

describe('versions', () => {
  test.each([
    ['v0.17.0', '1.3.0'],
    ['v0.18.0', '1.4.0b1'],
    [channels.classic.calico, '1.4.0b1'],
    ['v0.20.0', '1.4.0b2'],
    ['v0.21.0', '1.4.1b1'],
    ['v0.22.0', '1.4.1b2'],
    ['v0.23.0', '1.4.4'],
    ['v1.0.0', '2.0.0'],
    ['v2.3.0', '2.0.0'],
    [channels.current.calico, '2.6.8'],
  ])('Calico %s has Felix %s', (calico, version) => {
    expect(felixOf({ calico }).version).toBe(version);
  });

  test('a version that is not known is none', () => {
    expect([felix('1.2.0'), felix(''), felix('plain')]).toEqual([undefined, undefined, plainFelix]);
  });

  test('every quirk is some version’s, and none is everybody’s that the model does not have', () => {
    for (const name of names) {
      const having = felixVersions.filter((version) => felix(version)?.quirks.has(name));
      expect(having, name).not.toEqual([]);
      if (having.length === felixVersions.length) expect(['text-protocol-numbers'], name).toContain(name);
    }
  });

  test('cases 5 to 8, 10 to 14, 16, 17, 19, 20, 28, 30 and 34 are quirks', () => {
    const cases = [...new Set(names.flatMap((name): readonly number[] => quirks[name].cases))].sort((a, b) => a - b);
    expect(cases).toEqual([5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19, 20, 28, 30, 34]);
  });

  test('a Felix can be asked without one of its quirks', () => {
    const one = felix('1.3.0')!;
    const cured = without(one, 'established-returns');
    expect([...one.quirks].filter((name) => !cured.quirks.has(name))).toEqual(['established-returns']);
  });
});

describe('what a Felix takes', () => {
  const selected: Rule = { ...anybody, from: { selector: 'all()' } };
  const negated: Rule = { ...anybody, to: { not: { cidr: '10.0.0.0/8' } } };
  const six: Rule = { ...anybody, ipVersion: 6, from: { cidr: '10.0.0.0/8' } };

  test.each([
    ['selectors', selected, '1.3.0', '1.4.0b1'],
    ['next-tier', { ...anybody, action: 'next-tier' } as const, '1.3.0', '1.4.0b1'],
    ['negation', negated, '1.4.0b1', '1.4.0b2'],
    ['negated protocols', { ...anybody, not: { protocol: 'tcp' } } as const, '1.4.0b1', '1.4.0b2'],
    ['log', { ...anybody, action: 'log' } as const, '1.4.0b2', '1.4.0'],
  ])('%s came later', (_, rule, last, first) => {
    expect(fault(rule, last)).toContain(`Felix ${last} has no`);
    expect(fault(rule, first)).toBeUndefined();
    expect(fault(rule, '2.6.8')).toBeUndefined();
  });

  test.each([
    ['a selector that is none', { ...anybody, from: { selector: 'role =' } }, '"role =" is no selector'],
    ['a negated tag that is none', { ...anybody, to: { not: { tag: 'a b' } } }, '"a b" cannot be a tag'],
    ['negated ports without a protocol', { ...anybody, to: { not: { ports: [{ from: 1, to: 1 }] } } }, 'ports need'],
    ['protocol 0', { ...anybody, protocol: 0 }, 'there is no protocol "0"'],
    ['protocol 256, negated', { ...anybody, not: { protocol: 256 } }, 'there is no protocol "256"'],
    ['an IPv6 network that is none', { ...anybody, to: { cidr: 'fd00::/129' } }, '"fd00::/129" is no IPv6 network'],
    ['an IPv4 network that is none', { ...anybody, to: { cidr: '10.0.0.0/33' } }, '"10.0.0.0/33" is no IPv4 network'],
    ['ICMP code 256', { ...anybody, protocol: 'icmpv6', icmp: { type: 1, code: 256 } }, 'there is no ICMP code 256'],
  ] as const)('%s is nobody’s', (_, rule, words) => {
    for (const version of ['plain', '1.4.0', '2.6.8']) expect(fault(rule, version), version).toContain(words);
  });

  test('an IPv4 network in a rule for IPv6 is an error, and for Go only useless', () => {
    expect(fault(six, '1.4.0')).toContain('10.0.0.0/8 is no IPv6 network');
    expect(fault({ ...anybody, ipVersion: 4, protocol: 'icmpv6' }, 'plain')).toContain('icmpv6 is not for IPv4');
    const go = felix('2.6.8')!;
    expect([fault(six, '2.6.8'), render(six, 4, go), render(six, 6, go)]).toEqual([undefined, undefined, undefined]);
  });

  test('an ICMP type for another protocol vanishes in Python’s IPv4 chain', () => {
    const stray: Rule = { ...anybody, protocol: 'tcp', icmp: { type: 8 } };
    expect(fault(stray, '2.6.8')).toContain('an ICMP type needs the protocol icmp');
    expect(render(stray, 4, felix('1.4.0')!)).toEqual({
      rule: { ...anybody, protocol: 'tcp' },
      quirk: 'stray-icmp-type-vanishes',
    });
    expect(render(stray, 6, felix('1.4.0')!)?.quirk).toBe('icmp-type-drops-ipv6');
  });
});
