/** Who reaches whom, network by network, as a drawing. The same report always gives the same drawing. */
import type { Outcome, Report, StepReport } from '../verify/report.ts';
import { at, between, head, inside, overlap, visible, type Box, type Curve, type Point } from './curve.ts';
import { marks } from './grid.ts';
import { Markup, markup } from './markup.ts';
import { asset } from './page.ts';
import { worst } from '../verify/judge.ts';
import { columns, cut } from './text.ts';
import { viewOf, type Block, type Variant } from './view.ts';

/** The graph of one step as an SVG file of its own. */
export function svg(report: Report, stepIndex: number): string {
  const step = report.steps[stepIndex];
  if (!step) throw new RangeError(`the report has no step ${stepIndex}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${graph(report, step, asset('graph.css')).text}\n`;
}

interface Node extends Box {
  readonly name: string;
  readonly within: string;
  readonly outcome: Outcome;
}

interface Edge {
  readonly from: Node;
  readonly to: Node;
  readonly curve: Curve;
  readonly outcome: Outcome;
  /** What passes, which pairs when not all, and what was expected where that is something else. */
  readonly label: readonly string[];
  /** The same in one line. */
  readonly told: string;
}

/** The graph as an `svg` element; `style` is put inside where the element stands alone. */
export function graph(report: Pick<Report, 'tasks'>, step: StepReport, style = ''): Markup {
  const view = viewOf(report, step, false);
  const blocks = view.blocks;
  const nodes = place(
    view.groups.map((group) => group.label),
    view.groups.map((_, index) => blocks[index]![index]!),
  );
  const edges = nodes.flatMap((from, a) =>
    nodes.flatMap((to, b) => {
      const block = blocks[a]![b]!;
      if (a === b || !drawn(block)) return [];
      return [edgeOf(from, to, block, drawn(blocks[b]![a]!))];
    }),
  );
  const [width, height] = size(nodes.length);
  const full = edges.length > mostLabels ? undefined : labelled(nodes, edges, (edge) => edge.label);
  const notes = new Map<string, string>();
  const labels = full && !full.clash ? full : labelled(nodes, edges, (edge) => [letter(edge, notes)]);
  const below = [...[...notes].map(([text, name]) => `${name} = ${text}`), ...kinds(nodes, edges)];
  const total = height + (below.length > 0 ? below.length * 18 + 8 : 0);
  const title = `Who reaches whom: ${step.title}`;
  const desc = edges.length === 0 ? 'No network reaches another.' : edges.map(sentence).join('; ');
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}">
<title>${title}</title>
<desc>${desc}</desc>
${style !== '' && new Markup(`<style>\n${style}</style>\n`)}${edges.map(edgeMarkup)}${labels.drawn}${nodes.map(nodeMarkup)}${below.map(
    (text, index) => markup`<text class="legend" x="12" y="${height + 14 + index * 18}">${text}</text>\n`,
  )}</svg>`;
}

/** With more arrows than this, or where labels would hide each other, they are letters that are explained below. */
const mostLabels = 24;

const drawn = (block: Block): boolean =>
  block.outcome === 'policy-wrong' ||
  block.outcome === 'infrastructure-broken' ||
  [...block.expected, ...block.observed].some((variant) => variant.text !== '-' && variant.text !== '·');

function size(nodes: number): [number, number] {
  const extra = Math.max(0, nodes - 4);
  return [Math.min(1400, 720 + extra * 70), Math.min(1000, 420 + extra * 60)];
}

/** On an ellipse, clockwise from the top; two stand side by side. */
function place(names: readonly string[], own: readonly Block[]): Node[] {
  const [width, height] = size(names.length);
  const start = names.length === 2 ? Math.PI : -Math.PI / 2;
  return names.map((name, index) => {
    const angle = start + (index * 2 * Math.PI) / names.length;
    const block = own[index]!;
    const text = cut(name, 24);
    const within = block.pairs === 0 ? 'alone' : `within itself: ${telling(block, 'observed').join(' ')}`;
    const wide = Math.max(columns(text) * 8.4, columns(within) * 6.4) + 28;
    const alone = names.length === 1;
    return {
      x: width / 2 + (alone ? 0 : Math.cos(angle) * (width / 2 - 120)),
      y: height / 2 + (alone ? 0 : Math.sin(angle) * (height / 2 - 44)),
      width: Math.min(250, wide),
      height: 50,
      name: text,
      within: cut(within, 36),
      outcome: block.outcome,
    };
  });
}

/** What the pairs of a block do, and which of them when they differ: the worst is told. */
function telling(block: Block, side: 'expected' | 'observed'): string[] {
  const variants = block[side];
  const outcome = worst(variants.map((variant) => variant.outcome));
  const variant: Variant | undefined = variants.find((one) => one.outcome === outcome);
  if (!variant) return ['·'];
  const text = variant.text === '-' ? 'nothing' : variant.text;
  return [`${marks[outcome]}${text}`, ...(variant.where === '' ? [] : [`(${variant.where})`])];
}

function edgeOf(from: Node, to: Node, block: Block, both: boolean): Edge {
  const curve = visible(between(from, to, both ? 0.16 : 0.04), from, to, 5);
  const observed = telling(block, 'observed');
  const differs = block.outcome === 'policy-wrong' || block.outcome === 'infrastructure-broken';
  const label = differs ? [...observed, `expected ${telling(block, 'expected').join(' ')}`] : observed;
  const told = observed.join(' ') + (differs ? `, expected ${telling(block, 'expected').join(' ')}` : '');
  return { from, to, curve, outcome: block.outcome, label: label.map((line) => cut(line, 34)), told };
}

/** Where on its arrow a label may stand: the middle first. */
const places = Array.from({ length: 15 }, (_, index) => 0.5 + (index % 2 === 0 ? 0.05 : -0.05) * Math.ceil(index / 2));

/** Each label takes the place where it hides least; those that differ choose first, and are drawn last. */
function labelled(
  nodes: readonly Node[],
  edges: readonly Edge[],
  say: (edge: Edge) => readonly string[],
): { readonly drawn: readonly Markup[]; readonly clash: boolean } {
  let clash = false;
  const taken: Box[] = [...nodes];
  const dots = edges.map((edge) => Array.from({ length: 25 }, (_, index) => at(edge.curve, index / 24)));
  const placed = edges.map((edge, index) => ({ edge, index })).sort((a, b) => rank(b.edge) - rank(a.edge));
  const labels = placed.map(({ edge, index }) => {
    const lines = say(edge);
    const width = Math.max(...lines.map(columns)) * 6.8 + 10;
    const boxes = places.map((t): Box => ({ ...at(edge.curve, t), width, height: lines.length * 15 + 5 }));
    const hidden = (box: Box): number =>
      taken.filter((other) => overlap(box, other)).length * 100 +
      dots.reduce((sum, list, i) => sum + (i === index ? 0 : list.filter((dot) => inside(dot, box, 2)).length), 0);
    const box = boxes.reduce((best, one) => (hidden(one) < hidden(best) ? one : best));
    clash ||= hidden(box) >= 100;
    taken.push(box);
    return labelMarkup(edge, box, lines);
  });
  return { drawn: labels.reverse(), clash };
}

const rank = (edge: Edge): number => (edge.outcome === 'pass' ? 0 : edge.outcome === 'slow' ? 1 : 2);

function labelMarkup(edge: Edge, { x, y, width, height }: Box, lines: readonly string[]): Markup {
  const top = y - height / 2;
  const rows = lines.map((line, index) => markup`<text x="${px(x)}" y="${px(top + 14 + index * 15)}">${line}</text>`);
  return markup`<g class="label ${edge.outcome}"><rect x="${px(x - width / 2)}" y="${px(top)}" width="${px(width)}" height="${px(height)}" rx="4"/>${rows}</g>\n`;
}

function letter(edge: Edge, notes: Map<string, string>): string {
  const text = edge.told;
  const known = notes.get(text);
  if (known !== undefined) return known;
  const name = `${marks[edge.outcome]}${notes.size < 26 ? String.fromCharCode(97 + notes.size) : String(notes.size)}`;
  notes.set(text, name);
  return name;
}

const sentence = ({ from, to, told }: Edge): string => `${from.name} to ${to.name}: ${told}`;

function edgeMarkup(edge: Edge): Markup {
  const [tip, left, right] = head(edge.curve, 11);
  const middle = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
  const { start, bend } = edge.curve;
  return markup`<g class="edge ${edge.outcome}"><title>${sentence(edge)}</title><path d="M${point(start)} Q${point(bend)} ${point(middle)}"/><polygon points="${point(tip)} ${point(left)} ${point(right)}"/></g>\n`;
}

function nodeMarkup(node: Node): Markup {
  const { x, y, width, height } = node;
  return markup`<g class="node ${node.outcome}"><rect x="${px(x - width / 2)}" y="${px(y - height / 2)}" width="${px(width)}" height="${height}" rx="10"/><text class="name" x="${px(x)}" y="${px(y - 3)}">${node.name}</text><text class="within" x="${px(x)}" y="${px(y + 15)}">${node.within}</text></g>\n`;
}

function* kinds(nodes: readonly Node[], edges: readonly Edge[]): Generator<string> {
  const has = (outcome: Outcome): boolean => [...nodes, ...edges].some((one) => one.outcome === outcome);
  if (has('policy-wrong')) yield '!! dashed: differs from expected';
  if (has('infrastructure-broken')) yield '?? dotted: could not be found out';
  if (has('slow')) yield '~ right, but late';
}

const px = (value: number): string => String(Math.round(value * 10) / 10);
const point = ({ x, y }: Point): string => `${px(x)},${px(y)}`;
