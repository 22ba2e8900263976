/** What a release needs of hosts that have software already, as a table for the guides. Pure. */
import type { Cluster } from '../cluster/cluster.ts';
import { spans } from '../release/fit.ts';
import { needs } from '../release/needs.ts';

export function minimums({ release, calico: { ipPools } }: Cluster): string {
  const its = needs(release, { encapsulated: ipPools.some(({ encapsulation }) => encapsulation !== 'none') });
  const versions = Object.entries(spans[release.name]).map(([name, span]) => [name, within(span), span.why] as const);
  const rows: readonly (readonly [string, string, string])[] = [
    ['what', 'needed', 'why'],
    ...versions,
    ['cgroups', its.cgroups.join(' or '), 'Docker and Mesos both run on it'],
    ['kernel modules', its.modules.join(', '), 'nobody loads them by himself'],
    ...Object.entries(its.sysctls).map(([key, value]) => [key, `${value}`, 'Calico'] as const),
    ['etcd', `API ${[its.etcd.api, ...its.etcd.flags].join(' ')}`, 'Calico of this channel keeps its data there'],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = rows;
  return `${[line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')}\n`;
}

const within = ({ from, below }: { readonly from?: string; readonly below?: string }): string =>
  [from && `from ${from}`, below && `below ${below}`].filter(Boolean).join(', ');
