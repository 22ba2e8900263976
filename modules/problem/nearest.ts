import { closest, distance } from 'fastest-levenshtein';

/** The known word that was likely meant: the same but for case, dashes and underscores, or near enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]/g, '');
  const same = known.find((candidate) => plain(candidate) === plain(word));
  if (same !== undefined) return same;
  const best = closest(word, [...known]);
  // Two letters swapped are two edits; in the shortest words that would make everything near.
  const most = Math.min(word.length - 1, Math.max(2, Math.floor(word.length / 3)));
  return distance(word, best) <= most ? best : undefined;
}
