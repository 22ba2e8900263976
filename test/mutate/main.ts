/**
 * `npm run mutate`: every kind of fault, mutant of policy and harmless change (test/lab/kinds.ts) in one running lab, each
 * made, looked at, undone and the lab looked at again; a row for each, and the score. Exit code 1 where one survived or
 * something harmless was reported, 3 where the lab did not get well again. Words take only the kinds that have one of
 * them in their name.
 */
import { openBench, type Bench } from '../lab/bench.ts';
import { families, fatal, harmless } from '../lab/kinds.ts';
import { closeLab } from '../lab/harness.ts';
import { alarms, survival, under, type Seen } from '../lab/under.ts';
import type { Fault } from '../lab/faults.ts';

interface Row {
  readonly family: string;
  readonly outcome: string;
  readonly name: string;
  /** Why it does not count as found, or as left alone. */
  readonly bad: readonly string[];
  readonly unhealed: readonly string[];
  readonly ms: number;
  readonly tries: number;
}

interface Task extends Pick<Fault, 'name' | 'breakIt' | 'when' | 'fatal'> {
  readonly family: string;
  readonly outcome: string;
  readonly judge: (seen: Seen) => readonly string[];
}

const quiet = 'harmless';

function tasks(words: readonly string[]): Task[] {
  const found = (family: string, fault: Fault): Task => ({ ...fault, family, judge: (seen) => survival(fault, seen) });
  const all: Task[] = [
    ...Object.entries(families).flatMap(([family, faults]) => faults.map((fault) => found(family, fault))),
    ...harmless.map((change) => ({ ...change, family: quiet, outcome: 'pass', judge: alarms })),
    ...fatal.map((fault) => found("the lab's helpers", fault)),
  ];
  return words.length === 0 ? all : all.filter(({ name }) => words.some((word) => name.includes(word)));
}

/** What cannot even be made is no proof, and no reason to leave the others out. */
async function once(bench: Bench, task: Task): Promise<Omit<Row, 'tries'>> {
  const { family, outcome, name } = task;
  try {
    const seen = await under(bench, task);
    return { family, outcome, name, bad: task.judge(seen), unhealed: seen.unhealed, ms: seen.ms };
  } catch (error) {
    await bench.heal().catch(() => undefined);
    return { family, outcome, name, bad: [`could not be tried: ${String(error)}`], unhealed: [], ms: 0 };
  }
}

/** On a machine that does not let the prober run nothing was found out; what came out green stays green. */
const starved = ({ bad, unhealed }: Omit<Row, 'tries'>): boolean =>
  bad.length + unhealed.length > 0 &&
  (bad.length === 0 ? [unhealed.join('\n')] : bad).every((text) =>
    /did not answer within|could not be tried|it took/.test(text),
  );

async function run(bench: Bench, task: Task): Promise<Row> {
  for (let tries = 1; ; tries++) {
    const row = await once(bench, task);
    if (task.fatal || tries === 3 || !starved(row)) return { ...row, tries };
  }
}

const line = ({ outcome, name, bad, unhealed, ms, tries }: Row): string => {
  const sound = bad.length + unhealed.length === 0;
  const all = [...bad, ...unhealed.slice(0, 1).map((one) => `still wrong when undone: ${one}`)];
  const why = all.map((one) => `    ${one.split('\n').slice(0, 3).join('\n    ')}\n`);
  const again = tries === 1 ? '' : ` (try ${tries}: the prober was starved)`;
  return `${sound ? '✓' : '✗'} ${outcome.padEnd(21)} ${`${Math.round(ms)} ms`.padStart(9)}  ${name}${again}\n${why.join('')}`;
};

function scores(rows: readonly Row[]): string {
  const part = (title: string, some: readonly Row[]): string =>
    `${title.padEnd(24)} ${some.filter(({ bad }) => bad.length === 0).length}/${some.length}\n`;
  const by = (key: 'family' | 'outcome'): string =>
    [...new Set(faults.map((row) => row[key]))]
      .map((one) =>
        part(
          `  ${one}`,
          faults.filter((row) => row[key] === one),
        ),
      )
      .join('');
  const faults = rows.filter(({ family }) => family !== quiet);
  const still = rows.filter(({ family }) => family === quiet);
  return `\n${part('found', faults)}by place\n${by('family')}by class\n${by('outcome')}${part('harmless, not reported', still)}`;
}

const wanted = tasks(process.argv.slice(2));
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort();
    process.stderr.write('ending after this kind …\n');
  });
const begin = performance.now();
process.stderr.write(`${wanted.length} kinds; a lab comes up …\n`);
const bench = await openBench();
const rows: Row[] = [];
try {
  for (const task of wanted) {
    if (stop.signal.aborted) break;
    const row = await run(bench, task);
    rows.push(row);
    process.stdout.write(line(row));
  }
} finally {
  await closeLab(bench.stage);
}
process.stdout.write(scores(rows));
const minutes = ((performance.now() - begin) / 60_000).toFixed(1);
const again = rows.filter(({ tries }) => tries > 1).length;
process.stdout.write(
  `${rows.length} of ${wanted.length} kinds tried in ${minutes} min, ${again} of them more than once\n`,
);
if (rows.some(({ unhealed }) => unhealed.length > 0) || rows.length < wanted.length || rows.length === 0)
  process.exitCode = 3;
else if (rows.some(({ bad }) => bad.length > 0)) process.exitCode = 1;
