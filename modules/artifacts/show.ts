/** The list as text. */
import type { Cluster } from '../cluster/cluster.ts';
import type { Checked } from './check.ts';
import type { Item } from './list.ts';

/** One line on the whole. */
export function sums({ name, release, target }: Cluster, items: readonly Item[], checked?: readonly Checked[]): string {
  if (target.kind === 'lab') return `${name}: a lab downloads nothing.`;
  const without = items.filter(({ kind, sha256 }) => kind === 'file' && sha256 === undefined).length;
  const parts = [
    `${items.length} artifacts of release ${release.name} on ${target.kind}`,
    ...(checked
      ? [...new Set(checked.map(({ answer }) => answer.verdict))].map(
          (verdict) => `${checked.filter(({ answer }) => answer.verdict === verdict).length} ${verdict}`,
        )
      : []),
    ...(without > 0 ? [`${without} files without a checksum`] : []),
  ];
  return `${name}: ${parts.join(', ')}.`;
}

/** A table, one artifact a line. */
export function rows(items: readonly Item[], checked?: readonly Checked[]): string {
  if (items.length === 0) return '';
  const head = ['component', 'version', 'kind', ...(checked ? ['checked'] : []), 'nodes', 'sha256', 'from'];
  const lines = items.map(({ name, version, kind, nodes, sha256, from }, index) => [
    name,
    version,
    kind,
    ...(checked ? [checked[index]!.answer.verdict] : []),
    nodes.join(','),
    sha256 === undefined ? (kind === 'file' ? 'none' : '-') : `${sha256.slice(0, 8)}…`,
    from,
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]!.length)));
  return [head, ...lines]
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
