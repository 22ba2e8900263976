/** The terminal's stationery: headings, labelled paragraphs and lists, all within the width. */
import type { Outcome } from '../verify/report.ts';
import { clean } from './clean.ts';
import { marks, tones } from './grid.ts';
import { number, outcomes } from './say.ts';
import { paintOf, type Paint, type Style } from './style.ts';
import { columns, cut, pad, wrap } from './text.ts';

export interface Sheet {
  readonly width: number;
  readonly paint: Paint;
  heading(title: string, outcome: Outcome): string;
  /** A labelled paragraph; one that is not `pass` is marked. */
  item(label: string, body: string, outcome?: Outcome): string[];
  /** A labelled list, one entry per paragraph. */
  list(label: string, entries: readonly string[]): string[];
  /** Below an item, with a mark of its own. */
  bullet(outcome: Outcome, body: string): string[];
  /** What a limit left out: `and 37 more`. */
  more(count: number): string[];
}

/** Where the bodies of labelled paragraphs begin. */
export const margin = 18;

export function sheetOf(style: Style): Sheet {
  const paint = paintOf(style);
  const width = Math.max(40, style.width);
  const room = width - margin;
  const labelled = (label: string, lines: readonly string[], outcome: Outcome = 'pass'): string[] =>
    lines.map((line, index) => {
      const head = pad(index > 0 ? '' : `${outcome === 'pass' ? '   ' : pad(marks[outcome], 3)}${label}`, margin);
      return (outcome === 'pass' ? paint('dim', head) : paint('red', head)) + line;
    });
  return {
    width,
    paint,
    heading(title, outcome) {
      const { sign, word } = outcomes[outcome];
      const end = ` ${sign} ${word}`;
      const start = cut(`${clean(title)} `, width - columns(end) - 4);
      const rule = '─'.repeat(Math.max(2, width - columns(start) - columns(end)));
      return paint('bold', start) + paint('dim', rule) + paint(outcome === 'pass' ? 'green' : tones[outcome], end);
    },
    item: (label, body, outcome) => labelled(label, wrap(clean(body), room), outcome),
    list: (label, entries) =>
      labelled(
        label,
        entries.flatMap((entry) => wrap(clean(entry), room)),
      ),
    bullet: (outcome, body) =>
      wrap(clean(body), width - 9).map((line, index) =>
        index === 0 ? `      ${paint('red', pad(marks[outcome], 3))}${line}` : `         ${line}`,
      ),
    more: (count) => (count > 0 ? [paint('dim', `      and ${number(count)} more`)] : []),
  };
}

/** Lines as text, with never two empty ones together. */
export const sheetText = (lines: readonly string[]): string =>
  `${lines
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
