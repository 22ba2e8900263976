/** A matrix in columns of text, made smaller step by step until it fits. */
import { columns, middle, pad } from './text.ts';
import type { Outcome } from '../verify/report.ts';
import type { Paint, Tone } from './style.ts';

export interface GridCell {
  readonly text: string;
  readonly outcome: Outcome;
  /** Said in full below the matrix even where the text would fit. */
  readonly always?: boolean;
}

export interface Grid {
  readonly title: string;
  readonly labels: readonly string[];
  readonly cells: readonly (readonly GridCell[])[];
}

/** Signs before a cell that can be told apart without colour. */
export const marks: Readonly<Record<Outcome, string>> = {
  pass: '',
  'policy-wrong': '!! ',
  slow: '~ ',
  'infrastructure-broken': '?? ',
};

export const tones: Readonly<Record<Outcome, Tone>> = {
  pass: 'green',
  'policy-wrong': 'wrong',
  slow: 'slow',
  'infrastructure-broken': 'broken',
};

/**
 * What is left out to save columns, least first: long texts go into notes, names of columns become
 * numbers, names of rows lose their middle.
 */
const squeezes = [
  { most: Infinity, numbered: false, label: Infinity },
  { most: 9, numbered: false, label: Infinity },
  { most: 9, numbered: true, label: 20 },
  { most: 5, numbered: true, label: 20 },
  { most: 5, numbered: true, label: 13 },
] as const;
type Squeeze = (typeof squeezes)[number];
const gap = '  ';

/** Texts that stand below the matrix, `[a]` in its place. */
export type Notes = Map<string, string>;

/** The grids side by side where they fit, else below each other, else in parts. */
export function gridLines(grids: readonly Grid[], width: number, paint: Paint, notes: Notes): string[] {
  for (const squeeze of squeezes) {
    const drafts = grids.map((grid) => layout(grid, squeeze, new Map(notes)));
    const beside = drafts.reduce((sum, draft) => sum + draft.width, 0) + 4 * (grids.length - 1);
    const widest = Math.max(...drafts.map((draft) => draft.width));
    if (beside <= width) return besides(grids.map((grid) => render(layout(grid, squeeze, notes), paint)));
    if (widest <= width) return below(grids.map((grid) => render(layout(grid, squeeze, notes), paint)));
  }
  return below(
    grids.flatMap((grid) => parts(layout(grid, squeezes.at(-1)!, notes), width).map((part) => render(part, paint))),
  );
}

interface Layout {
  readonly title: string;
  readonly rows: readonly string[];
  /** Each of one or two lines: `backend@general-2` breaks at its `@`. */
  readonly heads: readonly (readonly string[])[];
  readonly cells: readonly (readonly GridCell[])[];
  readonly left: number;
  readonly widths: readonly number[];
  readonly width: number;
}

function layout(grid: Grid, squeeze: Squeeze, notes: Notes): Layout {
  const { most, numbered, label: longest } = squeeze;
  const rows = grid.labels.map((label, index) =>
    numbered ? `${String(index + 1).padStart(2)} ${middle(label, longest)}` : label,
  );
  const heads = grid.labels.map((label, index) => (numbered ? [String(index + 1)] : label.split(/(?=@)/)));
  const cells = grid.cells.map((row) =>
    row.map((cell) => {
      const text = cell.always || columns(cell.text) > most ? note(cell.text, notes) : cell.text;
      return { ...cell, text: marks[cell.outcome] + text };
    }),
  );
  const left = Math.max(columns(grid.title), ...rows.map(columns));
  const widths = heads.map((head, index) =>
    Math.max(...head.map(columns), ...cells.map((row) => columns(row[index]!.text))),
  );
  return { title: grid.title, rows, heads, cells, left, widths, width: total(left, widths) };
}

const total = (left: number, widths: readonly number[]): number =>
  left + widths.reduce((sum, width) => sum + width + gap.length, 0);

function note(text: string, notes: Notes): string {
  let name = notes.get(text);
  if (name === undefined) {
    const index = notes.size;
    name = `[${index >= 26 ? letter(Math.floor(index / 26) - 1) : ''}${letter(index % 26)}]`;
    notes.set(text, name);
  }
  return name;
}

const letter = (index: number): string => String.fromCharCode(97 + (index % 26));

/** Columns that do not fit go into further grids with the same rows. */
function parts(whole: Layout, width: number): Layout[] {
  const found: Layout[] = [];
  let start = 0;
  while (start < whole.heads.length) {
    let end = start + 1;
    while (end < whole.heads.length && total(whole.left, whole.widths.slice(start, end + 1)) <= width) end++;
    const widths = whole.widths.slice(start, end);
    found.push({
      ...whole,
      heads: whole.heads.slice(start, end),
      cells: whole.cells.map((row) => row.slice(start, end)),
      widths,
      width: total(whole.left, widths),
    });
    start = end;
  }
  return found;
}

interface Rendered {
  readonly lines: readonly string[];
  readonly width: number;
}

function render(grid: Layout, paint: Paint): Rendered {
  const height = Math.max(...grid.heads.map((lines) => lines.length));
  const head = Array.from({ length: height }, (_, line) => {
    const title = paint('bold', pad(line === height - 1 ? grid.title : '', grid.left));
    // Names of one line stand on the last, beside the title.
    const names = grid.heads.map((lines, c) => pad(lines[line - height + lines.length] ?? '', grid.widths[c]!));
    return title + paint('dim', names.map((name) => gap + name).join(''));
  });
  const body = grid.rows.map((row, r) => {
    const cells = grid.cells[r]!.map((cell, c) => {
      const fill = ' '.repeat(grid.widths[c]! - columns(cell.text));
      const quiet = cell.outcome === 'pass' && (cell.text === '-' || cell.text === '·');
      return gap + paint(quiet ? 'dim' : tones[cell.outcome], cell.text) + fill;
    });
    return pad(row, grid.left) + cells.join('');
  });
  return { lines: [...head, ...body], width: grid.width };
}

function besides(grids: readonly Rendered[]): string[] {
  const height = Math.max(...grids.map((grid) => grid.lines.length));
  return Array.from({ length: height }, (_, line) =>
    grids
      .map((grid) => grid.lines[line] ?? '')
      .join('    ')
      .trimEnd(),
  );
}

const below = (grids: readonly Rendered[]): string[] =>
  grids.flatMap((grid, index) => [...(index > 0 ? [''] : []), ...grid.lines.map((line) => line.trimEnd())]);
