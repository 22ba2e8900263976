import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../../modules/policy/syntax/read.ts';
import { format } from '../../../modules/problem/problem.ts';

const file = 'web.yaml';

/** `code line:column path` of every problem. */
function problems(text: string): readonly string[] {
  const read = readDocument(text, file);
  return read.ok
    ? []
    : read.problems.map(({ code, at }) => `${code} ${at?.line ?? 0}:${at?.column ?? 0} ${at?.path ?? ''}`.trimEnd());
}

describe('policy files', () => {
  test.each(['1-isolated', '2-ui-admitted', '3-one-way'])('policies/stars/%s.yaml is one', (name) => {
    const path = `policies/stars/${name}.yaml`;
    expect(readDocument(readFileSync(path, 'utf8'), path)).toMatchObject({ ok: true, value: { file: path } });
  });

  test('everything is read, with the place where it stands', () => {
    const text = [
      'title: Web only',
      'profiles:',
      '  web:',
      '    inbound:',
      '      - allow tcp to ports 80',
      "      - 'deny'",
      '    outbound: []',
      'expect:',
      '  - allow client -> web tcp 80',
    ].join('\n');
    const read = readDocument(text, file);
    expect(read).toMatchObject({
      ok: true,
      value: {
        file,
        title: 'Web only',
        profiles: { web: { inbound: ['allow tcp to ports 80', 'deny'], outbound: [] } },
        expect: [{ text: 'allow client -> web tcp 80', line: 9 }],
      },
    });
    const place = (path: string) => (read.ok ? read.value.places?.get(path) : undefined);
    expect(place('profiles.web')).toMatchObject({ line: 3, column: 3 });
    expect(place('profiles.web.inbound[0]')).toMatchObject({ line: 5, column: 9 });
    expect(place('profiles.web.inbound[1]')).toMatchObject({ line: 6, column: 10 });
    expect(place('expect[0]')).toMatchObject({ line: 9, column: 5 });
  });

  test('a direction that is not written is not there, an empty one is', () => {
    const read = readDocument('title: t\nprofiles:\n  a: { inbound: [] }\n  b: {}\n', file);
    expect(read.ok ? read.value.profiles : undefined).toEqual({ a: { inbound: [] }, b: {} });
  });

  test('anchors and aliases are YAML like any other', () => {
    const text = 'title: t\nprofiles:\n  a: &x\n    inbound: &rules [allow]\n  b: *x\n  c:\n    outbound: *rules\n';
    const read = readDocument(text, file);
    expect(read.ok ? read.value.profiles : undefined).toEqual({
      a: { inbound: ['allow'] },
      b: { inbound: ['allow'] },
      c: { outbound: ['allow'] },
    });
  });

  test('a profile called __proto__ is a profile', () => {
    const read = readDocument('title: t\nprofiles:\n  __proto__: { inbound: [allow] }\n', file);
    expect(read.ok ? Object.keys(read.value.profiles) : []).toEqual(['__proto__']);
  });
});

describe('policy files that are refused', () => {
  test.each([
    ['an empty file', '', ['wrong-type 1:1']],
    ['only a comment', '# nothing yet\n', ['wrong-type 1:1']],
    ['a list', '- title: t\n', ['wrong-type 1:1']],
    ['a word', 'allow\n', ['wrong-type 1:1']],
    ['no title', 'expect: []\n', ['missing-key 1:1 title']],
    ['an empty title', 'title:\n', ['wrong-type 1:7 title']],
    ['a title that is a number', 'title: 1\n', ['wrong-type 1:8 title']],
    ['an unknown key', 'title: t\nrules: []\n', ['unknown-key 2:1 rules']],
    ['a misspelt key', 'title: t\nprofile: {}\n', ['unknown-key 2:1 profile']],
    [
      'a direction of another Calico',
      'title: t\nprofiles:\n  a:\n    ingress: []\n',
      ['unknown-key 4:5 profiles.a.ingress'],
    ],
    ['a key twice', 'title: t\ntitle: u\n', ['bad-yaml 2:1']],
    ['a tab as indent', 'title: t\nprofiles:\n\ta: {}\n', ['bad-yaml 3:1']],
    ['an open bracket', 'title: t\nexpect: [\n', ['bad-yaml 3:1']],
    ['two documents', 'title: t\n---\ntitle: u\n', ['several-documents 3:1']],
    ['an alias to nothing', 'title: *gone\n', ['wrong-type 1:8 title']],
    ['profiles as a list', 'title: t\nprofiles: [a]\n', ['wrong-type 2:11 profiles']],
    ['profiles of nothing', 'title: t\nprofiles:\n', ['wrong-type 2:10 profiles']],
    ['a profile of nothing', 'title: t\nprofiles:\n  a:\n', ['wrong-type 3:5 profiles.a']],
    ['a profile that is a list', 'title: t\nprofiles:\n  a: [allow]\n', ['wrong-type 3:6 profiles.a']],
    ['a profile with a slash', 'title: t\nprofiles:\n  a/b: {}\n', ['bad-name 3:3 profiles.a/b']],
    ['rules of nothing', 'title: t\nprofiles:\n  a:\n    inbound:\n', ['wrong-type 4:13 profiles.a.inbound']],
    [
      'one rule without a list',
      'title: t\nprofiles:\n  a:\n    inbound: allow\n',
      ['wrong-type 4:14 profiles.a.inbound'],
    ],
    ['an empty rule', 'title: t\nprofiles:\n  a:\n    inbound:\n      -\n', ['wrong-type 5:8 profiles.a.inbound[0]']],
    [
      'a rule that became a map',
      'title: t\nprofiles:\n  a:\n    inbound:\n      - allow: tcp\n',
      ['wrong-type 5:9 profiles.a.inbound[0]'],
    ],
    [
      'a wrong rule, at its word',
      'title: t\nprofiles:\n  a:\n    inbound:\n      - allow\n      - allow tpc to ports 80\n',
      ['unknown-protocol 6:15 profiles.a.inbound[1]'],
    ],
    [
      'a wrong rule in quotes',
      'title: t\nprofiles:\n  a:\n    inbound: ["allow tpc"]\n',
      ['unknown-protocol 4:22 profiles.a.inbound[0]'],
    ],
    [
      'a wrong rule with an escape',
      'title: t\nprofiles:\n  a:\n    inbound: ["\\x61llow tpc"]\n',
      ['unknown-protocol 4:21 profiles.a.inbound[0]'],
    ],
    ['a wrong expectation, at its word', 'title: t\nexpect:\n  - allow a => b\n', ['missing-arrow 3:13 expect[0]']],
    ['an expectation that is a map', 'title: t\nexpect:\n  - {}\n', ['wrong-type 3:5 expect[0]']],
    ['expectations of nothing', 'title: t\nexpect:\n', ['wrong-type 2:8 expect']],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('all problems are told at once, in the order of the file', () => {
    const text = [
      'titel: t',
      'profiles:',
      '  a:',
      '    inbund: []',
      '    outbound: [alow, allow]',
      'expect: [allow a -> b tpc]',
    ].join('\n');
    expect(problems(text)).toEqual([
      'unknown-key 1:1 titel',
      'missing-key 1:1 title',
      'unknown-key 4:5 profiles.a.inbund',
      'unknown-action 5:16 profiles.a.outbound[0]',
      'unknown-protocol 6:23 expect[0]',
    ]);
  });

  test('the key that was meant is named, on one line that an editor can follow', () => {
    const read = readDocument('title: t\nprofile: {}\n', file);
    expect(read.ok ? '' : format(read.problems[0]!)).toMatch(/^web\.yaml:2:1 profile: .*Did you mean "profiles"\?/);
  });

  test('no text makes it crash', () => {
    const piece = fc.constantFrom(
      ...[
        'title: t\n',
        'profiles:\n',
        '  a:\n',
        '    inbound:\n',
        '      - allow\n',
        '[',
        ']',
        '{',
        '}',
        '&x ',
        '*x',
        '"',
      ],
      ...[
        "'",
        '\t',
        '- ',
        '? ',
        ': ',
        '|\n',
        '>\n',
        '!!set ',
        '!x ',
        '%YAML 1.1\n',
        '---\n',
        '...\n',
        '<<: ',
        '~',
        '\u0000',
        '\r\n',
        '#',
      ],
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 15 }).map((list) => list.join('')),
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((value) => `title: t\nprofiles: ${value}\n`),
    );
    fc.assert(
      fc.property(text, (one) => {
        const read = readDocument(one, file);
        if (read.ok) return;
        expect(read.problems.length).toBeGreaterThan(0);
        for (const { at } of read.problems) {
          expect(at?.line).toBeGreaterThanOrEqual(1);
          expect(at?.column).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 800 },
    );
  });
});
