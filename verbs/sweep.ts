import { existsSync, readFileSync } from 'node:fs';
import { main, report, type Call } from '../modules/cli/verb.ts';
import { fileOf, loadCluster } from '../modules/cluster/load.ts';
import { marksIn } from '../modules/nightly/expiry.ts';
import { known, stateFile } from '../modules/nightly/states.ts';
import { fateOf, standText, type Fate, type Stand } from '../modules/nightly/sweep.ts';
import { exit, Refusal, type ExitCode, type Problem } from '../modules/problem/problem.ts';
import { build } from './stack.ts';

const options = {
  yes: { type: 'boolean', explicit: true, help: 'destroy what outlived its time; else it is only listed' },
  'dry-run': { type: 'boolean', explicit: true, help: 'only list it, which is what happens without --yes, too' },
  now: { type: 'boolean', explicit: true, help: 'also what nightly has deployed for a time that is not over' },
  timeout: { type: 'string', value: 'MINUTES', help: 'how long each destroy may take (default: 60)' },
} as const;

interface Found extends Stand {
  /** What a verb is told: the name, or the file that the user named. */
  readonly word: string;
  readonly fate: Fate;
}

async function run({ words, options: chosen }: Call<typeof options>): Promise<ExitCode> {
  if (chosen.yes === true && chosen['dry-run'] === true) throw both();
  const asked = words.length > 0 ? words.map((word) => ({ word, cluster: loadCluster(word).name })) : all();
  const now = new Date();
  const { found, problems } = look(asked, now, chosen.now === true);
  for (const one of found) {
    if (one.fate !== 'nothing stands' || words.length > 0) process.stdout.write(`${standText(one, one.fate)}\n`);
  }
  const over = found.filter(({ fate }) => fate === 'over');
  if (over.length === 0 && problems.length === 0) process.stdout.write('Nothing has outlived its time.\n');
  if (chosen.yes !== true) {
    for (const { word } of over) process.stdout.write(`  npm run destroy ${word}\n`);
    report(problems, false);
    return problems.length > 0 ? exit.unknown : over.length > 0 ? exit.no : exit.fine;
  }
  for (const { word } of over) problems.push(...(await destroy(word, chosen.timeout)));
  report(problems, false);
  return problems.length > 0 ? exit.unknown : exit.fine;
}

const all = (): { word: string; cluster: string }[] => known().map((cluster) => ({ word: cluster, cluster }));

/** A state that cannot be read must not hide the others: it is a problem, and the sweep goes on. */
function look(
  asked: readonly { readonly word: string; readonly cluster: string }[],
  now: Date,
  early: boolean,
): { readonly found: readonly Found[]; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const found = asked.flatMap(({ word, cluster }): Found[] => {
    const file = stateFile(cluster);
    try {
      const stand = { cluster, marks: marksIn(existsSync(file) ? readFileSync(file, 'utf8') : '') };
      return [{ word, ...stand, fate: fateOf(stand, now, early) }];
    } catch (error) {
      problems.push(unreadable(file, error));
      return [];
    }
  });
  return { found, problems };
}

/** What keeps one from being destroyed is told at the end, and keeps no other. */
async function destroy(word: string, timeout: string | undefined): Promise<readonly Problem[]> {
  try {
    const file = fileOf(word);
    const code = await build({
      deed: 'destroy',
      words: [file],
      options: { yes: true, ...(timeout === undefined ? {} : { timeout }) },
    });
    return code === exit.fine ? [] : [remains(word)];
  } catch (error) {
    if (error instanceof Refusal) return [...error.problems, remains(word)];
    throw error;
  }
}

const remains = (word: string): Problem => ({
  code: 'not-swept',
  what: `${word} outlived its time, and was not destroyed.`,
  rule: 'it may cost money for as long as it stands.',
  remedy: `npm run destroy ${word}; where its description is not in clusters/, npm run sweep FILE -- --yes`,
});

const unreadable = (file: string, error: unknown): Problem => ({
  code: 'state-unreadable',
  at: { file },
  what: `it cannot be read as a state of Terraform: ${error instanceof Error ? error.message : String(error)}.`,
  remedy: 'Terraform keeps the one before beside it, as .backup',
});

const both = (): Refusal =>
  new Refusal([{ code: 'usage', what: '--yes and --dry-run say opposite things.', rule: 'one of them.' }]);

await main({
  name: 'npm run sweep',
  usage: '[CLUSTER… [-- [--dry-run] [--yes] [--now] [--timeout MINUTES]]]',
  help: `
Finds the clusters that npm run nightly has deployed and that outlived their time, because it was killed before it could
destroy them. It looks at the states in state/, of all clusters or of those that are named (names, or files of descriptions).
With --yes it destroys them. What was deployed with npm run deploy has no time, and is never touched.

Exit code: 0 nothing is to be swept, or it is gone, 1 something is (without --yes), 2 the input is wrong,
3 it could not be found out, or not be destroyed, 130 interrupted.`,
  options,
  run,
});
