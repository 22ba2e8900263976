import { main } from '../modules/cli/verb.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { compare, ending } from '../modules/report/compare.ts';
import { comparedText } from '../modules/report/compared.ts';
import { readReport } from '../modules/report/read.ts';

await main({
  name: 'npm run compare',
  usage: 'BEFORE.json AFTER.json [-- [--json]]',
  help: `
Compares two reports of one cluster: cells that became worse or better, what policy means otherwise, what is no longer
asked (a run can stay green by asking less), and how long changes of policy took.

Exit code: 0 no worse than before, 1 worse, 2 the input is wrong, 3 the later run could not find out.`,
  options: { json: { type: 'boolean', help: 'print the comparison as JSON' } },
  most: 2,
  run: ({ words, options }): ExitCode => {
    const [earlier, later] = words;
    if (earlier === undefined || later === undefined) {
      throw new Refusal([
        {
          code: 'usage',
          what: 'two reports have to be named, the earlier first.',
          rule: 'npm run compare BEFORE.json AFTER.json',
          example: 'npm run compare reports/monday/report.json reports/tuesday/report.json',
        },
      ]);
    }
    const [before, after] = [readReport(earlier), readReport(later)];
    if (before.cluster !== after.cluster) {
      throw new Refusal([
        {
          code: 'two-clusters',
          at: { file: later, path: 'cluster' },
          what: `It is a report of ${after.cluster}, the other one of ${before.cluster}.`,
          rule: 'two runs on one cluster can be compared.',
          example: `two reports that say "cluster": "${before.cluster}"`,
        },
      ]);
    }
    const comparison = compare(before, after);
    process.stdout.write(
      options.json === true ? `${JSON.stringify(comparison, null, 2)}\n` : `${comparedText(comparison)}\n`,
    );
    const end = ending(comparison);
    return end === 'pass' ? exit.fine : end === 'infrastructure-broken' ? exit.unknown : exit.no;
  },
});
