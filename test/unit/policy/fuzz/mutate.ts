/**
 * Texts that are nearly right, and some that are not at all.
 *
 *     inputs(source, random) -> the next text: a seed that was bent, a row of the language's words, or noise
 */
import type { Random } from './random.ts';

/** What the texts of one language are made of. */
export interface Source {
  readonly seeds: readonly string[];
  readonly words: readonly string[];
}

/** Characters that parsers stumble over: blanks that are none, letters of other alphabets, halves of pairs, NUL, BOM. */
const odd = [
  ...['\0', '\u0001', '\b', '\t', '\n', '\v', '\f', '\r', '\r\n', '\x1b', '\x7f', '\x85', '\u00a0', '\ufeff', '\u200b'],
  ...[
    '\u2028',
    '\u2029',
    '\u202e',
    '\u3000',
    '\ud800',
    '\udc00',
    '\u{1f980}',
    'ß',
    'İ',
    'ſ',
    'K',
    '١',
    '８',
    'é',
    'e\u0301',
  ],
  ...[
    '"',
    "'",
    '\\',
    '`',
    '$',
    '#',
    ';',
    '&',
    '*',
    '!',
    '|',
    '>',
    '%',
    '@',
    '~',
    '?',
    '=',
    '<<',
    '--',
    '//',
    '/*',
    '\\x',
  ],
];
const numbers = [
  ...['0', '-0', '1', '-1', '00', '007', '8', '32', '33', '127', '128', '129', '254', '255', '256', '65535', '65536'],
  ...[
    '4294967296',
    '9007199254740993',
    '99999999999999999999',
    '1e3',
    '1e999',
    '0x10',
    '0o17',
    '0b1',
    '1.5',
    '.5',
    '1_000',
  ],
  ...['+1', 'NaN', 'Infinity', '1'.repeat(400)],
];
const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'true', 'undefined', 'length', 'node'];
/** What YAML can say and policy files do not. */
const yaml = [
  ...[
    '&a ',
    '*a',
    '*b',
    '<<: *a',
    '<<: {title: x}',
    '!!str ',
    '!!binary ',
    '!!set ',
    '!x ',
    '? ',
    ': ',
    '- ',
    '|\n',
    '>-\n',
  ],
  ...[
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '%TAG ! x\n',
    '\t',
    '# x\n',
    '[',
    ']',
    '{',
    '}',
    ',',
    '\n  ',
    '"\\u0041"',
    '~',
    '2020-01-01',
  ],
];

export function input(source: Source, random: Random): string {
  const kind = random.below(20);
  if (kind === 0) return noise(random);
  if (kind < 5) return row(source, random);
  let text = random.pick(source.seeds);
  // A few stay as they are: what is right must be taken.
  if (kind === 5) return text;
  for (let left = 1 + random.below(random.once(8) ? 12 : 3); left > 0; left--) text = bend(text, source, random);
  return text;
}

function noise(random: Random): string {
  let text = '';
  for (let left = random.below(60); left > 0; left--) {
    text += random.once(3) ? random.pick(odd) : String.fromCharCode(32 + random.below(95));
  }
  return text;
}

/** Words of the language in any order, mostly with one blank between them. */
function row(source: Source, random: Random): string {
  let text = '';
  for (let left = random.below(14); left > 0; left--) text += word(source, random) + (random.once(6) ? '' : ' ');
  return text;
}

function word(source: Source, random: Random): string {
  const kind = random.below(24);
  if (kind === 0) return random.pick(odd);
  if (kind === 1) return random.pick(numbers);
  if (kind === 2) return random.pick(names);
  return random.pick(source.words);
}

/** One slip of the hand, or of a program. */
function bend(text: string, source: Source, random: Random): string {
  const from = random.below(text.length + 1);
  const to = Math.min(text.length, from + 1 + random.below(random.once(4) ? text.length + 1 : 8));
  const [before, cut, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  switch (random.below(20)) {
    case 0:
    case 1:
      return before + after;
    case 2:
      return before + cut + cut + after;
    case 3:
      return before + word(source, random) + text.slice(from);
    case 4:
      return before + random.pick(odd) + text.slice(from);
    case 5:
      return before + random.pick(odd) + after;
    case 6:
      return before + cut.toUpperCase() + after;
    case 7:
      return splice(before, random.pick(source.seeds), random);
    case 8:
      return before + random.pick(yaml) + text.slice(from);
    case 9:
      return before + cut.repeat(1 + random.below(random.once(20) ? 300 : 5)) + after;
    case 10:
      return random.once(2) ? text.replaceAll('\n', '\r\n') : `\ufeff${text}`;
    case 11:
      return replaceOne(text, /\d+/g, random.pick(numbers), random);
    case 12:
      return replaceOne(text, /[\w.-]+/g, random.pick(names), random);
    default:
      return bendWords(text, source, random);
  }
}

/** Slips that keep the words whole: most of what people do wrong. */
function bendWords(text: string, source: Source, random: Random): string {
  const parts = text.split(/([^\w.:/!&|=-]+)/);
  const [one, two] = [random.below(parts.length), random.below(parts.length)];
  switch (random.below(5)) {
    case 0:
      [parts[one], parts[two]] = [parts[two]!, parts[one]!];
      break;
    case 1:
      parts.splice(one, 1 + random.below(2));
      break;
    case 2:
      parts.splice(one, 0, parts[two]!, ' ');
      break;
    case 3:
      parts[one] = word(source, random);
      break;
    case 4:
      parts.splice(one, 0, word(source, random), ' ');
  }
  return parts.join('');
}

function splice(before: string, other: string, random: Random): string {
  return before + other.slice(random.below(other.length + 1));
}

function replaceOne(text: string, pattern: RegExp, by: string, random: Random): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const one = random.pick(found);
  return text.slice(0, one.index) + by + text.slice(one.index + one[0].length);
}
