import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duration } from '../modules/cli/duration.ts';
import { progressOn } from '../modules/cli/progress.ts';
import { main, type Call } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { loadCluster } from '../modules/cluster/load.ts';
import { isOf, marksIn, timeOf, variable, wordOf } from '../modules/nightly/expiry.ts';
import { folderName, lastNight } from '../modules/nightly/last.ts';
import { night, type Asked, type Night, type Plan } from '../modules/nightly/night.ts';
import { begin, type Phase } from '../modules/nightly/phase.ts';
import { stateFile } from '../modules/nightly/states.ts';
import { verdict, type Verdict } from '../modules/nightly/verdict.ts';
import { exit, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { compare, type Comparison } from '../modules/report/compare.ts';
import { comparedText } from '../modules/report/compared.ts';
import { readReport } from '../modules/report/read.ts';
import { compiled } from '../modules/root/root.ts';
import { shell, signalCode } from '../modules/shell/shell.ts';
import { suiteOf } from '../modules/verify/suite/list.ts';

const options = {
  suite: { type: 'string', value: 'SUITE', help: 'what to verify (default: policy)' },
  reuse: { type: 'boolean', explicit: true, help: 'verify the cluster that stands; deploy and destroy nothing' },
  inventory: { type: 'string', value: 'FILE', help: 'handed on to verify: where the machines are' },
  launcher: { type: 'string', value: 'LAUNCHER', help: 'handed on to verify: marathon or docker' },
  image: { type: 'string', value: 'IMAGE', help: 'handed on to verify: of probe tasks under Docker' },
  'accept-new-host-keys': { type: 'boolean', explicit: true, help: 'handed on to doctor and verify' },
  name: { type: 'string', value: 'LAB', help: "handed on to verify: the lab's name" },
  reports: { type: 'string', value: 'DIR', help: 'where a folder for each night is made (default: reports/CLUSTER)' },
  'deploy-limit': { type: 'string', value: 'TIME', help: 'how long the deploy may take (90s, 10m, 2h; default: 1h)' },
  'ready-limit': { type: 'string', value: 'TIME', help: 'and the cluster then to be healthy (default: 20m)' },
  'verify-limit': { type: 'string', value: 'TIME', help: 'and the verification (default: 2h)' },
  'destroy-limit': { type: 'string', value: 'TIME', help: 'and the destroy (default: 1h)' },
  json: { type: 'boolean', help: 'print nightly.json on standard output' },
} as const;
type Options = Call<typeof options>['options'];

interface Work {
  readonly cluster: Cluster;
  readonly word: string;
  readonly suite: string;
  /** Whether it deploys, and destroys. */
  readonly deploys: boolean;
  readonly start: Date;
  /** Until when what it deploys may stand. */
  readonly expires: Date;
  /** Where the folders of all nights are, and that of this one. */
  readonly reports: string;
  readonly folder: string;
  readonly options: Options;
}

/** What is left of the limits when all of them are used up, before the cluster is anybody's to sweep. */
const marginMs = 30 * 60_000;
/** A look of the doctor takes seconds; a host that does not answer has its own limit in it. */
const lookMs = 5 * 60_000;

async function run({ words: [word], options: chosen }: Call<typeof options>): Promise<ExitCode> {
  if (word === undefined) throw noName();
  const work = workOf(word, chosen);
  const progress = progressOn(process.stderr);
  const asked = signals();
  mkdirSync(work.folder, { recursive: true });
  if (work.deploys) progress.say(`What it deploys may stand until ${wordOf(work.expires)}: npm run sweep.`);
  const done = await night(planOf(work), {
    begin: (phase) => {
      progress.stage(phase.name);
      const going = begin(shell, phase);
      void going.ended.then(({ code, late }) => {
        progress.done();
        if (code !== exit.fine || late) progress.say(tailOf(phase));
      });
      return going;
    },
    ours: () => ours(work),
    say: (text) => progress.say(text),
    asked,
  });
  const comparison = comparisonOf(work);
  const judged = verdict(work.word, done, comparison);
  write(work, done, comparison, judged);
  asked.off();
  const signal = asked.name();
  return signal === undefined ? judged.exitCode : process.exit(signalCode(signal));
}

function workOf(word: string, chosen: Options): Work {
  const cluster = loadCluster(word);
  const suite = suiteOf(chosen.suite ?? 'policy').name;
  const deploys = cluster.target.kind !== 'lab' && chosen.reuse !== true;
  if (deploys) {
    if (cluster.target.kind !== 'aws' && cluster.target.kind !== 'gce') throw onlyReused(cluster);
    if (cluster.protect) throw isProtected(cluster);
    if (standing(cluster) > 0) throw stands(cluster);
  }
  const start = new Date();
  const limits = limitsOf(chosen);
  const whole = limits.deploy + limits.ready + limits.verify + limits.destroy + marginMs;
  const told = process.env[variable];
  const expires = told === undefined || told === '' ? new Date(start.getTime() + whole) : timeOf(told);
  expires.setMilliseconds(0);
  const reports = chosen.reports ?? join('reports', cluster.name);
  return {
    cluster,
    word,
    suite,
    deploys,
    start,
    expires,
    reports,
    folder: join(reports, folderName(start)),
    options: chosen,
  };
}

const limitsOf = (chosen: Options): Record<'deploy' | 'ready' | 'verify' | 'destroy', number> => ({
  deploy: duration('deploy-limit', chosen['deploy-limit'] ?? '1h'),
  ready: duration('ready-limit', chosen['ready-limit'] ?? '20m'),
  verify: duration('verify-limit', chosen['verify-limit'] ?? '2h'),
  destroy: duration('destroy-limit', chosen['destroy-limit'] ?? '1h'),
});

/**
 * Each part is the verb that a person would call, as a process of its own: each ends its own things in order, and none can
 * take the one with it that destroys.
 */
function planOf({ cluster, word, suite, deploys, expires, folder, options: chosen }: Work): Plan {
  const limits = limitsOf(chosen);
  const lab = cluster.target.kind === 'lab';
  const phase = (name: string, limitMs: number, ...words: string[]): Phase => ({
    name,
    command: [process.execPath, compiled(`verbs/${name}.ts`), word, ...words],
    log: join(folder, `${name}.log`),
    limitMs,
    env: { [variable]: wordOf(expires) },
  });
  const keys = chosen['accept-new-host-keys'] === true ? ['--accept-new-host-keys'] : [];
  const handed = (['inventory', 'launcher', 'image', 'name'] as const).flatMap((name) =>
    chosen[name] === undefined ? [] : [`--${name}`, chosen[name]],
  );
  return {
    ...(deploys ? { deploy: phase('deploy', limits.deploy, '--yes', ...timeout(limits.deploy)) } : {}),
    ...(lab ? {} : { doctor: phase('doctor', lookMs, ...keys) }),
    readyMs: limits.ready,
    pauseMs: 15_000,
    verify: phase('verify', limits.verify, '--suite', suite, '--reports', folder, ...handed, ...keys),
    destroy: phase('destroy', limits.destroy, '--yes', ...timeout(limits.destroy)),
  };
}

/** Terraform's own limit, of which it knows what it waited for. */
const timeout = (ms: number): string[] => ['--timeout', `${Math.min(1440, Math.max(1, Math.floor(ms / 60_000)))}`];

const stateOf = ({ name }: Cluster): string =>
  existsSync(stateFile(name)) ? readFileSync(stateFile(name), 'utf8') : '';
const standing = (cluster: Cluster): number => marksIn(stateOf(cluster)).standing;

/** A state that cannot be read may hold anything: the destroy is tried, and says what is wrong. */
function ours({ cluster, expires }: Work): 'ours' | 'nothing' | 'not ours' {
  try {
    const marks = marksIn(stateOf(cluster));
    return marks.standing === 0 ? 'nothing' : isOf(marks, expires) ? 'ours' : 'not ours';
  } catch {
    return 'ours';
  }
}

function comparisonOf({ reports, suite, folder, start }: Work): Comparison | undefined {
  const now = join(folder, 'report.json');
  const last = lastNight(reports, suite, folderName(start));
  return last === undefined || !existsSync(now) ? undefined : compare(last.report, readReport(now));
}

function write(work: Work, { phases, left }: Night, comparison: Comparison | undefined, judged: Verdict): void {
  const { cluster, suite, folder, start, deploys, expires } = work;
  const result = {
    schema: 'mesos-calico/nightly/1',
    cluster: cluster.name,
    suite,
    startedAt: start.toISOString(),
    endedAt: new Date().toISOString(),
    ...(deploys ? { expires: wordOf(expires) } : {}),
    phases,
    left,
    ...(comparison === undefined ? {} : { comparedWith: comparison.before.startedAt, worse: comparison.worse }),
    ...judged,
  };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  writeFileSync(join(folder, 'nightly.json'), text);
  if (comparison !== undefined) writeFileSync(join(folder, 'comparison.txt'), `${comparedText(comparison)}\n`);
  const lines = judged.alarm.map((line) => `${cluster.name}: ${line}\n`);
  if (lines.length > 0) appendFileSync(join(folder, 'alarm.txt'), lines.join(''));
  if (work.options.json === true) process.stdout.write(text);
  else process.stdout.write(lines.length > 0 ? lines.join('') : `${cluster.name}: a good night. ${folder}\n`);
  // A line of this form is shown at the top of a run's page.
  if (process.env['GITHUB_ACTIONS'] === 'true')
    for (const line of judged.alarm) process.stderr.write(`::error title=nightly ${cluster.name}::${line}\n`);
}

/** The end of what a part said, for who sees only this. */
const tailOf = ({ log }: Phase): string =>
  readFileSync(log, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-10)
    .map((line) => `  | ${line}`)
    .join('\n');

interface Signals extends Asked {
  /** The first of them. */
  readonly name: () => NodeJS.Signals | undefined;
  readonly off: () => void;
}

/** Ctrl-C, a polite request to end, a terminal that went away: counted, and told to whatever is going on. */
function signals(): Signals {
  const all = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const hearers = new Set<() => void>();
  let times = 0;
  let first: NodeJS.Signals | undefined;
  const handle = (name: NodeJS.Signals): void => {
    times++;
    first ??= name;
    for (const hear of hearers) hear();
  };
  for (const name of all) process.on(name, handle);
  return {
    times: () => times,
    name: () => first,
    on: (hear) => {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
    off: () => {
      for (const name of all) process.off(name, handle);
    },
  };
}

const noName = (): Refusal =>
  new Refusal([
    { code: 'usage', what: 'no cluster is named.', rule: 'npm run nightly CLUSTER', example: 'npm run nightly lab' },
  ]);

const onlyReused = ({ file, name, target }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'nightly-reuses',
      at: { file, path: 'target' },
      what: `${name} is on ${target.kind}, where nothing says until when it may stand.`,
      rule: 'a night deploys and destroys in clouds alone: what it makes there has a time after which npm run sweep ends it.',
      remedy: `npm run deploy ${name}, then every night npm run nightly ${name} -- --reuse`,
    },
  ]);

const isProtected = ({ file, name }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'protected',
      at: { file, path: 'protect' },
      what: `${name} is protected: it could be deployed, and not be destroyed.`,
      rule: 'a night destroys what it has deployed.',
      remedy: 'protect: false, or --reuse to verify the one that stands',
    },
  ]);

const stands = ({ name }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'cluster-stands',
      at: { file: stateFile(name) },
      what: `${name} stands already.`,
      rule: 'a night deploys a cluster of its own and destroys it; one that was there before is not touched.',
      remedy: `--reuse verifies the one that stands; npm run sweep ${name} says whether an earlier night has left it`,
    },
  ]);

await main({
  name: 'npm run nightly',
  usage:
    'CLUSTER [-- [--suite SUITE] [--reuse] [--inventory FILE] [--launcher LAUNCHER] [--image IMAGE] [--accept-new-host-keys] [--name LAB] [--reports DIR] [--deploy-limit TIME] [--ready-limit TIME] [--verify-limit TIME] [--destroy-limit TIME] [--json]]',
  help: `
Deploys a cluster, waits until the doctor finds it healthy, verifies it, compares the report with that of the last night, and
destroys what it has deployed, however all that ends. In the lab, and with --reuse, nothing is deployed and nothing destroyed.

Everything goes to reports/CLUSTER/DATE/: a log of each part, the reports, comparison.txt, nightly.json, and alarm.txt when
somebody should look. Ctrl-C and SIGTERM end it in order: a deploy that is under way ends first (the second time it is stopped),
and then it is destroyed. What it deploys is marked with a time: should it be killed, npm run sweep finds it.

Exit code: 0 all is well and no worse than last time, 1 policy wrong, too late, ill, or worse, 2 the input is wrong, 3 it could
not be found out, or was not destroyed, 130 or 143 interrupted.`,
  options,
  most: 1,
  run,
});
