import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteWord, splitShell } from '../../../modules/policy/syntax/words.ts';

test.each([
  ['blanks', ' a  b\tc ', ['a', 'b', 'c']],
  ['single quotes keep everything', `'a b\\' "c"`, ['a b\\', 'c']],
  ['double quotes keep blanks and odd backslashes', '"a \\" \\x"', ['a " \\x']],
  ['quotes inside a word', `a'b c'd`, ['ab cd']],
  ['an empty word', `a '' b`, ['a', '', 'b']],
  ['a backslash', 'a\\ b', ['a b']],
])('%s', (_, line, words) => {
  expect(splitShell(line)?.map(({ text }) => text)).toEqual(words);
});

test.each(["'a", '"a', 'a\\'])('left open: %s', (line) => {
  expect(splitShell(line)).toBeUndefined();
});

test('offsets are those of the first character, quotes included', () => {
  expect(splitShell(`a 'b c' d`)?.map(({ offset }) => offset)).toEqual([0, 2, 8]);
});

test('quoted words come back unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitShell(words.map(quoteWord).join(' '))?.map(({ text }) => text)).toEqual(words);
    }),
    { numRuns: 300 },
  );
});
