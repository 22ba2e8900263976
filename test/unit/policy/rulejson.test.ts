import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRules } from '../../../modules/policy/live.ts';
import { readRuleJson } from '../../../modules/policy/syntax/rulejson.ts';
import { rules } from './arbitrary.ts';

function problems(text: string): readonly string[] {
  const result = readRuleJson(text, 'rules.json');
  if (result.ok) return [];
  return result.problems.map(({ code, at }) =>
    `${code} ${at?.line ?? 0}:${at?.column ?? 0} ${at?.path ?? ''}`.trimEnd(),
  );
}

const around = (rule: string) =>
  `{\n  "id": "web",\n  "inbound_rules": [\n    ${rule}\n  ],\n  "outbound_rules": []\n}`;

test('what calicoctl prints', () => {
  const text = around('{"action": "allow", "protocol": "tcp", "src_tag": "client", "dst_ports": [80, "8000:8080"]}');
  expect(readRuleJson(text, 'rules.json')).toEqual({
    ok: true,
    value: [
      {
        kind: 'rules',
        profile: 'web',
        at: { file: 'rules.json', line: 1, column: 1, path: '' },
        inbound: [
          {
            action: 'allow',
            protocol: 'tcp',
            from: { tag: 'client' },
            to: {
              ports: [
                { from: 80, to: 80 },
                { from: 8000, to: 8080 },
              ],
            },
          },
        ],
        outbound: [],
      },
    ],
  });
});

test.each(['node', '__proto__', 'a.rules', 'rules', '0'])('a profile called %s', (name) => {
  const text = JSON.stringify({ id: name, inbound_rules: [{ action: 'allow' }], outbound_rules: [] });
  expect(readRuleJson(text, 'rules.json')).toMatchObject({ ok: true, value: [{ kind: 'rules', profile: name }] });
});

test('all that is written is read', () => {
  fc.assert(
    fc.property(rules, rules, (inbound, outbound) => {
      const text = formatRules({ name: 'web', tags: [], inbound, outbound });
      expect(readRuleJson(text, 'rules.json')).toMatchObject({
        ok: true,
        value: [{ profile: 'web', inbound, outbound }],
      });
    }),
    { numRuns: 500 },
  );
});

describe('rules that are refused', () => {
  test.each([
    ['nothing', '', ['bad-json 1:1']],
    ['a comma too many', '{"id": "web",\n}', ['bad-json 2:1']],
    ['a comma too few', '{"id": "web"\n "inbound_rules": []}', ['bad-json 2:2']],
    ['YAML', 'id: web\ninbound_rules: []\noutbound_rules: []\n', ['bad-json 1:1']],
    ['a list', '[]', ['not-an-object 1:1']],
    ['null', 'null', ['not-an-object 1:1']],
    ['no id', '{"inbound_rules": [], "outbound_rules": []}', ['missing-key 1:1']],
    ['an id that is a number', '{"id": 7, "inbound_rules": [], "outbound_rules": []}', ['wrong-type 1:2 id']],
    ['an id that is no name', '{"id": "a b", "inbound_rules": [], "outbound_rules": []}', ['bad-name 1:2 id']],
    ['an empty id', '{"id": "", "inbound_rules": [], "outbound_rules": []}', ['bad-name 1:2 id']],
    ['one list only', '{"id": "web",\n "inbound_rules": []}', ['not-a-list 1:1 outbound_rules']],
    [
      'a list that is an object',
      '{"id": "web",\n "inbound_rules": {}, "outbound_rules": []}',
      ['not-a-list 2:2 inbound_rules'],
    ],
    [
      'an unknown key',
      '{"id": "web", "tags": [], "inbound_rules": [], "outbound_rules": []}',
      ['unknown-key 1:15 tags'],
    ],
    ['a key twice', '{"id": "web",\n "id": "db", "inbound_rules": [], "outbound_rules": []}', ['duplicate-key 2:2']],
    ['a rule that is a line', around('"allow"'), ['not-an-object 4:5 inbound_rules[0]']],
    ['no action', around('{"src_tag": "a"}'), ['unknown-action 4:5 inbound_rules[0]']],
    ['an action that libcalico refuses', around('{"action": "log"}'), ['unknown-action 4:5 inbound_rules[0]']],
    [
      'a key that libcalico refuses',
      around('{"action": "allow", "ip_version": 4}'),
      ['not-for-calicoctl 4:25 inbound_rules[0].ip_version'],
    ],
    [
      'a selector',
      around('{"action": "allow", "src_selector": "all()"}'),
      ['not-for-calicoctl 4:25 inbound_rules[0].src_selector'],
    ],
    [
      'a negation',
      around('{"action": "allow", "!src_tag": "a"}'),
      ['not-for-calicoctl 4:25 inbound_rules[0].!src_tag'],
    ],
    ['a bad network', around('{"action": "allow", "src_net": "10.0.0.0/33"}'), ['bad-cidr 4:5 inbound_rules[0]']],
    [
      'ports without a protocol',
      around('{"action": "allow", "dst_ports": [80]}'),
      ['ports-need-protocol 4:5 inbound_rules[0]'],
    ],
    [
      'a port as a text',
      around('{"action": "allow", "protocol": "tcp", "dst_ports": ["80"]}'),
      ['not-for-calicoctl 4:44 inbound_rules[0].dst_ports'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('brackets in brackets without end are refused, not a crash', () => {
    for (const depth of [100, 5_000, 100_000]) {
      const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      expect(problems(`{"id": "web", "inbound_rules": ${deep}, "outbound_rules": []}`).length).toBeGreaterThan(0);
    }
  });
});

test('any JSON is read or refused, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((rule) => around(rule)),
      ),
      (text) => {
        const result = readRuleJson(text, 'rules.json');
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const { at } of result.problems) expect(at?.line).toBeGreaterThan(0);
      },
    ),
    { numRuns: 1000 },
  );
});
