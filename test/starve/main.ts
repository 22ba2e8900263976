/**
 * `npm run starve`: verifications of right and of faulty clusters while others burn the processor. They may be slow; they
 * may say that they could not find out; what they say must be so. Exit code 1 where one of them said what is not so, 3
 * where one could not find out or could not be tried, 130 on Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { cores } from './burn.ts';
import { starve, type Row, type Starved } from './starve.ts';
import type { Word } from './tally.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    labs: { type: 'string', default: '3' },
    burners: { type: 'string', default: '8' },
    seed: { type: 'string', default: '7' },
    help: { type: 'boolean', default: false },
  },
});
const help = `npm run starve -- [--runs=200] [--labs=3] [--burners=8] [--seed=7]
  runs      verifications, one half of right clusters, one half of clusters with one known fault
  labs      side by side
  burners   busy processes for each core
  seed      order of the faults
`;

const marks: Readonly<Record<Word, string>> = { right: '✓', slow: '~', unknown: '?', wrong: '✗' };
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function line({ word, name, ms, why }: Row, count: number): string {
  const more = why.slice(0, 4).map((one) => `    ${one.split('\n')[0]!}\n`);
  const rest = why.length > 4 ? `    and ${why.length - 4} more\n` : '';
  return `${String(count).padStart(4)} ${marks[word]} ${word.padEnd(8)}${seconds(ms).padStart(8)}  ${name}\n${more.join('')}${rest}`;
}

const sum = (rows: readonly Row[], key: 'cells' | 'falseDenials' | 'falseAlarms' | 'missed' | 'unknown'): number =>
  rows.reduce((so, row) => so + row[key], 0);

const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

function table({ rows, quietMs, burners, share }: Starved): string {
  const words: readonly Word[] = ['right', 'slow', 'unknown', 'wrong'];
  const part = (title: string, some: readonly Row[]): string => {
    const counts = words.map((word) => String(some.filter((row) => row.word === word).length).padStart(8));
    const times = some.map(({ ms }) => ms);
    const shown = [middle(times), Math.max(0, ...times)].map((ms) => seconds(ms).padStart(9));
    return `${title.padEnd(58)}${String(some.length).padStart(5)}${counts.join('')}${shown.join('')}\n`;
  };
  const heads = [...words.map((word) => word.padStart(8)), ...['median', 'longest'].map((word) => word.padStart(9))];
  const names = [...new Set(rows.map(({ name }) => name))].sort();
  return `
${''.padEnd(58)}${'runs'.padStart(5)}${heads.join('')}
${names
  .map((name) =>
    part(
      name,
      rows.filter((row) => row.name === name),
    ),
  )
  .join('')}${part('all', rows)}
of ${sum(rows, 'cells')} cells: ${sum(rows, 'falseDenials')} false denials, ${sum(rows, 'falseAlarms')} false alarms, ${sum(rows, 'missed')} missed, ${sum(rows, 'unknown')} unknown
before the burning a verification took ${seconds(middle(quietMs))}; ${burners} busy processes had ${Math.round(share * 100)} % of ${cores} cores
`;
}

function number(name: 'runs' | 'labs' | 'burners' | 'seed', least: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(`--${name}=${values[name]}: a whole number from ${least}\n${help}`);
  return process.exit(2);
}

function exitCode(rows: readonly Row[], wanted: number): number {
  if (rows.some(({ word }) => word === 'wrong')) return 1;
  if (stop.signal.aborted) return 130;
  return rows.length < wanted || rows.some(({ word }) => word === 'unknown') ? 3 : 0;
}

if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const wish = {
  runs: number('runs', 1),
  labs: number('labs', 1),
  perCore: number('burners', 0),
  seed: number('seed', 0),
};
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort();
    process.stderr.write('ending after the verifications that are under way …\n');
  });
const begin = performance.now();
const starved = await starve(
  wish,
  {
    say: (text) => void process.stderr.write(`${text}\n`),
    row: (row, count) => void process.stdout.write(line(row, count)),
  },
  stop.signal,
);
process.stdout.write(table(starved));
const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
process.stdout.write(`${starved.rows.length} of ${wish.runs} verifications in ${wish.labs} labs, ${minutes} min\n`);
process.exitCode = exitCode(starved.rows, wish.runs);
