/** Who reaches whom by network, as a drawing. The same matrix always gives the same drawing. */
import type { ForeseenMatrix } from './groups.ts';
import { Markup, markup } from './markup.ts';
import { asset } from './page.ts';
import { columns, middle, wrap } from './text.ts';

export interface Chart extends ForeseenMatrix {
  readonly title: string;
  /** Below the title: where it comes from. */
  readonly origin?: string;
}

/** Average width of a character, and height of a line, in the units of the drawing. */
const letter = 7.2;
const line = 16;
const pad = 10;
const longest = 24;
/** A cell takes this many lines of this many characters; the rest is in its tooltip. */
const most = { lines: 3, letters: 16 } as const;

/** The drawing as an SVG file of its own. */
export const chartFile = (chart: Chart): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${drawing(chart, withPlainColours(asset('chart.css'))).text}\n`;

/** Each colour also as itself: what shows a drawing outside of a browser knows no variables, and would paint it black. */
function withPlainColours(css: string): string {
  const colours = new Map<string, string>();
  // The first that stands there is the one for light paper.
  for (const [, name, value] of css.matchAll(/(--[a-z-]+): (#[0-9a-f]+);/g)) {
    if (!colours.has(name!)) colours.set(name!, value!);
  }
  return css.replaceAll(
    /fill: var\((--[a-z-]+)\);/g,
    (both, name: string) => `fill: ${colours.get(name)!};\n  ${both}`,
  );
}

/** All matrices on one page, which works without a network. */
export function chartPage(title: string, charts: readonly Chart[]): string {
  const page = markup`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${new Markup(asset('chart.css'))}
body { margin: 2rem auto; padding: 0 1rem; max-width: 1200px; color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
figure { margin: 0 0 2.5rem; overflow-x: auto; }
.chart { max-width: none; }
</style>
<h1>${title}</h1>
${charts.map((chart) => markup`<figure>${drawing(chart)}</figure>\n`)}
</html>
`;
  return page.text;
}

function drawing({ title, origin, networks, cells }: Chart, style = ''): Markup {
  const names = networks.map((name) => middle(name, longest));
  const texts = cells.map((row) => row.map((text) => fit(text)));
  const left = Math.max(...names.map(width), width('from \\ to'), 0) + 2 * pad;
  const widths = names.map(
    (name, column) => Math.max(width(name), ...texts.flatMap((row) => row[column]!.map(width))) + 2 * pad,
  );
  const heights = texts.map((row) => Math.max(1, ...row.map((lines) => lines.length)) * line + pad);
  const starts = running(widths, left + pad);
  const top = 3 * line + 2 * pad + (origin === undefined ? 0 : line);
  const tops = running(heights, top);
  const [right, bottom] = [starts.at(-1)! + pad, tops.at(-1)! + pad];
  const total = Math.max(right, width(title) * 1.4 + 2 * pad);
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 ${total} ${bottom}" width="${total}" height="${bottom}">
<title>${title}</title>
<desc>${sentences(networks, cells)}</desc>
${style !== '' && markup`<style>${new Markup(style)}</style>`}
<rect class="paper" width="${total}" height="${bottom}"/>
<text class="title" x="${pad}" y="${pad + line}">${title}</text>
${origin !== undefined && markup`<text class="soft" x="${pad}" y="${pad + 2 * line}">${origin}</text>`}
<text class="soft" x="${left}" y="${top - 8}" text-anchor="end">from \\ to</text>
${names.map((name, column) => markup`<text x="${starts[column]! + widths[column]! / 2}" y="${top - 8}" text-anchor="middle">${name}</text>\n`)}
${names.map((name, row) => markup`<text x="${left}" y="${tops[row]! + heights[row]! / 2 + 4}" text-anchor="end">${name}</text>\n`)}
${texts.map((row, r) =>
  row.map(
    (
      lines,
      c,
    ) => markup`<g class="${toneOf(cells[r]![c]!)}"><title>${networks[r]} to ${networks[c]}: ${told(cells[r]![c]!)}</title>
<rect x="${starts[c]! + 1}" y="${tops[r]! + 1}" width="${widths[c]! - 2}" height="${heights[r]! - 2}" rx="3"/>
${lines.map((text, index) => markup`<text x="${starts[c]! + widths[c]! / 2}" y="${tops[r]! + heights[r]! / 2 + 4 + (index - (lines.length - 1) / 2) * line}" text-anchor="middle">${text}</text>`)}</g>
`,
  ),
)}</svg>`;
}

function fit(text: string): readonly string[] {
  const lines = wrap(text, most.letters);
  return lines.length <= most.lines ? lines : [...lines.slice(0, most.lines - 1), '…'];
}

const width = (text: string): number => Math.ceil(columns(text) * letter);

/** Where each begins, and where the last ends. */
function running(sizes: readonly number[], start: number): readonly number[] {
  const places = [start];
  for (const size of sizes) places.push(places.at(-1)! + size);
  return places;
}

/** Of a matrix: all, some or none; of changes: opens, closes, or none. Both at once is told as what opens. */
function toneOf(text: string): string {
  if (text === 'all') return 'all';
  if (text === '-' || text === '·' || text === '=') return 'none';
  if (text.includes('+ ')) return 'opens';
  return text.includes('- ') ? 'closes' : 'some';
}

const words: Readonly<Record<string, string>> = { '-': 'nothing', '·': 'nobody to ask', '=': 'as before' };
const told = (text: string): string => words[text] ?? text;

function sentences(networks: readonly string[], cells: readonly (readonly string[])[]): string {
  const open = networks.flatMap((from, row) =>
    networks.flatMap((to, column) => {
      const text = cells[row]![column]!;
      return toneOf(text) === 'none' ? [] : [`${from} to ${to}: ${text}`];
    }),
  );
  return open.length === 0 ? 'Nothing.' : `${open.join('; ')}.`;
}
