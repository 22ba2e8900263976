import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { lint } from '../../../modules/policy/lint.ts';
import type { Endpoint, PolicyState, Profile, Rule } from '../../../modules/policy/model.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { world } from './arbitrary.ts';

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.what);
  return parsed.value;
}

function found(profiles: Record<string, readonly string[]>, endpoints: readonly string[] = Object.keys(profiles)) {
  const all = Object.entries(profiles).map(([name, rules]): Profile => {
    return { name, tags: [name], inbound: rules.map(rule), outbound: [] };
  });
  const having = endpoints.map((name, index): Endpoint => {
    return { id: `task-${index}`, address: `10.0.0.${index}`, profiles: [name] };
  });
  return lint({ profiles: new Map(all.map((one) => [one.name, one])), endpoints: having });
}

test('a policy that has nothing useless in it is not spoken of', () => {
  expect(found({ web: ['allow tcp from tag client to ports 80', 'deny'], client: ['allow from tag web'] })).toEqual([]);
});

test('a rule behind one that matches all of it, with the other answer, is shadowed', () => {
  expect(found({ web: ['deny tcp to ports 1:100', 'allow tcp from tag web to ports 80'] })).toMatchObject([
    {
      code: 'shadowed-rule',
      what: expect.stringMatching(
        /^web inbound rule 2 \(allow .*\) never decides: web inbound rule 1 \(deny /,
      ) as string,
    },
  ]);
});

test('with the same answer it is redundant', () => {
  expect(found({ web: ['allow from cidr 10.0.0.0/8', 'allow icmp type 8 from cidr 10.1.0.0/16'] })).toMatchObject([
    { code: 'redundant-rule' },
  ]);
});

test('a tag that no profile has matches nobody', () => {
  expect(found({ web: ['allow from tag clinet'] })).toMatchObject([{ code: 'unknown-tag' }]);
});

test('a profile that no endpoint has, and one that an endpoint has and nobody made', () => {
  expect(found({ web: [], db: [] }, ['web', 'cache', 'cache'])).toMatchObject([
    { code: 'unused-profile', what: 'No endpoint has the profile db.' },
    { code: 'missing-profile', what: 'The profile cache of task-1 and 1 more does not exist.' },
  ]);
});

test('an invalid profile is told once, with what is wrong in it, and nothing else of it', () => {
  const bad: Profile = {
    name: 'web',
    tags: ['web'],
    inbound: [rule('allow'), { action: 'allow', from: {}, to: { ports: [{ from: 80, to: 80 }] } }],
    outbound: [],
  };
  const state: PolicyState = {
    profiles: new Map([['web', bad]]),
    endpoints: [{ id: 'task', address: '10.0.0.1', profiles: ['web'] }],
  };
  expect(lint(state)).toMatchObject([{ code: 'invalid-profile' }]);
});

test('several rules that cover one together are all named', () => {
  expect(
    found({ web: ['allow tcp to ports 1:9', 'allow udp', 'deny tcp to ports 10:20', 'allow tcp to ports 5:15'] }),
  ).toMatchObject([
    {
      code: 'shadowed-rule',
      what: 'web inbound rule 4 (allow tcp to ports 5:15) never decides: web inbound rules 1, 3 stand before it and together match all that it matches.',
    },
  ]);
});

test('a rule that contradicts itself matches nothing', () => {
  const none: Rule = { action: 'allow', from: { tag: 'web', not: { tag: 'web' } }, to: {} };
  const web: Profile = { name: 'web', tags: ['web'], inbound: [none], outbound: [] };
  const endpoints: Endpoint[] = [{ id: 'task', address: '10.0.0.1', profiles: ['web'] }];
  expect(lint({ profiles: new Map([['web', web]]), endpoints })).toMatchObject([{ code: 'rule-matches-nothing' }]);
});

test('a tag that no profile has, excluded, excludes nobody', () => {
  const odd: Rule = { action: 'allow', from: { not: { tag: 'clinet' } }, to: {} };
  const web: Profile = { name: 'web', tags: ['web'], inbound: [odd], outbound: [] };
  const endpoints: Endpoint[] = [{ id: 'task', address: '10.0.0.1', profiles: ['web'] }];
  const [first, ...more] = lint({ profiles: new Map([['web', web]]), endpoints });
  expect([first?.code, more]).toEqual(['unknown-tag', []]);
  expect(first?.what).toContain('excludes nobody');
});

test('a next-tier behind a rule that covers it still ends a profile for what carries the mark', () => {
  const passes: Rule = { action: 'next-tier', from: {}, to: {} };
  const web: Profile = {
    name: 'web',
    tags: [],
    inbound: [{ ...rule('allow tcp') }, { ...passes, protocol: 'tcp' }, rule('allow')],
    outbound: [],
  };
  const state: PolicyState = {
    profiles: new Map([['web', web]]),
    endpoints: [{ id: 'task', address: '10.0.0.1', profiles: ['web'] }],
  };
  expect(lint(state)).toEqual([]);
});

test('a rule that is said never to decide never does, in any state', () => {
  let seen = 0;
  fc.assert(
    fc.property(world, ({ state, asks }) => {
      const useless = new Set(
        lint(state).flatMap(({ code, what }) =>
          code === 'shadowed-rule' || code === 'redundant-rule' ? [what.split(' (')[0]!] : [],
        ),
      );
      seen += useless.size;
      const evaluator = compileState(state);
      for (const { from, to, packet } of asks) {
        const { inbound, outbound } = evaluator.decide(from, to, packet);
        for (const { because, direction } of [inbound, outbound])
          if (because.kind === 'rule')
            expect(useless).not.toContain(`${because.profile} ${direction} rule ${because.position}`);
      }
    }),
    { numRuns: 500 },
  );
  expect(seen).toBeGreaterThan(100);
});
