/**
 * Selectors once more: what both Felixes take, each from its own source, by rewriting the text until nothing changes.
 *
 *     takesSelector(text)         -> whether felix 1.4 (pyparsing) and libcalico-go (its tokenizer) both take it
 *     holdsSelector(text, labels) -> what it says of the labels
 *
 * Source: felix `calico/felix/selectors.py`; libcalico-go `lib/selector/tokenizer/tokenizer.go`, `lib/selector/parser/parser.go`.
 */
import type { Labels } from '../../../../../modules/policy/model.ts';

/** Not in any text that is made here. */
const text0 = '\ue123';
const comparison0 = '\ue124';
const strings = /"[^"\n\r]*"|'[^'\n\r]*'/g;

export function takesSelector(text: string): boolean {
  // Refused on purpose: line breaks, which only one of them takes at most places, and brackets without end.
  return !/[\n\r]/.test(text) && python(text) && go(text) && depth(text) <= 100;
}

function python(text: string): boolean {
  if (/^[ \t]*$/.test(text)) return true;
  const label = '[a-zA-Z0-9_./-]+';
  const value = text0;
  const key = '(?![a-zA-Z0-9_$])';
  const comparison = [
    `has\\([ \\t]*${label}[ \\t]*\\)`,
    'all\\(\\)',
    `${label}[ \\t]*[=!]=[ \\t]*${value}`,
    `${label}([ \\t]+not${key}[ \\t]*|[ \\t]+)in${key}[ \\t]*\\{[ \\t]*${value}([ \\t]*,[ \\t]*${value})*[ \\t]*\\}`,
  ];
  const whole = new RegExp(`(?<![a-zA-Z0-9_./-])(${comparison.join('|')})`, 'g');
  const left = text.replaceAll(strings, text0).replaceAll(whole, comparison0).replaceAll(/[ \t]/g, '');
  return !/[\w./-]/.test(left) && reduces(left.replaceAll(comparison0, 'v'));
}

/** The tokens in the order in which the tokenizer tries them. */
const tokens: readonly (readonly [RegExp, string])[] = [
  [/[ \t]+/y, ''],
  [/"[^"]*"|'[^']*'/y, 'T'],
  [/==|!=/y, 'E'],
  [/&&|\|\|/y, '&'],
  [/[(){},!]/y, '$'],
  [/has\(\s*[a-zA-Z0-9_./-]+\s*\)/y, 'v'],
  [/not\s*in\b/y, 'I'],
  [/in\b/y, 'I'],
  [/all\(\s*\)/y, 'v'],
  [/[a-zA-Z0-9_./-]+/y, 'L'],
];

function go(text: string): boolean {
  let letters = '';
  for (let at = 0; at < text.length;) {
    const before = at;
    for (const [pattern, letter] of tokens) {
      pattern.lastIndex = at;
      const found = pattern.exec(text)?.[0];
      if (found === undefined) continue;
      letters += letter === '$' ? found : letter;
      at += found.length;
      break;
    }
    if (at === before) return false;
  }
  return letters === '' || reduces(letters.replaceAll(/LET|LI\{(T,)*T?\}/g, 'v'));
}

function reduces(expression: string): boolean {
  for (let text = expression; ;) {
    const less = text.replaceAll(/!v|v(&&|\|\||&)v|\(v\)/g, 'v');
    if (less === text) return text === 'v';
    text = less;
  }
}

function depth(text: string): number {
  let [open, most] = [0, 0];
  for (const char of text.replaceAll(strings, '').replaceAll(/has\(|all\(/g, '<')) {
    if (char === '(') most = Math.max(most, ++open);
    else if (char === ')') open--;
  }
  return most;
}

const part =
  /has\([ \t]*([^ \t)]+)[ \t]*\)|all\(\)|([a-zA-Z0-9_./-]+)[ \t]*([=!]=|not[ \t]+in|in)[ \t]*("[^"]*"|'[^']*'|\{[^}"']*(?:(?:"[^"]*"|'[^']*')[^}"']*)*\})/g;

/** Only for what was taken. */
export function holdsSelector(text: string, labels: Labels): boolean {
  if (text.trim() === '') return true;
  let letters = text.replaceAll(part, (_, has?: string, label?: string, operator?: string, values?: string) => {
    if (label === undefined) return has === undefined || Object.hasOwn(labels, has) ? 't' : 'f';
    const list = (values!.match(strings) ?? []).map((one) => one.slice(1, -1));
    const among = Object.hasOwn(labels, label) && list.includes(labels[label]!);
    return among === (operator === '==' || operator === 'in') ? 't' : 'f';
  });
  letters = letters.replaceAll(/[ \t]/g, '');
  while (letters.length > 1) {
    const brackets = /\(([^()]*)\)/.exec(letters);
    if (brackets === null) return flat(letters);
    letters = letters.replace(brackets[0], flat(brackets[1]!) ? 't' : 'f');
  }
  return letters === 't';
}

function flat(letters: string): boolean {
  const value = (one: string) => one.endsWith('t') === (one.length % 2 === 1);
  return letters.split('||').some((all) => all.split('&&').every(value));
}
