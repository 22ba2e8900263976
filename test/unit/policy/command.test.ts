import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCommand, parseCommand, type Command } from '../../../modules/policy/syntax/command.ts';
import { rule } from './arbitrary.ts';

describe('calicoctl profile lines', () => {
  test.each([
    ['calicoctl profile add client'],
    ['calicoctl profile remove client'],
    ['calicoctl profile remove client --no-check'],
    ['calicoctl profile client tag add web'],
    ['calicoctl profile client tag remove web'],
    ['calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000'],
    ['calicoctl profile client rule add outbound --at=2 deny'],
    ['calicoctl profile client rule remove inbound --at=3'],
    ['calicoctl profile client rule remove inbound allow from tag client'],
    // Profiles whose names are words of the grammar can still be edited.
    ['calicoctl profile add rule add inbound allow'],
    ['calicoctl profile remove tag add remove'],
  ])('%s', (line) => {
    const parsed = parseCommand(line);
    expect(parsed.ok ? formatCommand(parsed.value) : parsed.problems).toBe(line);
  });

  test.each([
    ['quotes', `calicoctl profile "client" rule add inbound 'allow' tcp`, 'client rule add inbound allow tcp'],
    [
      'an option at another place',
      'calicoctl profile client rule add --at=2 inbound allow',
      'client rule add inbound --at=2 allow',
    ],
    [
      'an option in two words',
      'calicoctl profile client rule remove inbound --at 2',
      'client rule remove inbound --at=2',
    ],
    ['blanks', '  calicoctl   profile add   x ', 'add x'],
  ])('%s are understood', (_, line, canonical) => {
    const parsed = parseCommand(line);
    expect(parsed.ok ? formatCommand(parsed.value) : parsed.problems).toBe(`calicoctl profile ${canonical}`);
  });

  test('what a shell would take apart is quoted', () => {
    expect(formatCommand({ kind: 'tag add', profile: 'a b', tag: "it's" })).toBe(
      `calicoctl profile 'a b' tag add 'it'\\''s'`,
    );
  });

  test.each([
    ['nothing', '', 'incomplete-command', 1],
    ['another program', 'kubectl profile add x', 'unknown-command', 1],
    ['another part of calicoctl', 'calicoctl pool add 10.0.0.0/8', 'unknown-command', 11],
    ['no profile', 'calicoctl profile add', 'incomplete-command', 22],
    ['a profile with a slash', 'calicoctl profile add a/b', 'bad-name', 23],
    ['a word too many', 'calicoctl profile add a b', 'unexpected-word', 25],
    ['only a profile', 'calicoctl profile a', 'incomplete-command', 20],
    ['neither tag nor rule', 'calicoctl profile a rules add', 'unknown-command', 21],
    ['neither add nor remove', 'calicoctl profile a rule append inbound allow', 'unknown-command', 26],
    ['a command that only shows', 'calicoctl profile a rule show', 'not-a-change', 26],
    ['a direction of another Calico', 'calicoctl profile a rule add ingress allow', 'unknown-command', 30],
    ['no rule', 'calicoctl profile a rule add inbound', 'empty-rule', 37],
    ['a wrong rule', 'calicoctl profile a rule add inbound allow from tag', 'missing-value', 49],
    [
      'position 0, which calicoctl takes for another',
      'calicoctl profile a rule add inbound --at=0 allow',
      'bad-position',
      38,
    ],
    ['a position that is a word', 'calicoctl profile a rule add inbound --at=first allow', 'bad-position', 38],
    ['no position', 'calicoctl profile a rule remove inbound --at', 'bad-position', 41],
    ['a position and a rule to remove', 'calicoctl profile a rule remove inbound --at=1 allow', 'unexpected-word', 48],
    ['a position for a tag', 'calicoctl profile a tag add b --at=1', 'unexpected-word', 31],
    ['a position for a profile', 'calicoctl profile remove b --at=1', 'unexpected-word', 28],
    ['--no-check for a new profile', 'calicoctl profile add b --no-check', 'unexpected-word', 25],
    ['--no-check for a rule', 'calicoctl profile a rule add inbound allow --no-check', 'unexpected-word', 44],
    ['an unknown option', 'calicoctl profile a rule add inbound --position=1 allow', 'unknown-option', 38],
    ['no tag', 'calicoctl profile a tag add', 'incomplete-command', 28],
    ['an open quote', `calicoctl profile 'a rule`, 'open-quote', 1],
  ])('refused: %s', (_, line, code, column) => {
    const parsed = parseCommand(line);
    expect(parsed.ok ? [] : parsed.problems).toMatchObject([{ code, at: { line: 1, column } }]);
  });

  const name = fc.stringMatching(/^[a-zA-Z0-9_.][a-zA-Z0-9_.-]{0,8}$/).filter((text) => !/^(tag|rule)$/.test(text));
  const position = fc.integer({ min: 1, max: 99 });
  const direction = fc.constantFrom('inbound', 'outbound');
  const command: fc.Arbitrary<Command> = fc.oneof(
    fc.record({ kind: fc.constant('profile add'), profile: name }),
    fc.record(
      { kind: fc.constant('profile remove'), profile: name, noCheck: fc.constant(true) },
      { requiredKeys: ['kind', 'profile'] },
    ),
    fc.record({ kind: fc.constantFrom('tag add', 'tag remove'), profile: name, tag: name }),
    fc.record(
      { kind: fc.constant('rule add'), profile: name, direction, at: position, rule },
      { requiredKeys: ['kind', 'profile', 'direction', 'rule'] },
    ),
    fc.record({
      kind: fc.constant('rule remove'),
      profile: name,
      direction,
      what: fc.oneof(fc.record({ at: position }), fc.record({ rule })),
    }),
  );

  test('a command that was written is read back as it was', () => {
    fc.assert(
      fc.property(command, (one) => {
        expect(parseCommand(formatCommand(one))).toEqual({ ok: true, value: one });
      }),
      { numRuns: 500 },
    );
  });

  test('any text is a command with a stable form, or a problem inside the text', () => {
    const words = `calicoctl profile add remove a tag rule inbound outbound --at=1 --at 1 --no-check allow tcp from to ' "`;
    const line = fc.oneof(
      fc
        .array(fc.constantFrom(...words.split(' ')), { maxLength: 10 })
        .map((list) => `calicoctl profile ${list.join(' ')}`),
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `calicoctl profile a ${text}`),
    );
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parseCommand(text);
        if (parsed.ok) {
          expect(parseCommand(formatCommand(parsed.value))).toEqual(parsed);
        } else {
          const column = parsed.problems[0]?.at?.column ?? 0;
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual(text.length + 1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
