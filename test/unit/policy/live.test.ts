import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRules, readProfiles } from '../../../modules/policy/live.ts';
import type { Profile } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { rules } from './arbitrary.ts';

const read = (json: unknown) => readProfiles(JSON.stringify(json), 'live.json');
const stored = ({ name, tags, ...rest }: Profile) => [
  name,
  { tags, rules: JSON.parse(formatRules({ name, tags, ...rest })) as unknown },
];

/** The problems of one inbound rule: path below the rule, code. */
function problems(rule: unknown): readonly string[] {
  const result = read({ a: { tags: [], rules: { inbound_rules: [rule], outbound_rules: [] } } });
  if (result.ok) return [];
  return result.problems.map(({ at, code }) => `${at?.path?.replace('a.rules.inbound_rules[0]', '')} ${code}`);
}

describe('reading', () => {
  test('what calicoctl writes', () => {
    const text = `{
      "client": {
        "tags": ["client", "web"],
        "rules": {
          "id": "client",
          "inbound_rules": [
            {"action": "allow", "protocol": "tcp", "src_tag": "web", "dst_ports": [80, "8000:8080"]},
            {"action": "deny", "protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "src_net": "10.0.0.0/8"}
          ],
          "outbound_rules": [{"action": "allow"}]
        },
        "labels": {}
      }
    }`;
    expect(readProfiles(text, 'live.json')).toEqual({
      ok: true,
      value: [
        {
          name: 'client',
          tags: ['client', 'web'],
          inbound: [
            {
              action: 'allow',
              protocol: 'tcp',
              from: { tag: 'web' },
              to: {
                ports: [
                  { from: 80, to: 80 },
                  { from: 8000, to: 8080 },
                ],
              },
            },
            { action: 'deny', protocol: 'icmp', icmp: { type: 8, code: 0 }, from: { cidr: '10.0.0.0/8' }, to: {} },
          ],
          outbound: [{ action: 'allow', from: {}, to: {} }],
        },
      ],
    });
  });

  test('a network with host bits is the same network for calicoctl', () => {
    expect(problems({ action: 'allow', src_net: '10.1.2.3/8' })).toEqual([]);
  });

  test.each([
    [{ action: 'allow', src_selector: 'a == "b"' }, '.src_selector not-for-calicoctl'],
    [{ action: 'allow', '!src_tag': 'b' }, '.!src_tag not-for-calicoctl'],
    [{ action: 'allow', ip_version: 4 }, '.ip_version not-for-calicoctl'],
    [{ action: 'deny', log_prefix: 'x' }, '.log_prefix not-for-calicoctl'],
    [{ action: 'next-tier' }, ' unknown-action'],
    [{ src_tag: 'b' }, ' unknown-action'],
    [{ action: 'allow', protocol: 'sctp' }, ' unknown-protocol'],
    [{ action: 'allow', protocol: null }, ' unknown-protocol'],
    [{ action: 'allow', src_tag: 'a to tag b' }, ' bad-name'],
    [{ action: 'allow', protocol: 'tcp', dst_ports: ['80'] }, '.dst_ports not-for-calicoctl'],
    [{ action: 'allow', protocol: 'tcp', dst_ports: ['80:80'] }, '.dst_ports not-for-calicoctl'],
    [{ action: 'allow', protocol: 'tcp', dst_ports: [] }, ' bad-ports'],
    [{ action: 'allow', protocol: 'icmp', icmp_type: '8' }, '.icmp_type not-for-calicoctl'],
    [{ action: 'allow', protocol: 'icmp', icmp_code: 0 }, ' code-needs-type'],
    [{ action: 'allow', dst_ports: [80] }, ' ports-need-protocol'],
    ['allow', ' not-an-object'],
  ])('%j', (rule, problem) => {
    expect(problems(rule)).toEqual([problem]);
  });

  test.each([
    ['{', ' bad-json'],
    ['null', ' not-an-object'],
    ['{"a": {"tags": ["a"]}}', 'a.rules not-an-object'],
    ['{"-a": {"tags": [], "rules": {"inbound_rules": [], "outbound_rules": []}}}', '-a bad-name'],
    ['{"a": {"tags": [7], "rules": {"inbound_rules": [], "outbound_rules": []}}}', 'a.tags[0] bad-name'],
    ['{"a": {"tags": "a", "rules": {"inbound_rules": [], "outbound_rules": []}}}', 'a.tags not-a-list'],
    ['{"a": {"tags": [], "rules": {"inbound_rules": []}}}', 'a.rules.outbound_rules not-a-list'],
    [
      '{"a": {"tags": [], "rules": {"id": "b", "inbound_rules": [], "outbound_rules": []}}}',
      'a.rules.id other-profile',
    ],
    ['{"a": {"tags": [], "rules": {"in": [], "inbound_rules": [], "outbound_rules": []}}}', 'a.rules.in unknown-key'],
    [
      '{"a": {"tags": [], "labels": {"k": "v"}, "rules": {"inbound_rules": [], "outbound_rules": []}}}',
      'a.labels not-for-calicoctl',
    ],
  ])('%s', (text, problem) => {
    const result = readProfiles(text, 'live.json');
    const found = result.ok ? [] : result.problems.map(({ at, code }) => `${at?.path} ${code}`);
    expect(found[0]).toBe(problem);
  });
});

test('every rule of the grammar is written and read back', () => {
  fc.assert(
    fc.property(rules, rules, (inbound, outbound) => {
      const one = { ...defaultProfile('a'), inbound, outbound };
      expect(read(Object.fromEntries([stored(one)]))).toEqual({ ok: true, value: [one] });
    }),
    { numRuns: 1000 },
  );
});

test('any JSON is read or refused, and nothing else happens', () => {
  const key = fc.constantFrom(
    'a',
    'tags',
    'rules',
    'labels',
    'inbound_rules',
    'outbound_rules',
    'action',
    'src_ports',
    'x',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 0, 80, 'allow', 'tcp', 'a', true, '1:2'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    ),
  }));
  const rule = fc.dictionary(
    fc.constantFrom('action', 'protocol', 'src_ports', 'dst_tag', 'src_net', 'icmp_type'),
    tree,
  );
  const around = (one: unknown) => ({ a: { tags: [], rules: { inbound_rules: [one], outbound_rules: [] } } });
  fc.assert(
    fc.property(fc.oneof(tree, rule.map(around)), (json) => {
      const result = read(json);
      if (result.ok) expect(read(Object.fromEntries(result.value.map(stored)))).toEqual(result);
      else expect(result.problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});
