/**
 * Calico's selectors, which match labels:
 *
 *     OR    := AND ("||" AND)*
 *     AND   := NOT ("&&" NOT)*
 *     NOT   := "!"* ("(" OR ")" | "all()" | "has(" LABEL ")" | LABEL "==" TEXT | LABEL "!=" TEXT
 *                    | LABEL "in" "{" TEXT ("," TEXT)* "}" | LABEL "not in" "{" TEXT ("," TEXT)* "}")
 *
 * A TEXT stands in single or double quotes and has no escapes; a LABEL is of letters, digits and `_ . / -`. An empty
 * selector is `all()`. `!=` and `not in` also hold where the label is missing.
 *
 *     parseSelector(text, at?)          -> Result<Selector>; columns count from `at`
 *     matchesSelector(selector, labels) -> whether it holds
 *     formatSelector(selector)          -> a text that parses to the selector again
 *
 * Source: felix `calico/felix/selectors.py` (1.4), libcalico-go `lib/selector` (2.x). Refused although one of them takes
 * it: an empty set, a comma before "}", "all( )", line breaks, labels that begin like an operator ("in", "in-use",
 * "notin/x"), and brackets in brackets more than a hundred deep.
 */
import type { Place, Problem } from '../problem/problem.ts';
import type { Labels } from './model.ts';
import { along, fine, refused, type Result } from './result.ts';

export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'has'; readonly label: string }
  /** Holds when the label has one of the values, or, negated, when it has none of them or is missing. */
  | { readonly kind: 'in'; readonly label: string; readonly values: readonly string[]; readonly negated: boolean }
  | { readonly kind: 'not'; readonly of: Selector }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Selector[] };

const deepest = 100;
const all: Selector = { kind: 'all' };

export function parseSelector(text: string, at: Place = { file: 'selector', line: 1, column: 1 }): Result<Selector> {
  if (/^[ \t]*$/.test(text)) return fine(all);
  try {
    const reader = new Tokens(text);
    const selector = readOr(reader, 0);
    const rest = reader.next();
    if (rest.kind !== 'end') throw new Wrong(rest, `"${rest.text}" stands after the end of the selector.`);
    return fine(selector);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return refused(problem(error, at));
  }
}

export function matchesSelector(selector: Selector, labels: Labels): boolean {
  switch (selector.kind) {
    case 'all':
      return true;
    case 'has':
      return Object.hasOwn(labels, selector.label);
    case 'in': {
      const { label, values, negated } = selector;
      return (Object.hasOwn(labels, label) && values.includes(labels[label]!)) !== negated;
    }
    case 'not':
      return !matchesSelector(selector.of, labels);
    case 'and':
      return selector.of.every((one) => matchesSelector(one, labels));
    case 'or':
      return selector.of.some((one) => matchesSelector(one, labels));
  }
}

export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
      return 'all()';
    case 'has':
      return `has(${selector.label})`;
    case 'in': {
      const { label, values, negated } = selector;
      if (values.length === 1) return `${label} ${negated ? '!=' : '=='} ${quoted(values[0]!)}`;
      return `${label} ${negated ? 'not in' : 'in'} {${values.map(quoted).join(', ')}}`;
    }
    case 'not':
      return `!${inner(selector.of)}`;
    case 'and':
    case 'or':
      return selector.of.map(inner).join(selector.kind === 'and' ? ' && ' : ' || ');
  }
}

/** As a part of another one. */
function inner(selector: Selector): string {
  const text = formatSelector(selector);
  return selector.kind === 'and' || selector.kind === 'or' || selector.kind === 'not' ? `(${text})` : text;
}

function quoted(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

type TokenKind = 'word' | 'text' | 'sign' | 'end';

interface Token {
  readonly kind: TokenKind;
  /** Of a text, without its quotes. */
  readonly text: string;
  readonly offset: number;
}

/** What is wrong, and where; it never leaves this file. */
class Wrong extends Error {
  readonly token: Token;

  constructor(token: Token, what: string) {
    super(what);
    this.token = token;
  }
}

const wordHere = /[a-zA-Z0-9_./-]+/y;
const signs = ['==', '!=', '&&', '||', '!', '(', ')', '{', '}', ','];

class Tokens {
  readonly #text: string;
  #offset = 0;
  #peeked: Token | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): Token {
    return (this.#peeked ??= this.#read());
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  /** Takes the sign if it stands here. */
  takes(sign: string): boolean {
    const token = this.peek();
    if (token.kind !== 'sign' || token.text !== sign) return false;
    this.#peeked = undefined;
    return true;
  }

  expect(sign: string, after: string): void {
    const token = this.next();
    if (token.kind !== 'sign' || token.text !== sign) {
      throw new Wrong(token, `${shown(token)} stands where "${sign}" is due, after ${after}.`);
    }
  }

  #read(): Token {
    while (/[ \t]/.test(this.#text[this.#offset] ?? '')) this.#offset++;
    const offset = this.#offset;
    const first = this.#text[offset];
    if (first === undefined) return { kind: 'end', text: '', offset };
    if (first === '"' || first === "'") {
      const end = this.#text.indexOf(first, offset + 1);
      const token: Token = { kind: 'text', text: this.#text.slice(offset + 1, end), offset };
      if (end < 0 || /[\n\r]/.test(token.text)) throw new Wrong(token, 'The quotes are not closed.');
      this.#offset = end + 1;
      return token;
    }
    wordHere.lastIndex = offset;
    const word = wordHere.exec(this.#text)?.[0];
    const text = word ?? signs.find((sign) => this.#text.startsWith(sign, offset));
    if (text === undefined) {
      const near = first === '=' || first === '&' || first === '|' ? ` "${first}${first}" is meant?` : '';
      throw new Wrong({ kind: 'sign', text: first, offset }, `${JSON.stringify(first)} does not belong here.${near}`);
    }
    this.#offset += text.length;
    return { kind: word === undefined ? 'sign' : 'word', text, offset };
  }
}

function readOr(reader: Tokens, depth: number): Selector {
  const parts = [readAnd(reader, depth)];
  while (reader.takes('||')) parts.push(readAnd(reader, depth));
  return parts.length === 1 ? parts[0]! : { kind: 'or', of: parts };
}

function readAnd(reader: Tokens, depth: number): Selector {
  const parts = [readNot(reader, depth)];
  while (reader.takes('&&')) parts.push(readNot(reader, depth));
  return parts.length === 1 ? parts[0]! : { kind: 'and', of: parts };
}

function readNot(reader: Tokens, depth: number): Selector {
  let negated = false;
  while (reader.takes('!')) negated = !negated;
  const of = readOne(reader, depth);
  return negated ? { kind: 'not', of } : of;
}

function readOne(reader: Tokens, depth: number): Selector {
  const token = reader.next();
  if (token.kind === 'sign' && token.text === '(') {
    if (depth >= deepest) throw new Wrong(token, `More than ${deepest} brackets are open.`);
    const selector = readOr(reader, depth + 1);
    reader.expect(')', 'what is in brackets');
    return selector;
  }
  // Go's tokenizer finds "in" and "not in" wherever the letters stand; "not" alone is a label.
  const operator = /^(?:not)?in(?!\w)/.test(token.text) || (token.text === 'not' && reader.peek().text === 'in');
  if (token.kind !== 'word' || operator) {
    throw new Wrong(token, `${shown(token)} stands where a label, "has(", "all()" or "(" is due.`);
  }
  // Felix wants no blank before the bracket, and none inside of "all()".
  const call = token.text === 'has' || token.text === 'all';
  if (call && reader.peek().offset === token.offset + token.text.length && reader.takes('(')) {
    return readCall(reader, token);
  }
  return readComparison(reader, token.text);
}

function readCall(reader: Tokens, token: Token): Selector {
  if (token.text === 'all') {
    if (reader.peek().offset !== token.offset + 'all('.length) {
      throw new Wrong(reader.peek(), 'Nothing stands in the brackets of "all()", not even a blank.');
    }
    reader.expect(')', '"all("');
    return all;
  }
  const label = reader.next();
  if (label.kind !== 'word') throw new Wrong(label, `${shown(label)} stands where the label of "has(" is due.`);
  reader.expect(')', `"has(${label.text}"`);
  return { kind: 'has', label: label.text };
}

function readComparison(reader: Tokens, label: string): Selector {
  const operator = reader.next();
  if (operator.kind === 'sign' && (operator.text === '==' || operator.text === '!=')) {
    return { kind: 'in', label, values: [readText(reader, `"${operator.text}"`)], negated: operator.text === '!=' };
  }
  let set = operator;
  const negated = set.kind === 'word' && set.text === 'not';
  if (negated) set = reader.next();
  if (set.kind !== 'word' || set.text !== 'in') {
    throw new Wrong(set, `${shown(set)} stands where "==", "!=", "in" or "not in" is due, after the label "${label}".`);
  }
  reader.expect('{', '"in"');
  const values = [readText(reader, '"{"')];
  while (reader.takes(',')) values.push(readText(reader, '","'));
  reader.expect('}', 'the values');
  return { kind: 'in', label, values, negated };
}

function readText(reader: Tokens, after: string): string {
  const token = reader.next();
  if (token.kind === 'text') return token.text;
  throw new Wrong(token, `${shown(token)} stands where a text in quotes is due, after ${after}.`);
}

function shown(token: Token): string {
  return token.kind === 'end' ? 'The end' : `"${token.text}"`;
}

function problem({ token, message }: Wrong, at: Place): Problem {
  return {
    code: 'bad-selector',
    at: along(at, token.offset),
    what: message,
    rule: 'A selector compares labels with texts in quotes, joined with "&&", "||", "!" and brackets.',
    example: 'role == "db" && stage in {"test", "live"}',
  };
}
