import { nearest } from '../problem/nearest.ts';

/** ` Did you mean "tcp"?` with a blank before it, or nothing when no known word is near. */
export function hint(word: string, known: Iterable<string>): string {
  const words = [...known];
  // Swapped letters count double as an edit distance, but in words this short they are the usual slip.
  const near = words.find((one) => letters(one) === letters(word)) ?? nearest(word, words);
  return near === undefined || near === word ? '' : ` Did you mean "${near}"?`;
}

function letters(word: string): string {
  return word.split('').sort().join('');
}
