/** Rules that never decide are found, all of them and no others: what is left for a rule is sent, and the rule decides it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leftFor, uselessRules, type Box } from '../../../modules/policy/cover.ts';
import { compileState, evaluate } from '../../../modules/policy/evaluate.ts';
import { felix, plainFelix } from '../../../modules/policy/felix.ts';
import type { AnyPacket, PolicyState, Profile, Rule } from '../../../modules/policy/model.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { profileFault } from '../../../modules/policy/valid.ts';
import { knownTo, mapProfiles, rule as anyRule, wholeWorld } from './arbitrary.ts';

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.what);
  return parsed.value;
}

/** By index of a rule that never decides: the indexes of those to blame. */
function useless(...rules: readonly (Rule | string)[]) {
  const list = rules.map((one) => (typeof one === 'string' ? rule(one) : one));
  return uselessRules(list, plainFelix).map(({ index, because, same }) => [index, because, same]);
}

describe('one rule covers another', () => {
  test.each([
    ['allow', 'deny udp from ports 53'],
    ['allow tcp', 'allow tcp to ports 80'],
    ['allow tcp to ports 1:100,101:200', 'allow tcp to ports 50:150'],
    ['allow tcp to ports 0:65535', 'allow tcp'],
    ['allow from cidr 10.0.0.0/8', 'allow from tag a cidr 10.0.0.0/8'],
    ['allow icmp', 'allow icmp type 8 code 0'],
    ['allow icmp type 8', 'allow icmp type 8 code 0'],
  ])('%s / %s', (a, b) => {
    expect(useless(a, b)).toMatchObject([[1, [0], rule(a).action === rule(b).action]]);
  });

  test.each([
    ['allow tcp', 'allow'],
    ['allow tcp to ports 80', 'allow tcp'],
    ['allow tcp to ports 80', 'allow tcp from ports 80'],
    ['allow from tag a', 'allow from tag b'],
    ['allow from tag a', 'allow to tag a'],
    ['allow from cidr 10.0.0.0/8', 'allow from tag a'],
    ['allow from cidr 10.1.0.0/16', 'allow from cidr 10.0.0.0/8'],
    ['allow icmp type 8 code 0', 'allow icmp type 8'],
    ['allow icmp type 8', 'allow icmp'],
    ['allow tcp', 'allow udp'],
    // What is left is IPv6.
    ['allow from cidr 0.0.0.0/0', 'allow tcp'],
  ])('and not: %s / %s', (a, b) => {
    expect(useless(a, b)).toEqual([]);
  });
});

describe('several rules cover one together', () => {
  const not = (from: NonNullable<Rule['from']['not']>, more: Partial<Rule> = {}): Rule => {
    return { action: 'deny', from: { not: from }, to: {}, ...more };
  };

  test('ports, part by part; what is not needed is not blamed', () => {
    const parts = ['allow tcp to ports 1:100', 'allow udp to ports 50', 'allow tcp to ports 101:200'];
    expect(useless(...parts, 'allow tcp to ports 50:150')).toEqual([[3, [0, 2], true]]);
    expect(useless(...parts, 'deny tcp to ports 50:150')).toEqual([[3, [0, 2], false]]);
    expect(useless(...parts, 'allow tcp to ports 50:201')).toEqual([]);
  });

  test('halves of a network', () => {
    expect(useless('allow from cidr 10.0.0.0/9', 'deny from cidr 10.128.0.0/9', 'allow from cidr 10.0.0.0/8')).toEqual([
      [2, [0, 1], false],
    ]);
  });

  test('who has a tag, and who has not', () => {
    expect(useless('allow from tag a', not({ tag: 'a' }), 'allow')).toEqual([[2, [0, 1], false]]);
    expect(useless('allow from tag a', not({ tag: 'b' }), 'allow')).toEqual([]);
    const selector = 'role == "db"';
    const selected: Rule = { action: 'deny', from: { selector }, to: {} };
    expect(useless(selected, not({ selector }), 'deny')).toEqual([[2, [0, 1], true]]);
  });

  test('both IP versions, each by a rule of its own', () => {
    const [four, six] = ['0.0.0.0/0', '::/0'].map((cidr): Rule => ({ action: 'allow', from: { cidr }, to: {} }));
    expect(useless(four!, six!, 'allow tcp')).toEqual([[2, [0, 1], true]]);
  });

  test('a log decides nothing', () => {
    expect(useless({ action: 'log', from: {}, to: {} }, 'allow')).toEqual([]);
  });
});

describe('a rule that contradicts itself matches nothing', () => {
  const rules: Record<string, Rule> = {
    'a tag and not the tag': { action: 'allow', from: { tag: 'a', not: { tag: 'a' } }, to: {} },
    'a selector and not the selector': {
      action: 'allow',
      from: {},
      to: { selector: 'has(a)', not: { selector: 'has(a)' } },
    },
    'a network within one that is excluded': {
      action: 'allow',
      from: { cidr: '10.1.0.0/16', not: { cidr: '10.0.0.0/8' } },
      to: {},
    },
    'ports that are all excluded': {
      action: 'allow',
      protocol: 'tcp',
      from: {},
      to: { ports: [{ from: 80, to: 81 }], not: { ports: [{ from: 1, to: 100 }] } },
    },
    'a protocol and not the protocol, by its number': {
      action: 'allow',
      protocol: 'tcp',
      from: {},
      to: {},
      not: { protocol: 6 },
    },
    'an ICMP type of which every code is excluded': {
      action: 'allow',
      protocol: 'icmp',
      icmp: { type: 8, code: 0 },
      from: {},
      to: {},
      not: { icmp: { type: 8 } },
    },
    'networks of two IP versions': { action: 'allow', from: { cidr: '10.0.0.0/8' }, to: { cidr: 'fd00::/8' } },
  };

  test.each(Object.entries(rules))('%s', (_, one) => {
    expect(useless(one)).toEqual([[0, [], true]]);
  });

  test('and not where something is left', () => {
    const some: Rule = { action: 'allow', from: { cidr: '10.0.0.0/8', not: { cidr: '10.1.0.0/16' } }, to: {} };
    expect(useless(some, { ...some, from: { tag: 'a', not: { tag: 'b' } } })).toEqual([]);
  });
});

test('a Felix that makes a drop of a rule hides all that follows it', () => {
  const rules: Rule[] = [
    { action: 'allow', protocol: 'sctp', from: {}, to: { ports: [{ from: 99, to: 99 }] } },
    { action: 'allow', from: {}, to: {} },
  ];
  expect(uselessRules(rules, felix('1.4.0')!)).toEqual([{ index: 1, because: [0], same: false }]);
});

/** Somebody's packet out of the box, to an endpoint with the rules, and whoever has to carry tags carries them. */
function sent({ lines, names }: Box, rules: readonly Rule[]) {
  const number = (index: number, last = false) => {
    const line = lines[index]!;
    return Number(last ? line.at(-1)!.to : line[0]!.from);
  };
  const dotted = (one: number) => [24, 16, 8, 0].map((shift) => (one >>> shift) & 255).join('.');
  const [from, to] = [dotted(number(4)), dotted(number(5, true))];
  const protocol = [6, 17, 1].find((one) => lines[0]!.some((span) => span.from <= one && one <= span.to));
  const ports = { sourcePort: number(2), port: number(3) };
  const packet: AnyPacket =
    protocol === 6 || protocol === 17
      ? { protocol: protocol === 6 ? 'tcp' : 'udp', ...ports }
      : protocol === 1
        ? { protocol: 'icmp', type: number(1) >> 8, code: number(1) & 255 }
        : { protocol: 47 };
  const tags = (side: string) =>
    [...names].flatMap(([name, holds]) =>
      holds && name.startsWith(`${side} tag `) ? [name.slice(side.length + 5)] : [],
    );
  const profile = (name: string, carried: readonly string[], inbound: readonly Rule[]): Profile => {
    return { name, tags: carried, inbound, outbound: [] };
  };
  const profiles = [profile('source', tags('from'), []), profile('target', tags('to'), rules)];
  const state: PolicyState = {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: [
      { id: 'source', address: from, profiles: ['source'] },
      { id: 'target', address: to, profiles: ['target'] },
    ],
  };
  return { state, from, to, packet };
}

test('what is left for a rule is decided by it', () => {
  let [left, none] = [0, 0];
  fc.assert(
    fc.property(fc.array(anyRule, { minLength: 2, maxLength: 5, size: 'max' }), (rules) => {
      const last = rules.at(-1)!;
      const box = leftFor(last, rules.slice(0, -1), 4, plainFelix);
      if (box === undefined) none++;
      else {
        const { state, from, to, packet } = sent(box, rules);
        if (from === to) return;
        left++;
        expect(evaluate(state, from, to, packet).inbound.because).toMatchObject({
          kind: 'rule',
          position: rules.length,
        });
      }
    }),
    { numRuns: 4000 },
  );
  expect([left > 1000, none > 200]).toEqual([true, true]);
});

test.each(['plain', '1.3.0', '1.4.0', '2.6.8'])('to take useless rules out changes no verdict: Felix %s', (version) => {
  const one = felix(version)!;
  let taken = 0;
  fc.assert(
    fc.property(wholeWorld, ({ state: any, asks }) => {
      const state = knownTo(one, any);
      const used = (rules: readonly Rule[], inProfile: boolean): Rule[] => {
        const no = new Set(uselessRules(rules, one).map(({ index }) => index));
        // The mark of another rule makes even a next-tier that matches nothing end its profile.
        const kept = rules.filter((rule, index) => !no.has(index) || (inProfile && rule.action === 'next-tier'));
        taken += rules.length - kept.length;
        return kept;
      };
      const less = mapProfiles(state, (profile) =>
        profileFault(profile, one) === undefined
          ? { ...profile, inbound: used(profile.inbound, true), outbound: used(profile.outbound, true) }
          : profile,
      );
      const [before, after] = [compileState(state, one), compileState(less, one)];
      for (const { from, to, packet } of asks)
        expect(after.allows(from, to, packet)).toBe(before.allows(from, to, packet));
    }),
    { numRuns: 300 },
  );
  expect(taken).toBeGreaterThan(50);
});
