/** Further words of a command in a unit, each on a line of its own; goes right behind the word before. */
export const continued = (words: readonly string[]): string => words.map((word) => ` \\\n  ${word}`).join('');
