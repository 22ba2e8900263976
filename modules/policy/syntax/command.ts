/**
 * `calicoctl profile …` lines, those that change something, read and written.
 *
 *     parseCommand(text, at?) -> Result<Command>; a shell's quotes are understood
 *     formatCommand(command)  -> the line, quoted for a POSIX shell where it must be
 */
import type { Place } from '../../problem/problem.ts';
import type { Direction, Rule } from '../model.ts';
import { isName, nameRule } from '../name.ts';
import { hint } from '../hint.ts';
import { attempt, Mistake, Reader } from './reader.ts';
import { along, refused, type Result } from '../result.ts';
import { formatRule, parseRuleWords } from './rule.ts';
import { quoteWord, splitShell, type Word } from './words.ts';

export type Command =
  | { readonly kind: 'profile add'; readonly profile: string }
  /** Without `noCheck` calicoctl keeps a profile that an endpoint has. */
  | { readonly kind: 'profile remove'; readonly profile: string; readonly noCheck?: true }
  | { readonly kind: 'tag add'; readonly profile: string; readonly tag: string }
  | { readonly kind: 'tag remove'; readonly profile: string; readonly tag: string }
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
  // A backslash before the break goes on with the line.
  const end = text.trimEnd().search(/(?<!\\)\n/);
  if (end >= 0) {
    const rule = 'A line is one command: a shell begins the next one after the break.';
    return refused({ code: 'several-lines', at: along(at, end), what: 'The command has a line break.', rule, example });
  }
  return attempt(() => {
    const options = takeOptions(new Reader(all, at, text.length, example));
    const { words } = options;
    return readCommand(new Reader(words, at, text.length, example), options, () => {
      const rule = parseRuleWords(words.slice(ruleStart), at, text.length);
      if (rule.ok) return rule.value;
      throw new Mistake(rule.problems[0]!);
    });
  });
}

/** `calicoctl profile NAME rule add inbound` stand before the rule. */
const ruleStart = 6;

function readCommand(reader: Reader, options: Options, readRule: () => Rule): Command {
  expectWord(reader, 'calicoctl');
  expectWord(reader, 'profile');
  const first = reader.peek();
  const verb = reader.takeIf('add', 'remove');
  const next = reader.peek();
  // A profile may itself be called "add", and one may be added that is called "tag": the number of words tells.
  const whole = options.words.length === 'calicoctl profile add NAME'.split(' ').length;
  if (verb !== undefined && (whole || (next?.text !== 'tag' && next?.text !== 'rule'))) {
    const profile = readName(reader, 'the name of a profile');
    const noCheck = verb === 'remove' && options.noCheck !== undefined;
    finish(reader, options, noCheck ? ['noCheck'] : []);
    return verb === 'add'
      ? { kind: 'profile add', profile }
      : { kind: 'profile remove', profile, ...(noCheck && { noCheck }) };
  }
  const profile = verb === undefined ? readName(reader, '"add", "remove" or the name of a profile') : first!.text;
  const noun = expectWord(reader, 'tag', 'rule');
  const show = reader.peek();
  if (show !== undefined && ['show', 'json', 'update'].includes(show.text)) {
    throw reader.mistake('not-a-change', show, `"${show.text}" changes no rule by itself.`, 'Only changes are read.');
  }
  const change = expectWord(reader, 'add', 'remove');
  if (noun === 'tag') {
    const tag = readName(reader, 'a tag');
    finish(reader, options, []);
    return change === 'add' ? { kind: 'tag add', profile, tag } : { kind: 'tag remove', profile, tag };
  }
  const direction = expectWord(reader, 'inbound', 'outbound');
  const { position } = options;
  if (change === 'remove' && position !== undefined) {
    finish(reader, options, ['position']);
    return { kind: 'rule remove', profile, direction, what: { at: position.value } };
  }
  const rule = readRule();
  if (options.noCheck !== undefined) throw surplus(reader, options.noCheck);
  if (change === 'remove') return { kind: 'rule remove', profile, direction, what: { rule } };
  return { kind: 'rule add', profile, direction, ...(position && { at: position.value }), rule };
}

function expectWord<T extends string>(reader: Reader, ...known: readonly T[]): T {
  const text = reader.takeIf(...known);
  if (text !== undefined) return text;
  const word = reader.peek();
  const rule = `Here comes ${known.join(' or ')}.`;
  throw word === undefined
    ? reader.mistake('incomplete-command', word, 'The command ends too early.', rule)
    : reader.mistake('unknown-command', word, `"${word.text}" is not known here.${hint(word.text, known)}`, rule);
}

function readName(reader: Reader, what: string): string {
  const word = reader.take();
  if (word === undefined) {
    throw reader.mistake('incomplete-command', word, 'The command ends too early.', `Here comes ${what}.`);
  }
  if (isName(word.text)) return word.text;
  throw reader.mistake('bad-name', word, `"${word.text}" cannot be a name.`, nameRule);
}

/** Nothing may be left: no word, and no option but those that the command has used. */
function finish(reader: Reader, options: Options, used: readonly ('position' | 'noCheck')[]): void {
  const position = used.includes('position') ? undefined : options.position?.word;
  const noCheck = used.includes('noCheck') ? undefined : options.noCheck;
  const extra = reader.peek() ?? position ?? noCheck;
  if (extra !== undefined) throw surplus(reader, extra);
}

function surplus(reader: Reader, word: Word): Mistake {
  return reader.mistake(
    'unexpected-word',
    word,
    `"${word.text}" does not belong here.`,
    'The command has no such word.',
  );
}

interface Options {
  /** The words without the options: docopt takes those from anywhere. */
  readonly words: readonly Word[];
  readonly position: { readonly value: number; readonly word: Word } | undefined;
  readonly noCheck: Word | undefined;
}

function takeOptions(reader: Reader): Options {
  const words: Word[] = [];
  let position: Options['position'];
  let noCheck: Word | undefined;
  const once = <T>(word: Word, before: T | undefined, now: T): T => {
    if (before === undefined && words.length >= 2) return now;
    const what = before === undefined ? `stands before the command` : `stands there twice`;
    throw reader.mistake(
      'misplaced-option',
      word,
      `"${word.text}" ${what}.`,
      'An option stands once, after "profile".',
    );
  };
  for (let word = reader.take(); word !== undefined; word = reader.take()) {
    if (!/^-./.test(word.text)) words.push(word);
    else if (word.text === '--no-check') noCheck = once(word, noCheck, word);
    else if (word.text === '--at') {
      position = once(word, position, { word, value: readPosition(reader, word, reader.take()?.text ?? '') });
    } else if (word.text.startsWith('--at=')) {
      position = once(word, position, { word, value: readPosition(reader, word, word.text.slice('--at='.length)) });
    } else {
      throw reader.mistake(
        'unknown-option',
        word,
        `There is no option "${word.text}".${hint(word.text, ['--at', '--no-check'])}`,
        'The options are --at=POSITION and --no-check.',
      );
    }
  }
  return { words, position, noCheck };
}

function readPosition(reader: Reader, option: Word, value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw reader.mistake(
    'bad-position',
    option,
    `"${value}" is no position.`,
    'Positions count from 1; calicoctl takes 0 for "before the last rule".',
    '--at=1',
  );
}
