/**
 * `calicoctl profile …` lines, those that change something, read and written.
 *
 *     parseCommand(text, at?) -> Result<Command>; a shell's quotes are understood
 *     formatCommand(command)  -> the line, quoted for a POSIX shell where it must be
 */
import type { Place } from '../problem/problem.ts';
import type { Direction, Rule } from './model.ts';
import { isName, nameRule } from './name.ts';
import { hint } from './hint.ts';
import { along, fine, refused, type Result } from './result.ts';
import { formatRule, parseRuleWords } from './rule.ts';
import { quoteWord, splitShell, type Word } from './words.ts';

export type Command =
  | { readonly kind: 'profile add'; readonly profile: string }
  /** Without `noCheck` calicoctl keeps a profile that an endpoint has. */
  | { readonly kind: 'profile remove'; readonly profile: string; readonly noCheck?: true }
  | { readonly kind: 'tag add' | 'tag remove'; readonly profile: string; readonly tag: string }
  | {
      readonly kind: 'rule add';
      readonly profile: string;
      readonly direction: Direction;
      /** Position from 1; without it the rule goes to the end. */
      readonly at?: number;
      readonly rule: Rule;
    }
  | {
      readonly kind: 'rule remove';
      readonly profile: string;
      readonly direction: Direction;
      readonly what: { readonly at: number } | { readonly rule: Rule };
    };

const example = 'calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000';

export function formatCommand(command: Command): string {
  return ['calicoctl', 'profile', ...commandWords(command)].map(quoteWord).join(' ');
}

function commandWords(command: Command): readonly string[] {
  const { profile } = command;
  switch (command.kind) {
    case 'profile add':
      return ['add', profile];
    case 'profile remove':
      return ['remove', profile, ...(command.noCheck ? ['--no-check'] : [])];
    case 'tag add':
      return [profile, 'tag', 'add', command.tag];
    case 'tag remove':
      return [profile, 'tag', 'remove', command.tag];
    case 'rule add': {
      const at = command.at === undefined ? [] : [`--at=${command.at}`];
      return [profile, 'rule', 'add', command.direction, ...at, ...formatRule(command.rule).split(' ')];
    }
    case 'rule remove': {
      const what = 'at' in command.what ? [`--at=${command.what.at}`] : formatRule(command.what.rule).split(' ');
      return [profile, 'rule', 'remove', command.direction, ...what];
    }
  }
}

export function parseCommand(text: string, at: Place = { file: 'command', line: 1, column: 1 }): Result<Command> {
  const all = splitShell(text);
  if (all === undefined) {
    return refused({ code: 'open-quote', at, what: 'A quote is not closed.', rule: 'Quotes come in pairs.', example });
  }
  const options = takeOptions(all, text.length, at);
  if (!options.ok) return options;
  const { words, position, noCheck } = options.value;
  const mistake = (code: string, word: Word | undefined, what: string, rule: string) =>
    refused({ code, at: along(at, word?.offset ?? text.length), what, rule, example });
  const expected = (word: Word | undefined, known: readonly string[]) =>
    word === undefined
      ? mistake('incomplete-command', word, 'The command ends too early.', `Here comes ${known.join(' or ')}.`)
      : mistake(
          'unknown-command',
          word,
          `"${word.text}" is not known here.${hint(word.text, known)}`,
          `Here comes ${known.join(' or ')}.`,
        );
  const [program, noun, first, second, third, fourth] = words;
  if (program?.text !== 'calicoctl') return expected(program, ['calicoctl']);
  if (noun?.text !== 'profile') return expected(noun, ['profile']);
  if (first === undefined) return expected(first, ['add', 'remove', 'the name of a profile']);

  const stray = (option: Word | undefined, unless: boolean) => (unless ? undefined : option);
  const surplus = (word: Word | undefined, known: boolean) => {
    const extra = word ?? stray(position?.word, known) ?? stray(noCheck, known);
    return (
      extra && mistake('unexpected-word', extra, `"${extra.text}" does not belong here.`, 'The command is complete.')
    );
  };
  const named = (word: Word | undefined, what: string) => {
    if (word === undefined) return expected(word, [what]);
    return isName(word.text) ? undefined : mistake('bad-name', word, `"${word.text}" cannot be a name.`, nameRule);
  };

  if ((first.text === 'add' || first.text === 'remove') && second?.text !== 'tag' && second?.text !== 'rule') {
    const wrong = named(second, 'the name of a profile') ?? (third && surplus(third, true));
    if (wrong !== undefined) return wrong;
    if (first.text === 'add') return surplus(undefined, false) ?? fine({ kind: 'profile add', profile: second!.text });
    if (position !== undefined) return surplus(undefined, false)!;
    return fine({ kind: 'profile remove', profile: second!.text, ...(noCheck ? { noCheck: true } : {}) });
  }
  const wrongName = named(first, 'the name of a profile');
  if (wrongName !== undefined) return wrongName;
  const profile = first.text;
  if (second?.text !== 'tag' && second?.text !== 'rule') return expected(second, ['tag', 'rule']);
  if (third?.text === 'show' || third?.text === 'json' || third?.text === 'update') {
    return mistake('not-a-change', third, `"${third.text}" changes no rule by itself.`, 'Only changes are read.');
  }
  if (third?.text !== 'add' && third?.text !== 'remove') return expected(third, ['add', 'remove']);
  if (second.text === 'tag') {
    const wrong = named(fourth, 'a tag') ?? surplus(words[5], false);
    return wrong ?? fine({ kind: `tag ${third.text}`, profile, tag: fourth!.text });
  }
  if (fourth?.text !== 'inbound' && fourth?.text !== 'outbound') return expected(fourth, ['inbound', 'outbound']);
  if (noCheck !== undefined) return surplus(noCheck, true)!;
  const direction = fourth.text;
  const rest = words.slice(5);
  if (third.text === 'remove' && position !== undefined) {
    return surplus(rest[0], true) ?? fine({ kind: 'rule remove', profile, direction, what: { at: position.value } });
  }
  const rule = parseRuleWords(rest, rest.length > 0 ? at : along(at, text.length));
  if (!rule.ok) return rule;
  return third.text === 'remove'
    ? fine({ kind: 'rule remove', profile, direction, what: { rule: rule.value } })
    : fine({
        kind: 'rule add',
        profile,
        direction,
        ...(position === undefined ? {} : { at: position.value }),
        rule: rule.value,
      });
}

interface Options {
  /** The words without the options: docopt takes those from anywhere. */
  readonly words: readonly Word[];
  readonly position: { readonly value: number; readonly word: Word } | undefined;
  readonly noCheck: Word | undefined;
}

function takeOptions(all: readonly Word[], length: number, at: Place): Result<Options> {
  const words: Word[] = [];
  let position: Options['position'];
  let noCheck: Word | undefined;
  for (let index = 0; index < all.length; index++) {
    const word = all[index]!;
    if (!/^-./.test(word.text)) {
      words.push(word);
    } else if (word.text === '--no-check') {
      noCheck = word;
    } else if (word.text === '--at' || word.text.startsWith('--at=')) {
      const value = word.text === '--at' ? (all[++index]?.text ?? '') : word.text.slice('--at='.length);
      if (!/^[1-9]\d{0,8}$/.test(value)) {
        return refused({
          code: 'bad-position',
          at: along(at, word.offset),
          what: `"${value}" is no position.`,
          rule: 'Positions count from 1; calicoctl takes 0 for "before the last rule".',
          example: '--at=1',
        });
      }
      position = { value: Number(value), word };
    } else {
      return refused({
        code: 'unknown-option',
        at: along(at, Math.min(word.offset, length)),
        what: `There is no option "${word.text}".${hint(word.text, ['--at=1', '--no-check'])}`,
        rule: 'The options are --at=POSITION and --no-check.',
        example,
      });
    }
  }
  return fine({ words, position, noCheck });
}
