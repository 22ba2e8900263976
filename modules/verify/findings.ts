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
  const some = notes.length > 2 ? [notes[0]!, `another of ${notes.length} reasons`] : notes;
  const said = notes.length === 0 ? '' : `: ${some.join('; or ')}`;
  const rules = new Set(group.map((cell) => describe(cell.because)));
  const rule = rules.size === 1 && group[0]!.outcome === 'policy-wrong' ? ` (${[...rules][0]})` : '';
  const count = `${group.length} ${group.length === 1 ? 'cell' : 'cells'}`;
  const parts = [...ends(group, names), ...traffic(group, names)].map((part) => `, ${part}`).join('');
  return `${what} in ${count}${parts}${said}${rule}`;
}

/** `all from client@general-1`, `all to backend`: the most telling names that all cells share. */
function ends(group: readonly Cell[], names: CellNames): string[] {
  const sides = ['from', 'to'] as const;
  const alone = sides.some((end) => shared(group, (cell) => names.task(cell[end])) !== undefined);
  // A task that is wrong in itself is wrong in both directions: its cells share no end, but each has it at one.
  const either = alone ? undefined : common(group, names.task);
  const each = sides.flatMap((end) => {
    const found =
      few(group, (cell) => names.task(cell[end])) ??
      shared(group, (cell) => names.network(cell[end])) ??
      shared(group, (cell) => names.node(cell[end]));
    return found === undefined ? [] : [`all ${end} ${found}`];
  });
  const found = [...(either === undefined ? [] : [`all from or to ${either}`]), ...each];
  if (found.length > 0) return found;
  const node = common(group, names.node);
  return node === undefined ? [] : [`all from or to ${node}`];
}

/** The name that every cell has at one end or the other. */
function common([first, ...rest]: readonly Cell[], name: (task: number) => string): string | undefined {
  if (first === undefined || rest.length === 0) return undefined;
  return [first.from, first.to]
    .map(name)
    .find((one) => rest.every((cell) => [cell.from, cell.to].map(name).includes(one)));
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

/** One name, or two where there are more cells than that. */
function few<T>(items: readonly T[], value: (item: T) => string): string | undefined {
  const all = [...new Set(items.map(value))];
  return all.length === 1 || (all.length === 2 && items.length > 2) ? all.join(' or ') : undefined;
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
