import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSelector, matchesSelector, parseSelector, type Selector } from '../../../modules/policy/selector.ts';
import { selector as text } from './arbitrary.ts';

function parsed(selector: string): Selector {
  const result = parseSelector(selector);
  if (!result.ok) throw new Error(result.problems[0]?.what);
  return result.value;
}

const db = { role: 'db', 'team/x': 'a' };

test.each([
  ['', true],
  ['  ', true],
  ['all()', true],
  ['!all()', false],
  ['role == "db"', true],
  ["role=='db'", true],
  ['role == "web"', false],
  ['stage == ""', false],
  ['role != "db"', false],
  ['role != "web"', true],
  ['stage != "live"', true],
  ['role in {"web", "db"}', true],
  ['stage in {"web", "db"}', false],
  ['role not in {"web"}', true],
  ['stage not in {"live"}', true],
  ['role not in {"db", \'web\'}', false],
  ['has(role)', true],
  ['has( team/x )', true],
  ['has(stage)', false],
  ['!has(stage)', true],
  ['!!has(stage)', false],
  ['! ! !has(stage)', true],
  ['has(role) && has(stage)', false],
  ['has(role) || has(stage)', true],
  // "&&" binds tighter than "||", and "!" tighter than both.
  ['has(role) || has(stage) && has(stage)', true],
  ['(has(role) || has(stage)) && has(stage)', false],
  ['!has(stage) && has(role)', true],
  ['!(has(stage) && has(role))', true],
  ['((((role == "db"))))', true],
  // What every object of JavaScript has is no label.
  ['has(toString)', false],
  ['has(has) || all == "x"', false],
])('%s', (selector, holds) => {
  expect(matchesSelector(parsed(selector), db)).toBe(holds);
});

test('a label that is called like a property of objects is a label', () => {
  expect(matchesSelector(parsed('__proto__ == "x"'), JSON.parse('{"__proto__":"x"}') as Record<string, string>)).toBe(
    true,
  );
});

describe('what is no selector is refused where it goes wrong', () => {
  test.each([
    ['role', 5, 'The end stands where "==", "!=", "in" or "not in" is due, after the label "role".'],
    ['role = "db"', 6, '"=" does not belong here. "==" is meant?'],
    ['role == db', 9, '"db" stands where a text in quotes is due, after "==".'],
    ['role == "db', 9, 'The quotes are not closed.'],
    ['role == "d\nb"', 9, 'The quotes are not closed.'],
    ['role in {}', 10, '"}" stands where a text in quotes is due, after "{".'],
    ['role in {"a",}', 14, '"}" stands where a text in quotes is due, after ",".'],
    ['role in {"a"', 13, 'The end stands where "}" is due, after the values.'],
    ['role in "a"', 9, '"a" stands where "{" is due, after "in".'],
    ['role not "a"', 10, '"a" stands where "==", "!=", "in" or "not in" is due, after the label "role".'],
    ['has()', 5, '")" stands where the label of "has(" is due.'],
    ['has(a', 6, 'The end stands where ")" is due, after "has(a".'],
    ['has (a)', 5, '"(" stands where "==", "!=", "in" or "not in" is due, after the label "has".'],
    ['all( )', 6, 'Nothing stands in the brackets of "all()", not even a blank.'],
    ['has(a) has(b)', 8, '"has" stands after the end of the selector.'],
    ['has(a) & has(b)', 8, '"&" does not belong here. "&&" is meant?'],
    ['has(a) &&', 10, 'The end stands where a label, "has(", "all()" or "(" is due.'],
    ['(has(a)', 8, 'The end stands where ")" is due, after what is in brackets.'],
    ['has(a))', 7, '")" stands after the end of the selector.'],
    ['!', 2, 'The end stands where a label, "has(", "all()" or "(" is due.'],
    ['röle == "a"', 2, '"ö" does not belong here.'],
    ['in in {"a"}', 1, '"in" stands where a label, "has(", "all()" or "(" is due.'],
    ['"a" == role', 1, '"a" stands where a label, "has(", "all()" or "(" is due.'],
  ])('%s', (selector, column, what) => {
    expect(parseSelector(selector)).toMatchObject({
      ok: false,
      problems: [{ code: 'bad-selector', what, at: { line: 1, column } }],
    });
  });

  test('nor are brackets without end', () => {
    const deep = (depth: number) => parseSelector(`${'('.repeat(depth)}all()${')'.repeat(depth)}`).ok;
    expect([deep(100), deep(101), deep(100_000)]).toEqual([true, false, false]);
    expect(parseSelector(`${'!'.repeat(100_000)}all()`).ok).toBe(true);
  });
});

test('a selector that is printed parses to one that means the same, and prints the same again', () => {
  const labels = fc.dictionary(fc.constantFrom('role', 'stage', 'team/x'), fc.constantFrom('db', 'web', 'live'));
  fc.assert(
    fc.property(text, labels, (one, has) => {
      const selector = parsed(one);
      const printed = formatSelector(selector);
      expect(matchesSelector(parsed(printed), has)).toBe(matchesSelector(selector, has));
      expect(formatSelector(parsed(printed))).toBe(printed);
    }),
    { numRuns: 500 },
  );
});

test('any text is a selector, or a problem inside the text', () => {
  const piece = fc.constantFrom(
    'has(',
    ')',
    '(',
    '!',
    '&&',
    '||',
    '==',
    'in',
    'not',
    '{',
    '}',
    ',',
    '"',
    'role',
    ' ',
    "'a'",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (one) => {
        const result = parseSelector(one);
        if (result.ok) return;
        const column = result.problems[0]?.at?.column ?? 0;
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual(one.length + 1);
      },
    ),
    { numRuns: 2000 },
  );
});
