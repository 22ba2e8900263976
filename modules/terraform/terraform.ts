/** Drives Terraform in the folder of one synthesized stack. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { exit, Refusal, type Problem } from '../problem/problem.ts';
import type { ChildProcess, Shell } from '../shell/shell.ts';
import { changesOf, type Changes } from './changes.ts';
import { diagnosticsIn, parseLine, type Diagnostic, type Line } from './lines.ts';
import { parseOutputs, type Outputs } from './outputs.ts';
import { problemsOf } from './problems.ts';
import type { Program } from './program.ts';
import { needOf, type Configuration } from './ready.ts';
import { drifts, resourceChanges, type Drift, type PlanJson, type ResourceChange } from './resources.ts';
import { subjectText } from './subject.ts';

export interface Options {
  readonly shell: Shell;
  readonly program: Program;
  /** The stack's folder, which holds cdk.tf.json. */
  readonly folder: string;
  /** Names of the agent pools, so that messages can name them. */
  readonly pools?: readonly string[];
  /** On top of this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long a plan, and how long an apply, may take before it is stopped. Milliseconds; an hour unless said. */
  readonly limitMs?: number;
  /**
   * What Terraform gets, once asked to stop for its limit, to end the calls that are under way and save the state.
   * Milliseconds; two minutes unless said.
   */
  readonly graceMs?: number;
  /** Told each line as it comes. */
  readonly onLine?: (line: Line) => void;
}

export interface Planned {
  readonly changes: Changes;
  readonly drifted: readonly Drift[];
  readonly warnings: readonly Diagnostic[];
}

/** `init` takes what a download of providers takes. */
const initLimitMs = 10 * 60_000;

interface Ended {
  readonly code: number | null;
  readonly lines: readonly Line[];
  /** Both outputs, but for the lines that are JSON. */
  readonly text: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resources that it works on, in the order in which they were begun. */
  readonly busy: Map<string, number>;
  /** What it makes, or gave up making when it was asked to stop. */
  readonly cut: Set<string>;
  asked: boolean;
}

export class Terraform {
  readonly program: Program;
  readonly folder: string;
  readonly #shell: Shell;
  readonly #pools: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #limitMs: number;
  readonly #graceMs: number;
  readonly #onLine: (line: Line) => void;
  #running: Running | undefined;

  constructor(options: Options) {
    const { shell, program, folder, pools = [], env = {}, limitMs = 60 * 60_000, graceMs = 2 * 60_000 } = options;
    this.program = program;
    this.folder = folder;
    this.#shell = shell;
    this.#pools = pools;
    // Nobody sits before it, and it shall ask HashiCorp for nothing but providers.
    this.#env = { TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1', ...env };
    this.#limitMs = limitMs;
    this.#graceMs = graceMs;
    this.#onLine = options.onLine ?? (() => undefined);
  }

  /** Fetches providers and finds the state, where that is not done yet. Gives whether it had to. */
  async init(): Promise<boolean> {
    const configuration = this.#configuration();
    const need = needOf(configuration, this.#found());
    this.#makeRoomForState(configuration);
    if (need === 'none') return false;
    const words = ['init', '-input=false', '-no-color', ...(need === 'upgrade' ? ['-upgrade'] : [])];
    const ended = await this.#run(words, initLimitMs, 'providers to be fetched');
    if (ended.code !== 0) throw this.#refusal(ended);
    return true;
  }

  /** Writes a plan to a file, which `apply` takes. A plan holds secrets, as the state does. */
  async plan(file: string, { destroy = false }: { readonly destroy?: boolean } = {}): Promise<Planned> {
    const words = ['plan', '-json', '-input=false', '-detailed-exitcode', `-out=${resolve(file)}`];
    const ended = await this.#run([...words, ...(destroy ? ['-destroy'] : [])], this.#limitMs, 'the plan');
    if (ended.code !== 0 && ended.code !== 2) throw this.#refusal(ended);
    const planned = new Set(ended.lines.flatMap((line) => (line.kind === 'planned' ? [line.address] : [])));
    const drift = ended.lines.some((line) => line.kind === 'drift' && planned.has(line.address));
    return {
      changes: changesOf(ended.lines, ended.code === 2),
      drifted: drift ? drifts(await this.#shown(file)) : [],
      warnings: diagnosticsOf(ended).filter(({ severity }) => severity === 'warning'),
    };
  }

  /** What a plan that was written to a file does to each resource; what is kept is among them. */
  async resources(file: string): Promise<readonly ResourceChange[]> {
    return resourceChanges(await this.#shown(file));
  }

  /** Does what a plan says. */
  async apply(file: string, { destroy = false }: { readonly destroy?: boolean } = {}): Promise<void> {
    const limit = this.#limitMs;
    const words = ['apply', '-json', '-input=false', resolve(file)];
    const ended = await this.#run(words, limit, destroy ? 'everything to be destroyed' : 'the changes to be made');
    if (ended.code !== 0) throw this.#refusal(ended);
  }

  async outputs(): Promise<Outputs> {
    return parseOutputs(await this.#told(['output', '-json']));
  }

  /** Whether Terraform is at work right now. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Asks Terraform to stop: it ends what is under way, saves the state, and begins nothing more. Asked again, it is
   * killed with its providers. Resolves when it has ended, with the addresses of what it was making and did not end:
   * providers give up the calls that are under way, so that the cloud may have it, and the state not know of it.
   */
  async interrupt(): Promise<readonly string[]> {
    const running = this.#running;
    if (running === undefined) return [];
    if (running.asked) kill(running.child);
    else running.child.kill('SIGINT');
    running.asked = true;
    await running.ended;
    // Terraform ends a provisioner's shell, and not what that has started.
    kill(running.child);
    return [...running.cut];
  }

  async #shown(file: string): Promise<PlanJson> {
    return JSON.parse(await this.#told(['show', '-json', resolve(file)])) as PlanJson;
  }

  /** The standard output of a command that only reads. */
  async #told(words: readonly string[]): Promise<string> {
    const ended = await this.#shell.run([this.program.path, `-chdir=${this.folder}`, ...words], {
      timeoutMs: 60_000,
      env: this.#env,
    });
    if (ended.code !== 0) throw this.#refusal({ code: ended.code, lines: [], text: ended.stderr });
    return ended.stdout;
  }

  async #run(words: readonly string[], limitMs: number, what: string): Promise<Ended> {
    const command = [this.program.path, `-chdir=${this.folder}`, ...words];
    const lines: Line[] = [];
    const text: string[] = [];
    const busy = new Map<string, number>();
    const cut = new Set<string>();
    // A session of its own: Ctrl-C reaches it once, through us, and not at the same time from the terminal.
    const child = this.#shell.start(command, { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env, detached: true });
    const hear = (raw: string): void => {
      const line = parseLine(raw);
      if (line === undefined) return;
      if (line.kind === 'text') text.push(line.text);
      else lines.push(line);
      if (line.kind === 'begun') busy.set(line.address, performance.now());
      if (line.kind === 'begun' && line.deed === 'create') cut.add(line.address);
      if (line.kind === 'ended' || (line.kind === 'failed' && !running.asked)) cut.delete(line.address);
      if (line.kind === 'ended' || line.kind === 'failed') busy.delete(line.address);
      this.#onLine(line);
    };
    const closed = [child.stdout!, child.stderr!].map((input) => {
      const reader = createInterface({ input });
      reader.on('line', hear);
      return new Promise<void>((done) => reader.once('close', done));
    });
    const ended = new Promise<Ended>((done, fail) => {
      child.once('error', fail);
      child.once('exit', (code) => {
        // What a provisioner left running may hold the pipes for ever.
        const patience = sleep(1_000, undefined, { ref: false });
        void Promise.race([Promise.all(closed), patience]).then(() => done({ code, lines, text: text.join('\n') }));
      });
    });
    const running: Running = { child, ended, busy, cut, asked: false };
    this.#running = running;
    let late: Problem | undefined;
    let grace: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      late = this.#late(words[0]!, limitMs, what, busy);
      void this.interrupt();
      grace = setTimeout(() => kill(child), this.#graceMs);
    }, limitMs);
    try {
      const result = await ended;
      if (late !== undefined) throw new Refusal([late], exit.unknown);
      if (running.asked && result.code !== 0) throw new Refusal([interrupted(words[0]!)], exit.unknown);
      return result;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      this.#running = undefined;
    }
  }

  #late(verb: string, limitMs: number, what: string, busy: ReadonlyMap<string, number>): Problem {
    const waiting = [...busy].map(
      ([address, since]) =>
        `${subjectText(address, this.#pools)} (${address}, for ${minutes(performance.now() - since)})`,
    );
    return {
      code: 'terraform-timeout',
      what: `terraform ${verb} was stopped after ${minutes(limitMs)}; it waited for ${waiting.length > 0 ? waiting.join(', ') : what}.`,
      rule: 'every wait has a limit. What was done by then is in the state.',
      remedy: 'the same command again goes on from there; --timeout MINUTES gives it more time',
    };
  }

  #refusal(ended: Ended): Refusal {
    const where = { folder: this.folder, pools: this.#pools };
    const problems = problemsOf(diagnosticsOf(ended), where);
    // That a cluster is protected is an answer; everything else is trouble.
    const answer = problems.every(({ code }) => code === 'protected') ? exit.no : exit.unknown;
    if (problems.length > 0) return new Refusal(problems, answer);
    const tail = ended.text.trim().split('\n').slice(-5).join(' ');
    return new Refusal(
      [
        {
          code: 'terraform-error',
          at: { file: join(this.folder, 'cdk.tf.json') },
          what: `${this.program.path} ended with ${ended.code ?? 'a signal'}${tail === '' ? '.' : `: ${tail}`}`,
        },
      ],
      exit.unknown,
    );
  }

  #configuration(): Configuration {
    return JSON.parse(readFileSync(join(this.folder, 'cdk.tf.json'), 'utf8')) as Configuration;
  }

  #found(): Parameters<typeof needOf>[1] {
    const variable = (name: string): string => this.#env[name] ?? process.env[name] ?? '';
    const data = resolve(this.folder, variable('TF_DATA_DIR') || '.terraform');
    const attached = variable('TF_REATTACH_PROVIDERS');
    const backend = read(join(data, 'terraform.tfstate'));
    return {
      lock: read(join(this.folder, '.terraform.lock.hcl')),
      statePath:
        backend === undefined
          ? undefined
          : (JSON.parse(backend) as { backend?: { config?: { path?: string } } }).backend?.config?.path,
      installed: (address, version) => existsSync(join(data, 'providers', address, version)),
      reattached: attached === '' ? [] : Object.keys(JSON.parse(attached) as object),
    };
  }

  /** The state of a cluster says everything about it: nobody else on the machine may read it. */
  #makeRoomForState({ terraform }: Configuration): void {
    const path = terraform?.backend?.local?.path;
    if (path !== undefined) mkdirSync(dirname(resolve(this.folder, path)), { recursive: true, mode: 0o700 });
  }
}

const diagnosticsOf = ({ lines, text }: Ended): Diagnostic[] => {
  const found = lines.flatMap((line) => (line.kind === 'diagnostic' ? [line.diagnostic] : []));
  return found.some(({ severity }) => severity === 'error') ? found : [...found, ...diagnosticsIn(text)];
};

const interrupted = (verb: string): Problem => ({
  code: 'interrupted',
  what: `terraform ${verb} was interrupted.`,
  rule: 'what was done by then is in the state.',
  remedy: 'the same command again goes on from there',
});

const minutes = (ms: number): string => (ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);

/** Terraform with all that it started: its providers, and what they run. */
function kill({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
