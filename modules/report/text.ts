/** Text in columns: how wide it is on a terminal, filled up, cut off, broken into lines. */

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f]|[\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const invisible = /^[\p{M}\p{Cf}]+$/u;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that cleaned text takes. */
export function columns(text: string): number {
  // Nearly all text here is ASCII, and segmenting costs a hundred times more.
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let sum = 0;
  for (const { segment } of segmenter.segment(text)) sum += invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return sum;
}

export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columns(text)));
export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - columns(text))) + text;

/** At most `width` columns, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = '';
  let sum = 1;
  for (const { segment } of segmenter.segment(text)) {
    sum += columns(segment);
    if (sum > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** At most `width` columns, without its middle: names of tasks often differ at their ends. */
export function middle(text: string, width: number): string {
  if (columns(text) <= width) return text;
  const tail = [...segmenter.segment(text)]
    .map(({ segment }) => segment)
    .slice(-Math.floor((width - 1) / 2))
    .join('');
  return cut(text, width - columns(tail)) + tail;
}

/** Lines of at most `width` columns, broken at spaces; a word that is longer is broken inside. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = '';
    }
    while (columns(word) > width) {
      const part = cut(word, width + 1).slice(0, -1);
      if (part === '') break;
      lines.push(part);
      word = word.slice(part.length);
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
