/** What fuzzing has found, each by its name, so that it stays mended. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../../modules/policy/syntax/command.ts';
import { readEtcd } from '../../../../modules/policy/etcd.ts';
import { readProfiles } from '../../../../modules/policy/live.ts';
import { readDocument } from '../../../../modules/policy/syntax/read.ts';
import { parseRule } from '../../../../modules/policy/syntax/rule.ts';
import { parseSelector } from '../../../../modules/policy/selector.ts';
import { readCommands } from '../../../../modules/policy/syntax/commands.ts';
import { splitShell } from '../../../../modules/policy/syntax/words.ts';

const codes = (result: { readonly ok: boolean; readonly problems?: readonly { readonly code: string }[] }) =>
  (result.problems ?? []).map(({ code }) => code);
const deep = (open: string, close: string) => open.repeat(20_000) + close.repeat(20_000);

describe('what is nested without end ends no process and throws nothing', () => {
  test.each([
    ['brackets', `title: ${deep('[', ']')}`],
    ['brackets that stay open', '['.repeat(20_000)],
    ['brackets after as many that close nothing', ']'.repeat(20_000) + '['.repeat(20_000)],
    ['maps', deep('{a: ', '}')],
    ['dashes', '- '.repeat(20_000)],
    ['keys on one line', 'a: '.repeat(20_000)],
    ['indents', Array.from({ length: 300 }, (_, index) => `${' '.repeat(index)}a:\n`).join('')],
    ['rules of calicoctl', `{"id": "a", "inbound_rules": ${deep('[', ']')}, "outbound_rules": []}`],
    ['an answer of etcd', `{"node": ${'{"key": "/", "nodes": ['.repeat(20_000)}${']}'.repeat(20_000)}}`],
  ])('YAML: %s', (_, text) => {
    expect(codes(readDocument(text, 'web.yaml'))).toEqual(['bad-yaml']);
  });

  test('but what anybody writes is not', () => {
    const [open, close] = ['['.repeat(90), ']'.repeat(90)];
    expect(codes(readDocument(`title: t\nexpect: ${open}${close}\n`, 'web.yaml'))).toEqual(['wrong-type']);
    expect(codes(readDocument(`title: ${'"[[" '.repeat(1)}\n# ${'['.repeat(1000)}\n`, 'web.yaml'))).toEqual([]);
  });

  test('JSON of the live state', () => {
    expect(codes(readProfiles(deep('[', ']'), 'live.json'))).toEqual(['too-deep']);
    const nodes = `{"node": ${'{"key": "/", "nodes": ['.repeat(20_000)}${']}'.repeat(20_000)}}`;
    expect(codes(readProfiles(nodes, 'live.json'))).toEqual(['too-deep']);
  });

  test('JSON in etcd', () => {
    const json: unknown = JSON.parse(deep('[', ']'));
    const folder = '/calico/v1/policy/profile/web';
    const { faults } = readEtcd({ [`${folder}/tags`]: json, [`${folder}/rules`]: { inbound_rules: json } });
    expect(faults.map(({ key, effect }) => `${key} ${effect}`)).toEqual([
      `${folder}/tags missing`,
      `${folder}/rules missing`,
    ]);
  });
});

test('aliases of many rules are not read more often than a file may be long', () => {
  const aliases = Array.from({ length: 2000 }, (_, index) => `  a${index}: *a\n`).join('');
  const text = `title: t\nprofiles:\n  a: &a { inbound: [${'allow,'.repeat(2000)}] }\n${aliases}`;
  expect(codes(readDocument(text, 'web.yaml'))).toContain('too-many-aliases');
});

describe('places are inside of the file', () => {
  const places = (text: string) => {
    const read = readDocument(text, 'web.yaml');
    return read.ok ? [] : read.problems.map(({ at }) => `${at?.line}:${at?.column}`);
  };

  test('after a line that is no YAML', () => {
    expect(places('[]\r\r\nt: {').map((place) => place.split(':')[0])).not.toContain('3');
    expect(places('[]\r\r\nt: {')).toContain('2:5');
  });

  test('in a rule on several lines', () => {
    const text = 'title: t\nprofiles:\n  a:\n    inbound:\n      - allow\n        tcp from tag a to tag b please\n';
    expect(places(text)).toEqual(['5:14']);
  });

  test('in a command on several lines', () => {
    const read = readCommands('calicoctl profile a \\\n  rule add inbound alow\n', 'web.sh');
    expect(read.ok ? [] : read.problems).toMatchObject([{ code: 'unknown-action', at: { line: 2, column: 20 } }]);
  });
});

describe('calicoctl would not take it', () => {
  test.each([
    ['a position twice', 'calicoctl profile a rule add inbound --at=1 --at=2 allow', 'misplaced-option', 45],
    ['--no-check twice', 'calicoctl profile remove a --no-check --no-check', 'misplaced-option', 39],
    ['an option before the command', '--at=1 calicoctl profile a rule add inbound allow', 'misplaced-option', 1],
    ['a blank of another alphabet', 'calicoctl profile add\u00a0x', 'bad-name', 19],
    ['a byte order mark', '\ufeffcalicoctl profile add x', 'unknown-command', 1],
    ['two commands, to a shell', 'calicoctl profile a rule add inbound allow\ntcp', 'several-lines', 43],
  ])('%s', (_, line, code, column) => {
    const parsed = parseCommand(line);
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([{ code, at: { column } }]);
  });

  test.each([
    ['networks of two IP versions', 'allow from cidr 10.0.0.0/8 to cidr fd00::/8', 36],
    ['ICMP of the other IP version', 'allow icmp from cidr fd00::/8', 22],
    ['ICMPv6 of the other IP version', 'allow icmpv6 to cidr 10.0.0.0/8', 22],
  ])('%s', (_, text, column) => {
    const parsed = parseRule(text);
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([{ code: 'ip-versions-differ', at: { column } }]);
  });
});

describe('calicoctl would take it', () => {
  test.each([
    ['calicoctl profile add tag', { kind: 'profile add', profile: 'tag' }],
    ['calicoctl profile remove rule --no-check', { kind: 'profile remove', profile: 'rule', noCheck: true }],
    ['calicoctl profile add tag add x', { kind: 'tag add', profile: 'add', tag: 'x' }],
    ['calicoctl profile \\\nadd x', { kind: 'profile add', profile: 'x' }],
  ])('%j', (line, value) => {
    expect(parseCommand(line)).toEqual({ ok: true, value });
  });
});

test('a shell drops a backslash with the line break after it', () => {
  const words = (line: string) => splitShell(line)?.map(({ text }) => text);
  expect(words('a\\\nb "c\\\nd" \\\n')).toEqual(['ab', 'cd']);
  expect(words("'a\\\nb'")).toEqual(['a\\\nb']);
});

test('lines that a backslash joins have no blank between them', () => {
  expect(readCommands('calicoctl profile add a\\\nb\n', 'web.sh')).toMatchObject({
    value: [{ command: { profile: 'ab' } }],
  });
  expect(readCommands('calicoctl profile\\\nadd a\n', 'web.sh').ok).toBe(false);
});

describe('selectors are what both Felixes take', () => {
  test.each(['\u00a0', '\ufeff', '\n', 'in-use == "a"', 'notin == "a"', 'notin/x == "a"', 'not in {"a"}'])(
    'not %j',
    (text) => {
      expect(parseSelector(text).ok).toBe(false);
    },
  );

  test.each([
    'not == "a"',
    'not not in {"a"}',
    'has(not)',
    'has(in-use)',
    'inside == "a"',
    `${'a'.repeat(1500)} == "a"`,
  ])('%s', (text) => {
    expect(parseSelector(text).ok).toBe(true);
  });
});

test('a key of a rule in etcd that is called __proto__ is an unknown key, and gives the rule nothing', () => {
  const rules: unknown = JSON.parse(
    '{"inbound_rules": [{"__proto__": {"action": "allow", "src_tag": "x"}}], "outbound_rules": []}',
  );
  const key = '/calico/v1/policy/profile/web/rules';
  expect(readEtcd({ [key]: rules }).faults).toEqual([
    { key, effect: 'missing', reason: 'inbound rule 1: the key "__proto__" is unknown' },
  ]);
});
