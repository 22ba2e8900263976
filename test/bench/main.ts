/**
 * `npm run bench`: every figure of docs/performance.md, measured here and now. Never a test: machines differ, and a goal
 * that is not met is no failure. `--only GROUP` measures one group alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { progressOn } from '../../modules/cli/progress.ts';
import { main } from '../../modules/cli/verb.ts';
import { exit } from '../../modules/problem/problem.ts';
import { compiled, root } from '../../modules/root/root.ts';
import { must, shell } from '../../modules/shell/shell.ts';
import { benchLab } from './lab.ts';
import { benchSynth } from './synth.ts';
import { bench as benchPolicy } from './policy.ts';
import { benchScale } from './scale.ts';
import { benchVerify } from './verify.ts';
import { chosen, type Group } from './group.ts';
import { median, seconds, table, times, type Row } from './row.ts';

/** Whole processes, as a user starts them. */
async function benchVerbs(folder: string): Promise<Row[]> {
  const node = (verb: string, ...words: string[]): Promise<string> =>
    must(shell, [process.execPath, compiled(`verbs/${verb}.ts`), ...words], { timeoutMs: 120_000 });
  const start = median(await times(5, () => node('start', '--name=bench-start', `--reports=${folder}`)));
  const files = Array.from({ length: 200 }, (_, index) => join(folder, `cluster-${index}.yaml`));
  for (const [index, file] of files.entries()) writeFileSync(file, description(index));
  const validate = median(await times(5, () => node('validate', ...files)));
  const stars = join(root, 'policies/stars');
  const check = median(await times(15, () => node('policy', 'check', stars)));
  const byNpm = median(
    await times(5, () =>
      must(shell, ['npm', '--prefix', root, 'run', 'policy', 'check', stars], { timeoutMs: 120_000 }),
    ),
  );
  return [
    {
      what: 'npm start: 1 master, 3 agents, 12 tasks, three steps',
      measured: seconds(start),
      goal: 'under 10 s',
      met: start < 10_000,
    },
    {
      what: 'npm run validate, 200 descriptions',
      measured: seconds(validate),
      goal: 'under 2 s',
      met: validate < 2_000,
    },
    {
      what: 'npm run policy check on the Stars files: the process (and with npm, which starts it)',
      measured: `${seconds(check)} (${seconds(byNpm)})`,
      goal: 'under 0.3 s',
      met: check < 300,
    },
  ];
}

const description = (index: number): string => `name: cluster-${index}
target:
  aws: { region: us-west-2, zones: [us-west-2a, us-west-2b] }
access:
  adminCidrs: [203.0.113.${index % 256}/32]
  sshPublicKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq0Z5V6m5l0k2m3n4o5p6q7r8s9t0u1v2w3x4y5z6A7 somebody
masters: { count: 3, machine: t3.medium }
agents:
  general: { count: ${(index % 9) + 1}, machine: t3.large, containerizers: [docker] }
networks: { client: {}, frontend: {}, backend: {} }
`;

function policyRows(): Row[] {
  const figures = benchPolicy();
  const ratio = figures.verdicts / figures.naiveVerdicts;
  return [
    {
      what: 'single verdicts a second (and times the naive interpreter)',
      measured: `${Math.round(figures.verdicts / 1000)} k (${ratio.toFixed(0)} x)`,
      goal: 'at least 300 k',
      met: figures.verdicts >= 300_000,
    },
    {
      what: `matrix of ${figures.endpoints} endpoints x ${figures.classes} traffic classes`,
      measured: `${figures.matrixMs.toFixed(1)} ms`,
      goal: 'under 50 ms',
      met: figures.matrixMs < 50 && figures.differences === 0,
    },
  ];
}

/** In a folder of its own, which goes again. */
async function verbRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-bench-'));
  try {
    return await benchVerbs(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const progress = progressOn(process.stderr);

/** In this order: the first one measures the memory of this process. */
const groups: readonly Group[] = [
  { name: 'scale', about: 'the policy of 10,000 endpoints, and edits of it', rows: () => benchScale() },
  { name: 'policy', about: 'the evaluator, and the matrix of 100 endpoints', rows: () => policyRows() },
  { name: 'verbs', about: 'npm start, validate and policy, as whole processes', rows: verbRows },
  { name: 'synth', about: 'synthesis of the quick start on AWS', rows: benchSynth },
  { name: 'lab', about: 'how fast the lab comes and goes, and how fast packets tell', rows: benchLab },
  {
    name: 'verify',
    about: 'suites between 100 tasks, time to allow and to deny, the prober against programs',
    rows: () => benchVerify(progress),
  },
];

await main({
  name: 'npm run bench',
  usage: '[-- --only GROUP]',
  help: `
Measures every figure of docs/performance.md on this machine, in one run, and says which goals it meets. Needs a machine
that does nothing else. Groups, in their order:

${groups.map(({ name, about }) => `${name.padEnd(8)} ${about}`).join('\n')}

Exit code: 0 measured, whether goals are met or not, 2 the input is wrong, 3 it could not be measured.`,
  options: { only: { type: 'string', value: 'GROUP', help: 'only this group' } },
  most: 0,
  run: async ({ options: { only } }) => {
    const wanted = chosen(groups, only);
    process.stderr.write(`${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`);
    const rows: Row[] = [];
    for (const { name, rows: measure } of wanted) {
      progress.stage(name);
      rows.push(...(await measure()));
      progress.done();
    }
    process.stdout.write(table(rows));
    return exit.fine;
  },
});
