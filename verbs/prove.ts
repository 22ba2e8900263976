/** What `npm start` and `npm run verify` have in common: a lab, a verification in it, reports, and an end in order. */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { progressOn, type Progress } from '../modules/cli/progress.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { Tools } from '../modules/lab/api.ts';
import { connectLab, endLab, findLab, type Lab } from '../modules/lab/lab.ts';
import { LabTarget } from '../modules/lab/target.ts';
import { hostsOf } from '../modules/lab/topology.ts';
import { bringUp, checkMachine } from '../modules/lab/up.ts';
import type { PolicyDocument } from '../modules/policy/document.ts';
import { exit, format, Refusal, type ExitCode, type Problem } from '../modules/problem/problem.ts';
import { html } from '../modules/report/html.ts';
import { json } from '../modules/report/json.ts';
import { junit } from '../modules/report/junit.ts';
import { styleOf } from '../modules/report/style.ts';
import { stepText, summaryText } from '../modules/report/terminal.ts';
import { shell } from '../modules/shell/shell.ts';
import { readPolicies } from '../modules/verify/documents.ts';
import type { Outcome, Report } from '../modules/verify/report.ts';
import { checkPolicy, verify } from '../modules/verify/run.ts';
import { policy } from '../modules/verify/suite/policy.ts';
import { runSuite, type SuiteListener } from '../modules/verify/suite/run.ts';
import type { Suite, Wish as SuiteWish } from '../modules/verify/suite/suite.ts';
import { onInterrupt } from './interrupt.ts';
import { checked, installIfNeeded } from './prepare.ts';
import { onReal, type Wish as RealWish } from './real.ts';

export const proveOptions = {
  name: {
    type: 'string',
    value: 'LAB',
    help: "the lab's name, so that two can run side by side (default: the cluster's)",
  },
  keep: { type: 'boolean', help: 'leave the lab running at the end, and say how to look around' },
  docker: { type: 'boolean', help: 'probe tasks run in a Docker engine of each agent (needs root)' },
  seed: { type: 'string', value: 'N', help: 'repeat the order of an earlier run' },
  reports: {
    type: 'string',
    value: 'DIR',
    help: 'where report.json, junit.xml and report.html go (default: reports/CLUSTER)',
  },
  json: { type: 'boolean', help: 'print the report as JSON on standard output' },
} as const;

export interface Wish {
  /** Name or file of the cluster. */
  readonly cluster: string;
  /** Step by step, file by file, in a lab of its own; else the whole policy, in the lab that runs if one does. */
  readonly walk: boolean;
  /** What a verification that is no walk runs. */
  readonly suite?: Suite;
  readonly asked?: SuiteWish;
  /** How long another verification of the same cluster is waited for, milliseconds. */
  readonly waitMs?: number;
  readonly options: {
    readonly name?: string;
    readonly keep?: boolean;
    readonly docker?: boolean;
    readonly seed?: string;
    readonly reports?: string;
    readonly json?: boolean;
  } & RealWish['options'];
}

const exitCodes: Readonly<Record<Outcome, ExitCode>> = {
  pass: exit.fine,
  'policy-wrong': exit.no,
  slow: exit.no,
  'infrastructure-broken': exit.unknown,
};

export async function prove({
  cluster: word,
  walk,
  options,
  suite = policy,
  asked = {},
  waitMs = 0,
}: Wish): Promise<ExitCode> {
  const startedAt = new Date();
  const begin = performance.now();
  const progress = progressOn(process.stderr);
  const seed = seedOf(options.seed);
  progress.stage('check the description and its policy');
  const cluster = checked(word, progress);
  const real = cluster.target.kind !== 'lab';
  if (real && walk) throw new Refusal([notTheLab(cluster)]);
  if (!real && options.launcher !== undefined) throw new Refusal([launchesItself(cluster)]);
  const documents = readPolicies(cluster);
  for (const warning of checkPolicy(cluster, documents)) progress.say(`warning: ${format(warning)}`);
  progress.done();
  const stages = [{ name: 'check the description', ms: Math.round(performance.now() - begin) }];
  const gently = (): boolean => {
    const takes = asked.stop?.ask() === true;
    if (takes)
      progress.say('Ctrl-C: it ends once this round or suite is done, with a report; Ctrl-C again ends it at once');
    return takes;
  };
  if (real) {
    const run = { cluster, documents, seed, startedAt, wish: asked, holder: holder(suite, startedAt), waitMs };
    const told = listener(progress, options.json === true, undefined);
    const report = await onReal({ cluster, options, progress, holder: run.holder, waitMs, gently }, (target, found) =>
      runSuite(target, suite, { ...run, ...found, stages: [...stages, ...found.stages] }, told),
    );
    return conclude(report, cluster, options, progress);
  }
  await installIfNeeded(progress, options.docker);

  const name = options.name ?? cluster.name;
  let opened: Opened | undefined;
  let target: LabTarget | undefined;
  // A lab that has only just begun is not known here yet; it hangs on a pipe to this process, and ends with it.
  const interrupt = onInterrupt(async () => {
    if (opened?.owned === true) await endLab(opened.lab);
    else {
      await target?.cleanUp();
      await target?.release();
    }
  }, gently);
  try {
    opened = await open(cluster, name, walk, progress, options.docker === true);
    target = new LabTarget(opened.lab, cluster, opened.tools);
    const keeps = opened.owned && options.keep === true;
    if (!keeps) target.bind();
    const run = {
      cluster,
      documents,
      seed,
      startedAt,
      host: hostsOf(cluster),
      leaveTasks: walk ? opened.owned : keeps,
      stages: [...stages, ...opened.stages],
    };
    const told = listener(progress, options.json === true, walk ? documents : undefined);
    const report = walk
      ? await verify(target, { ...run, walk }, told)
      : await runSuite(target, suite, { ...run, wish: asked, holder: holder(suite, startedAt), waitMs }, told);
    const code = conclude(report, cluster, options, progress);
    if (opened.owned && options.keep === true) {
      opened.lab.detach();
      opened = undefined;
      progress.say(lookAround(name, report));
    }
    return code;
  } catch (error) {
    // What fails because the lab was just taken away is no news; the signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    throw error;
  } finally {
    if (opened?.owned === true) await endLab(opened.lab);
    else opened?.lab.disconnect();
    interrupt.off();
  }
}

/** Unique, and enough for another person to find out whom to ask. */
const holder = (suite: Suite, since: Date): string =>
  `${userInfo().username} on ${hostname()} (process ${process.pid}, suite ${suite.name}, since ${since.toISOString()})`;

/** Writes the reports, and says how it ended. */
function conclude(report: Report, cluster: Cluster, options: Wish['options'], progress: Progress): ExitCode {
  progress.done();
  const page = write(report, options.reports ?? join('reports', cluster.name));
  if (options.json === true) process.stdout.write(json(report));
  else process.stdout.write(`${summaryText(report, styleOf(process.stdout, process.env))}\n${page}\n`);
  return exitCodes[report.outcome];
}

interface Opened {
  readonly lab: Lab;
  readonly tools: Tools;
  /** Whether this run made the lab, and so takes it down. */
  readonly owned: boolean;
  readonly stages: Report['stages'];
}

async function open(
  cluster: Cluster,
  name: string,
  walk: boolean,
  progress: Progress,
  docker: boolean,
): Promise<Opened> {
  const running = walk ? undefined : findLab(name);
  if (running === undefined) {
    return { ...(await bringUp(shell, cluster, name, (stage) => progress.stage(stage), { docker })), owned: true };
  }
  progress.say(`using the lab ${name}, which runs already`);
  const lab = await connectLab(running);
  try {
    const engines = (await lab.call('status', {})).topology.engines !== undefined;
    if (docker && !engines) throw new Refusal([withoutEngines(name)]);
    return { lab, tools: await checkMachine(shell, engines), owned: false, stages: [] };
  } catch (error) {
    lab.disconnect();
    throw error;
  }
}

const withoutEngines = (name: string): Problem => ({
  code: 'lab-without-engines',
  what: `the lab ${name} runs, and has no Docker engines.`,
  rule: 'engines come with the lab: npm run lab up CLUSTER -- --docker.',
  remedy: `npm run lab down -- --name ${name}, then again; or another name with --name; or without --docker`,
});

/** Shows each step when it is done; `steps` are the policy files of a walk. */
function listener(progress: Progress, quiet: boolean, steps: readonly PolicyDocument[] | undefined): SuiteListener {
  const style = styleOf(process.stdout, process.env);
  return {
    stage: (name) => progress.stage(name),
    note: (text) => progress.note(text),
    step: (soFar, index) => {
      progress.done();
      if (!quiet) process.stdout.write(`\n${stepText(soFar, index, style, steps?.length ?? 1)}\n`);
    },
  };
}

function seedOf(word: string | undefined): number {
  if (word === undefined) return randomInt(2 ** 31);
  if (/^\d{1,10}$/.test(word)) return Number(word);
  throw new Refusal([
    { code: 'usage', what: `--seed is "${word}".`, rule: 'a seed is a whole number.', example: '--seed 42' },
  ]);
}

const notTheLab = ({ file, name, target }: Cluster): Problem => ({
  code: 'verify-target',
  at: { file, path: 'target' },
  what: `the target is ${target.kind}, and npm start shows a policy step by step in a lab of its own.`,
  rule: 'a cluster that others use is verified as it is declared, not walked through half a policy.',
  remedy: `npm run verify ${name}`,
});

const launchesItself = ({ file, name }: Cluster): Problem => ({
  code: 'verify-launcher',
  at: { file, path: 'target' },
  what: '--launcher is about real clusters, and this is a lab, which starts its tasks itself.',
  remedy: `npm run verify ${name} -- --docker has them in Docker engines`,
});

/** Writes the three forms of the report; gives the line that says where. */
function write(report: Report, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const page = join(folder, 'report.html');
  writeFileSync(join(folder, 'report.json'), json(report));
  writeFileSync(join(folder, 'junit.xml'), junit(report));
  writeFileSync(page, html(report));
  return `Report: ${page} (also report.json and junit.xml)`;
}

function lookAround(name: string, { tasks }: Report): string {
  const option = `--name ${name}`;
  return [
    `The lab ${name} stays. To look around:`,
    `  npm run lab status -- ${option}`,
    `  npm run lab exec ${tasks[0]?.name ?? 'TASK'} -- ${option} -- ip route`,
    `  npm run lab down -- ${option}`,
  ].join('\n');
}
