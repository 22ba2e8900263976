import { main, report } from '../modules/cli/verb.ts';
import { fileOf, folder, known } from '../modules/cluster/load.ts';
import { readCluster } from '../modules/cluster/read.ts';
import { sameNames } from '../modules/cluster/several.ts';
import { exit, format, Refusal } from '../modules/problem/problem.ts';

const options = {
  json: { type: 'boolean', help: 'print problems and warnings as JSON on stdout' },
} as const;

await main({
  name: 'npm run validate',
  usage: '[FILE | NAME]… [--json]',
  help: `
Checks cluster descriptions: their form, and everything that can be known to fail later.
Without a word: every description in ${folder}/.

Problems and warnings go to stderr as FILE:LINE:COLUMN PATH: …, a summary to stdout.
Exit code 0: no problems (there may be warnings). 2: problems.`,
  options,
  run: ({ words, options: { json } }) => {
    const files = words.length > 0 ? words.map(fileOf) : known().map(fileOf);
    if (files.length === 0) {
      throw new Refusal([
        {
          code: 'nothing-to-validate',
          what: `There is no description in ${folder}/.`,
          remedy: 'npm run validate FILE',
        },
      ]);
    }
    const readings = files.map(readCluster);
    const problems = [...readings.flatMap((reading) => reading.problems), ...sameNames(readings)];
    const warnings = readings.flatMap((reading) => reading.warnings);
    const code = problems.length > 0 ? exit.badInput : exit.fine;
    if (json) {
      process.stdout.write(`${JSON.stringify({ files, problems, warnings }, null, 2)}\n`);
      return code;
    }
    report(problems, false);
    process.stderr.write(warnings.map((each) => `${format({ ...each, what: `Warning: ${each.what}` })}\n`).join(''));
    const good = readings.filter((reading) => reading.cluster !== undefined).length;
    const count = (many: number, word: string) => `${many} ${word}${many === 1 ? '' : 's'}`;
    process.stdout.write(
      `${count(files.length, 'description')}, ${good} good: ${count(problems.length, 'problem')}, ${count(warnings.length, 'warning')}\n`,
    );
    return code;
  },
});
