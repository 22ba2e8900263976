/** What `npm run deploy`, `plan` and `destroy` have in common: synthesis, Terraform, confirmation, and an end in order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confirmed } from '../modules/cli/confirm.ts';
import { progressOn, type Progress } from '../modules/cli/progress.ts';
import { report } from '../modules/cli/verb.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { fileOf, loadCluster } from '../modules/cluster/load.ts';
import { exit, format, Refusal, type ExitCode } from '../modules/problem/problem.ts';
import { compiled } from '../modules/root/root.ts';
import { shell } from '../modules/shell/shell.ts';
import { changesText, isEmpty, steps, type Changes } from '../modules/terraform/changes.ts';
import { Follow } from '../modules/terraform/follow.ts';
import { acceptable, harms, type Harm, type Harms } from '../modules/terraform/harm.ts';
import { outputsText, plainOutputs, type Outputs } from '../modules/terraform/outputs.ts';
import { findTerraform } from '../modules/terraform/program.ts';
import { Terraform, type Planned } from '../modules/terraform/terraform.ts';
import { onInterrupt } from './interrupt.ts';

const timeout = {
  type: 'string',
  value: 'MINUTES',
  help: 'how long planning, and how long applying, may take (default: 60)',
} as const;
const json = { type: 'boolean', help: 'print the result as JSON on standard output' } as const;

export const planOptions = {
  check: { type: 'boolean', help: 'exit code 1 when there is anything to change' },
  timeout,
  json,
} as const;
export const changeOptions = {
  yes: { type: 'boolean', explicit: true, help: 'do it without asking; needed where nobody can answer' },
  timeout,
  json,
} as const;

export const deployOptions = {
  yes: changeOptions.yes,
  'accept-loss': {
    type: 'boolean',
    explicit: true,
    help: 'go on though masters are away at the same time, or lose their data',
  },
  timeout,
  json,
} as const;

export type Deed = 'plan' | 'deploy' | 'destroy';

export interface Wish {
  readonly deed: Deed;
  /** What follows the verb: one name or file of a cluster. */
  readonly words: readonly string[];
  readonly options: {
    readonly check?: boolean;
    readonly yes?: boolean;
    readonly 'accept-loss'?: boolean;
    readonly timeout?: string;
    readonly json?: boolean;
  };
}

/** The one object that `--json` prints. */
interface Result {
  readonly cluster: string;
  /** `nothing`: there was nothing to do. */
  readonly done: 'planned' | 'deployed' | 'destroyed' | 'declined' | 'nothing';
  readonly changes: Changes;
  readonly warnings: readonly Harm[];
  readonly outputs?: Readonly<Record<string, unknown>>;
}

const stopping = 'Stopping: Terraform ends what is under way and saves the state. Ctrl-C once more kills it.';
const killing = 'Killing Terraform: the state may not know of what was just being made.';

/** How long synthesis may take: it is a second for any cluster, so this is a machine in trouble. */
const synthesisLimitMs = 5 * 60_000;

export async function build({ deed, words, options }: Wish): Promise<ExitCode> {
  const [word] = words;
  if (word === undefined) throw noName(deed);
  const limitMs = limitOf(options.timeout);
  const cluster = loadCluster(word);
  if (deed === 'destroy' && cluster.protect) throw isProtected(cluster);
  if (deed !== 'plan' && options.yes !== true && !process.stdin.isTTY) throw notConfirmed(deed, word);

  const progress = progressOn(process.stderr);
  const program = await findTerraform(shell);
  const synthesized = await synthesize(cluster, fileOf(word), progress, options.json === true);
  if (synthesized !== exit.fine) return synthesized;

  const pools = Object.keys(cluster.agents);
  const follow = new Follow(progress, pools);
  const terraform = new Terraform({
    shell,
    program,
    folder: join(outputFolder(), 'stacks', cluster.name),
    pools,
    limitMs,
    onLine: follow.line,
  });
  // A plan holds what the state holds: for this user's eyes only, and for this run.
  const folder = mkdtempSync(join(tmpdir(), 'mesos-calico-plan-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  let asked = 0;
  const interrupt = onInterrupt(async () => {
    const first = ++asked === 1;
    if (terraform.running) progress.say(first ? stopping : killing);
    const cut = await terraform.interrupt();
    clean();
    if (asked > 1) return;
    for (const address of cut)
      progress.say(`warning: ${address} was just being made: it may be there, and the state not know of it.`);
    progress.say(`Stopped. What is done is in the state; npm run ${deed} ${word} goes on from there.`);
  });
  try {
    const work = { deed, cluster, pools, terraform, follow, progress, options };
    return await carryOut(work, join(folder, 'plan'));
  } catch (error) {
    // What fails because it was stopped is no news; the signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    throw error;
  } finally {
    progress.done();
    clean();
    interrupt.off();
  }
}

interface Work {
  readonly deed: Deed;
  readonly cluster: Cluster;
  readonly pools: readonly string[];
  readonly terraform: Terraform;
  readonly follow: Follow;
  readonly progress: Progress;
  readonly options: Wish['options'];
}

async function carryOut(work: Work, file: string): Promise<ExitCode> {
  const { deed, cluster, pools, terraform, follow, progress, options } = work;
  progress.stage('prepare Terraform');
  await terraform.init();
  progress.stage('plan');
  const planned = await terraform.plan(file, { destroy: deed === 'destroy' });
  progress.done();
  const { changes } = planned;
  const { refusals, cautions } = await harmsOf(work, changes, file);
  const refused =
    deed === 'plan' ? [] : refusals.filter((one) => !(options['accept-loss'] === true && acceptable(one)));
  const warnings = [...refusals.filter((one) => !refused.includes(one)), ...cautions];
  const say = (result: Pick<Result, 'done'> & { readonly outputs?: Outputs }, text: string): void =>
    print({ cluster: cluster.name, changes, warnings, ...result }, text, options.json === true);
  tell(planned, progress);
  for (const one of warnings) {
    const word = deed === 'plan' && refusals.includes(one) ? 'npm run deploy will refuse' : 'warning';
    progress.say(`${word}: ${format(one)}`);
  }

  if (deed === 'plan') {
    say({ done: 'planned' }, changesText(changes, pools));
    return options.check === true && !isEmpty(changes) ? exit.no : exit.fine;
  }
  if (isEmpty(changes)) {
    const outputs = deed === 'deploy' ? { outputs: await terraform.outputs() } : {};
    say({ done: 'nothing', ...outputs }, `Nothing to ${deed === 'deploy' ? 'change' : 'destroy'}.\n`);
    return exit.fine;
  }
  process.stderr.write(changesText(changes, pools));
  if (refused.length > 0) throw new Refusal(refused, exit.no);
  if (options.yes !== true && !(await confirmed(`To ${deed} it, type its name, ${cluster.name}:`, cluster.name))) {
    say({ done: 'declined' }, 'That was not its name: nothing was changed.\n');
    return exit.no;
  }
  follow.expect(steps(changes));
  progress.stage(deed);
  await terraform.apply(file, { destroy: deed === 'destroy' });
  progress.done();
  if (deed === 'destroy') say({ done: 'destroyed' }, `${cluster.name} is destroyed. Its state file stays.\n`);
  else say({ done: 'deployed', outputs: await terraform.outputs() }, `${cluster.name} is deployed.\n`);
  return exit.fine;
}

/** What is only added harms nobody, so that a first deploy does not read its plan twice. A destroy is asked about as a whole. */
async function harmsOf({ deed, cluster, terraform }: Work, changes: Changes, file: string): Promise<Harms> {
  const { changed, replaced, destroyed } = changes;
  if (deed === 'destroy' || changed.length + replaced.length + destroyed.length === 0)
    return { refusals: [], cautions: [] };
  return harms(await terraform.resources(file), {
    file: cluster.file,
    protect: cluster.protect,
    folder: terraform.folder,
  });
}

/** The stack is written by a process of its own: nothing else of the kit loads cdktf. What it says is passed on. */
async function synthesize(cluster: Cluster, file: string, progress: Progress, asJson: boolean): Promise<ExitCode> {
  progress.stage('synthesize the stack');
  const { code, stderr } = await shell.run([process.execPath, compiled('stacks/main.ts')], {
    timeoutMs: synthesisLimitMs,
    env: { CLUSTERS: file, CDKTF_OUTDIR: outputFolder() },
  });
  progress.done();
  if (code === exit.fine || !asJson) process.stderr.write(stderr);
  if (code === exit.fine) return exit.fine;
  if (asJson) report([{ code: 'not-synthesized', at: { file }, what: `${cluster.name}: ${stderr.trim()}` }], true);
  return code === exit.no || code === exit.badInput ? code : exit.unknown;
}

/** Where cdktf writes, too; states lie beside it, since a stack's backend names them relative to it. */
const outputFolder = (): string => process.env['CDKTF_OUTDIR'] ?? 'cdktf.out';

function tell({ drifted, warnings }: Planned, progress: Progress): void {
  for (const { summary, address } of warnings)
    progress.say(`warning: ${address === undefined ? '' : `${address}: `}${summary}`);
  for (const { address, attributes } of drifted) {
    const what = attributes.length === 0 ? 'is gone' : `has another ${attributes.join(', ')}`;
    progress.say(`warning: ${address} ${what} since the last deploy; this puts it back.`);
  }
}

function print(
  { outputs, ...result }: Omit<Result, 'outputs'> & { readonly outputs?: Outputs },
  text: string,
  asJson: boolean,
): void {
  const whole: Result = { ...result, ...(outputs === undefined ? {} : { outputs: plainOutputs(outputs) }) };
  if (asJson) process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  else process.stdout.write(`${text}${outputs === undefined ? '' : `\n${outputsText(outputs)}`}`);
}

function limitOf(word: string | undefined): number {
  const minutes = word === undefined ? 60 : Number(word);
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 24 * 60) return minutes * 60_000;
  throw new Refusal([
    {
      code: 'usage',
      what: `--timeout is "${word}".`,
      rule: 'minutes, 1 to 1440.',
      example: '--timeout 90',
    },
  ]);
}

const noName = (deed: Deed): Refusal =>
  new Refusal([
    {
      code: 'usage',
      what: 'no cluster is named.',
      rule: `npm run ${deed} CLUSTER`,
      example: `npm run ${deed} quickstart-aws`,
    },
  ]);

const isProtected = ({ file, name }: Cluster): Refusal =>
  new Refusal([
    {
      code: 'protected',
      at: { file, path: 'protect' },
      what: `${name} is protected: it is not destroyed.`,
      rule: 'protect: true in the description keeps a cluster from being destroyed by mistake.',
      remedy: `protect: false, then npm run deploy ${name}, then npm run destroy ${name}`,
    },
  ]);

const notConfirmed = (deed: Deed, word: string): Refusal =>
  new Refusal([
    {
      code: 'not-confirmed',
      what: 'standard input is no terminal: nobody can be asked.',
      rule: `${deed} asks for the cluster's name to be typed.`,
      remedy: `npm run ${deed} ${word} -- --yes`,
    },
  ]);
