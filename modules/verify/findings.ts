/** What is wrong, as sentences that name what a person should look at. Pure. */
import { describe } from '../policy/describe.ts';
import { isGood, sentence } from './doubt.ts';
import type { Cell, Control } from './report.ts';

/** How cells are called in sentences. */
export interface CellNames {
  readonly task: (index: number) => string;
  readonly network: (index: number) => string;
  readonly node: (index: number) => string;
  readonly traffic: (index: number) => string;
}

/** More sentences of one kind than this are counted, not said. */
const most = 8;

/** One sentence for each kind of difference, with all that its cells have in common; the largest first. */
export function findings(cells: readonly Cell[], controls: readonly Control[], names: CellNames): string[] {
  const bad = cells.filter((cell) => cell.outcome !== 'pass');
  const kinds = grouped(bad, (cell) => `${cell.outcome}: expected ${cell.expected}, observed ${cell.observed}`);
  const wrong = kinds.flatMap(([what, kind]) => {
    // Cells that share no end are told by the rule that decides them, since that is what they may share.
    const groups =
      ends(kind, names).length > 0 ? [kind] : grouped(kind, (cell) => describe(cell.because)).map(([, group]) => group);
    const sentences = groups.map((group) => told(what, group, names));
    const rest = sentences.length - most;
    return rest > 0 ? [...sentences.slice(0, most), `${what} in ${rest} more groups of cells`] : sentences;
  });
  const broken = grouped(
    controls.filter((control) => !isGood(control)),
    ({ kind, to, from }) => `${kind} ${kind === 'path' ? from : to}`,
  );
  const unsure = broken.map(([, group]) => {
    const more = group.length > 1 ? ` (and ${group.length - 1} more of its ${group[0]!.kind} controls)` : '';
    return `infrastructure-broken: ${sentence(group[0]!)}${more}`;
  });
  const rest = unsure.length - most;
  return [
    ...wrong,
    ...unsure.slice(0, most),
    ...(rest > 0 ? [`infrastructure-broken: the controls of ${rest} more tasks failed`] : []),
  ];
}

function told(what: string, group: readonly Cell[], names: CellNames): string {
  const notes = [...new Set(group.map((cell) => cell.note).filter((note) => note !== undefined))];
  const said =
    notes.length === 0 ? '' : `: ${notes[0]}${notes.length > 1 ? `, or another of ${notes.length} reasons` : ''}`;
  const rules = new Set(group.map((cell) => describe(cell.because)));
  const rule = rules.size === 1 && group[0]!.outcome === 'policy-wrong' ? ` (${[...rules][0]})` : '';
  const count = `${group.length} ${group.length === 1 ? 'cell' : 'cells'}`;
  const parts = [...ends(group, names), ...traffic(group, names)].map((part) => `, ${part}`).join('');
  return `${what} in ${count}${parts}${said}${rule}`;
}

/** `all from client@general-1`, `all to backend`: the most telling name that all cells share at either end. */
function ends(group: readonly Cell[], names: CellNames): string[] {
  return (['from', 'to'] as const).flatMap((end) => {
    const found =
      shared(group, (cell) => names.task(cell[end])) ??
      shared(group, (cell) => names.network(cell[end])) ??
      shared(group, (cell) => names.node(cell[end]));
    return found === undefined ? [] : [`all ${end} ${found}`];
  });
}

function traffic(group: readonly Cell[], names: CellNames): string[] {
  const found =
    shared(group, (cell) => names.traffic(cell.traffic)) ??
    shared(group, (cell) => names.traffic(cell.traffic).split(' ')[0]!);
  return found === undefined ? [] : [`all on ${found}`];
}

function shared<T>(items: readonly T[], value: (item: T) => string): string | undefined {
  const all = new Set(items.map(value));
  return all.size === 1 ? [...all][0] : undefined;
}

/** By key, the largest group first. */
function grouped<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const own = groups.get(key(item));
    if (own) own.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
