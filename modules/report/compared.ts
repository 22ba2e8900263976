/** A comparison of two reports, as text for a terminal or a mail. */
import { clean } from './clean.ts';
import type { Comparison, Difference, Kind, Pace, Seen } from './compare.ts';
import { number, outcomes, plural, time } from './say.ts';

/** The worst first. */
const order: readonly Kind[] = [
  'worse',
  'no longer asked',
  'otherwise',
  'meant otherwise',
  'better',
  'asked for the first time',
];

/** Cells of one kind that are told one by one; the rest is counted. */
const most = 10;

export function comparedText(comparison: Comparison): string {
  const { before, after, differences, paces } = comparison;
  const parts = [
    `${comparison.cluster}: ${verdict(comparison)}`,
    ...[before, after].map(
      (one, index) =>
        `  ${index === 0 ? 'before' : 'after '}  ${one.startedAt}  ${outcomes[one.outcome].sign} ${outcomes[one.outcome].word}: ${one.verdict}`,
    ),
    ...order.flatMap((kind) =>
      group(
        kind,
        differences.filter((one) => one.kind === kind),
      ),
    ),
    ...(paces.length === 0 ? [] : ['', 'How long changes of policy took:', ...paces.map(paceLine)]),
  ];
  return cleaned(parts.join('\n'));
}

/** Names come from other people's files: what turns text around or colours a terminal goes, line by line. */
const cleaned = (text: string): string => text.split('\n').map(clean).join('\n');

function verdict({ worse, differences, before, after }: Comparison): string {
  if (worse) return 'worse than before.';
  if (differences.length === 0 && before.outcome === after.outcome) return 'as before.';
  return differences.some(({ kind }) => kind === 'better') ? 'better than before.' : 'different, and no worse.';
}

function group(kind: Kind, found: readonly Difference[]): string[] {
  if (found.length === 0) return [];
  const rest = found.length - most;
  return [
    '',
    `${kind}: ${plural(found.length, 'cell')}`,
    ...found.slice(0, most).map(line),
    ...(rest > 0 ? [`  and ${number(rest)} more`] : []),
  ];
}

const line = ({ step, from, to, traffic, before, after }: Difference): string =>
  `  ${step}: ${from} -> ${to} ${traffic}: ${said(before)} -> ${said(after)}`;

const said = (seen: Seen | undefined): string =>
  seen === undefined ? 'not asked' : `${seen.expected} expected, ${seen.observed}`;

const paceLine = ({ step, what, before, after }: Pace): string =>
  `  ${step}, ${what}: ${before === undefined ? 'not seen' : time(before)} -> ${after === undefined ? 'not seen' : time(after)}`;
