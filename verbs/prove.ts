/** What `npm start` and `npm run verify` have in common: a lab, a verification in it, reports, and an end in order. */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { progressOn, type Progress } from '../modules/cli/progress.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { readCluster } from '../modules/cluster/read.ts';
import { fileOf } from '../modules/cluster/load.ts';
import { install, mayInstall } from '../modules/lab/install.ts';
import { connectLab, endLab, findLab, type Lab } from '../modules/lab/lab.ts';
import { debianPackages } from '../modules/lab/programs.ts';
import { LabTarget } from '../modules/lab/target.ts';
import { topology } from '../modules/lab/topology.ts';
import { bringUp, checkMachine } from '../modules/lab/up.ts';
import { exit, format, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { html } from '../modules/report/html.ts';
import { json } from '../modules/report/json.ts';
import { junit } from '../modules/report/junit.ts';
import { styleOf } from '../modules/report/style.ts';
import { stepText, summaryText } from '../modules/report/terminal.ts';
import { shell } from '../modules/shell/shell.ts';
import { readPolicies } from '../modules/verify/documents.ts';
import type { Outcome, Report } from '../modules/verify/report.ts';
import { checkPolicy, verify } from '../modules/verify/run.ts';

export const proveOptions = {
  name: {
    type: 'string',
    value: 'LAB',
    help: "the lab's name, so that two can run side by side (default: the cluster's)",
  },
  keep: { type: 'boolean', help: 'leave the lab running at the end, and say how to look around' },
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
  /** Step by step, file by file. */
  readonly walk: boolean;
  readonly options: {
    readonly name?: string;
    readonly keep?: boolean;
    readonly seed?: string;
    readonly reports?: string;
    readonly json?: boolean;
  };
}

const exitCodes: Readonly<Record<Outcome, ExitCode>> = {
  pass: exit.fine,
  'policy-wrong': exit.no,
  slow: exit.no,
  'infrastructure-broken': exit.unknown,
};

/** The exit code that a shell gives to a program that a signal ended. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export async function prove({ cluster: word, walk, options }: Wish): Promise<ExitCode> {
  const startedAt = new Date();
  const begin = performance.now();
  const progress = progressOn(process.stderr);
  progress.stage('check the description and its policy');
  const cluster = checked(word, progress);
  const documents = readPolicies(cluster);
  checkPolicy(cluster, documents);
  progress.done();
  const seed = seedOf(options.seed);
  const stages = [{ name: 'check the description', ms: Math.round(performance.now() - begin) }];
  if (cluster.target.kind !== 'lab') throw new Refusal([notYet(cluster)]);

  await installIfNeeded(progress);
  const name = options.name ?? cluster.name;
  let lab: Lab | undefined;
  let owned = false;
  // Whatever signal comes, at whatever moment: the lab goes first, then this process. A lab that has only just begun is
  // not known here yet; it hangs on a pipe to this process, and ends with it.
  let interrupted = false;
  const onSignal = (signal: keyof typeof signals): void => {
    interrupted = true;
    const gone = lab && owned ? endLab(lab) : Promise.resolve();
    void gone.finally(() => process.exit(signals[signal]));
  };
  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) process.on(signal, onSignal);
  try {
    const running = findLab(name);
    owned = running === undefined;
    if (running && !walk) {
      progress.say(`using the lab ${name}, which runs already`);
      lab = await connectLab(running);
    }
    const up = lab ? undefined : await bringUp(shell, cluster, name, (stage) => progress.stage(stage));
    lab ??= up!.lab;
    const target = new LabTarget(lab, cluster, up?.tools ?? (await checkMachine(shell)));
    const hosts = new Map(topology(cluster).hosts.map((host) => [host.name, host.address]));
    const style = styleOf(process.stdout, process.env);
    const report = await verify(
      target,
      {
        cluster,
        documents,
        walk,
        seed,
        startedAt,
        host: (node) => ({ name: node, address: hosts.get(node)! }),
        stages: [...stages, ...(up?.stages ?? [])],
      },
      {
        stage: (stage) => progress.stage(stage),
        step: (soFar, index) => {
          progress.done();
          if (options.json !== true)
            process.stdout.write(`\n${stepText(soFar, index, style, walk ? documents.length : 1)}\n`);
        },
      },
    );
    progress.done();
    const files = write(report, options.reports ?? join('reports', cluster.name));
    if (options.json === true) process.stdout.write(json(report));
    else process.stdout.write(`${summaryText(report, style)}\n${files}\n`);
    if (owned && options.keep === true) {
      lab.detach();
      owned = false;
      progress.say(lookAround(name, report));
    }
    return exitCodes[report.outcome];
  } catch (error) {
    // What fails because the lab was just taken away is no news; the signal's handler ends the process.
    if (interrupted) await new Promise(() => undefined);
    throw error;
  } finally {
    if (lab && owned) await endLab(lab);
    else lab?.disconnect();
    for (const signal of Object.keys(signals) as (keyof typeof signals)[]) process.off(signal, onSignal);
  }
}

/** The cluster of a word; its warnings are said, its problems are thrown. */
export function checked(word: string, progress: Progress): Cluster {
  const { cluster, problems, warnings } = readCluster(fileOf(word));
  for (const warning of warnings) progress.say(`warning: ${format(warning)}`);
  if (cluster === undefined) throw new Refusal(problems);
  return cluster;
}

/** Programs are installed unasked only as root on Debian or with CI=true, and not without a word. */
export async function installIfNeeded(progress: Progress): Promise<void> {
  if (process.platform !== 'linux' || !mayInstall()) return;
  progress.stage(`install ${debianPackages.join(', ')} with apt-get`);
  await install(shell);
  progress.done();
}

function seedOf(word: string | undefined): number {
  if (word === undefined) return randomInt(2 ** 31);
  if (/^\d{1,10}$/.test(word)) return Number(word);
  throw new Refusal([
    { code: 'usage', what: `--seed is "${word}".`, rule: 'a seed is a whole number.', example: '--seed 42' },
  ]);
}

const notYet = ({ file, target }: Cluster) => ({
  code: 'verify-target',
  at: { file, path: 'target' },
  what: `a cluster on ${target.kind} cannot be verified from here yet.`,
  rule: 'this version verifies clusters whose target is lab.',
  example: 'target: { lab: {} }',
});

function write(report: Report, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  put('report.json', json(report));
  put('junit.xml', junit(report));
  return `Report: ${put('report.html', html(report))} (also report.json and junit.xml)`;
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
