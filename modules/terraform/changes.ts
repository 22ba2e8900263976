/** What a plan does, in the words of the description. */
import type { Line, PlannedAction } from './lines.ts';
import { subjectOf, typeOf } from './subject.ts';

export interface Changes {
  /** Addresses, in the order in which Terraform named them. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly replaced: readonly string[];
  readonly destroyed: readonly string[];
  /** True where nothing but outputs changes. */
  readonly outputsOnly: boolean;
}

/** `changed` is Terraform's own word on whether there is anything to do (its exit code 2). */
export function changesOf(lines: readonly Line[], changed: boolean): Changes {
  const planned = lines.filter((line) => line.kind === 'planned');
  const of = (action: PlannedAction): string[] =>
    planned.filter((line) => line.action === action).map((line) => line.address);
  return {
    added: of('create'),
    changed: of('update'),
    replaced: of('replace'),
    destroyed: of('delete'),
    outputsOnly: changed && planned.length === 0,
  };
}

export const isEmpty = ({ added, changed, replaced, destroyed, outputsOnly }: Changes): boolean =>
  added.length + changed.length + replaced.length + destroyed.length === 0 && !outputsOnly;

/** How many steps an apply reports: a replacement is two. */
export const steps = ({ added, changed, replaced, destroyed }: Changes): number =>
  added.length + changed.length + 2 * replaced.length + destroyed.length;

/**
 * One line of figures, then one a resource: what is lost before what is added, nodes and pools before what they share,
 * and so the same at every run, though Terraform names them in any order.
 */
export function changesText(changes: Changes, pools: readonly string[]): string {
  if (isEmpty(changes)) return 'Nothing to change.\n';
  if (changes.outputsOnly) return 'Only outputs change.\n';
  const { added, changed, replaced, destroyed } = changes;
  const rows = [
    ...rowsOf('-/+', replaced, pools),
    ...folded(rowsOf('-', destroyed, pools)),
    ...rowsOf('~', changed, pools),
    ...folded(rowsOf('+', added, pools)),
  ];
  const width = Math.max(...rows.map(({ subject }) => subject.length));
  const lines = rows.map(({ sign, subject, what }) => `${sign.padStart(3)} ${subject.padEnd(width)}  ${what}\n`);
  const figures = `${added.length} to add, ${changed.length} to change in place, ${replaced.length} to replace, ${destroyed.length} to destroy`;
  return `${figures}\n${lines.join('')}`;
}

interface Row {
  readonly sign: string;
  /** Empty for what all nodes share. */
  readonly subject: string;
  readonly what: string;
}

function rowsOf(sign: string, addresses: readonly string[], pools: readonly string[]): Row[] {
  const rows = addresses.map((address) => {
    const subject = subjectOf(address, pools);
    return { sign, subject: subject === undefined ? '' : `${subject.kind} ${subject.name}`, what: address };
  });
  const key = ({ subject, what }: Row): string => `${subject === '' ? '~' : subject} ${what}`;
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** So many shared resources of a type are one line: a cluster has dozens of rules for its ports. */
const many = 5;

function folded(rows: readonly Row[]): Row[] {
  const shared = rows.filter(({ subject }) => subject === '');
  const count = (type: string): number => shared.filter(({ what }) => typeOf(what) === type).length;
  const told = new Set<string>();
  return rows.flatMap((row) => {
    const type = typeOf(row.what);
    if (row.subject !== '' || count(type) <= many) return [row];
    if (told.has(type)) return [];
    told.add(type);
    return [{ ...row, what: `${count(type)} of type ${type}` }];
  });
}
