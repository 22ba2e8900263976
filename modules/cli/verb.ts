/** What all npm scripts share: arguments, `--help`, errors as a user should see them, and exit codes. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from '../problem/nearest.ts';
import { exit, format, Refusal, type ExitCode, type Problem } from '../problem/problem.ts';

export interface Option {
  readonly type: 'boolean' | 'string';
  /** One line for `--help`. */
  readonly help: string;
  /** What stands for the value in `--help`: `NAME`. */
  readonly value?: string;
  /** Only from the command line itself: npm has settings of the same name, and nothing is destroyed because of one. */
  readonly explicit?: boolean;
}

export interface Verb<O extends Record<string, Option>> {
  /** As a user types it: `npm run validate`. */
  readonly name: string;
  /** What follows the name: `FILE… [--json]`. */
  readonly usage: string;
  /** What it does and prints; lines of at most 100 characters. */
  readonly help: string;
  readonly options: O;
  /** How many words it takes at most; a word too many is a mistake, not nothing. Any number where it is left out. */
  readonly most?: number;
  readonly run: (call: Call<O>) => Promise<ExitCode> | ExitCode;
}

export interface Call<O extends Record<string, Option>> {
  readonly words: readonly string[];
  readonly options: { readonly [K in keyof O]?: O[K]['type'] extends 'boolean' ? boolean : string };
  /** What stands behind `--`, for verbs that run a command. */
  readonly rest: readonly string[];
}

/** Runs a verb with the arguments of this process and ends the process with its exit code. */
export async function main<O extends Record<string, Option>>(
  verb: Verb<O>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  // Who reads with `head` has had enough; that is no error.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endOfReading);
  process.exitCode = await call(verb, argv);
}

function endOfReading(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exit.fine);
}

/** Runs a verb; every way it can end is an exit code. */
export async function call<O extends Record<string, Option>>(
  verb: Verb<O>,
  argv: readonly string[],
): Promise<ExitCode> {
  const json = 'json' in verb.options && (argv.includes('--json') || fromNpm(verb.options)['json'] === true);
  try {
    const cut = argv.indexOf('--');
    const own = cut < 0 ? argv : argv.slice(0, cut);
    if (own.includes('--help') || own.includes('-h')) {
      process.stdout.write(helpText(verb));
      return exit.fine;
    }
    const { values, positionals } = parseArgs({
      args: [...own],
      options: verb.options satisfies ParseArgsConfig['options'],
      allowPositionals: true,
      strict: true,
    });
    const extra = positionals[verb.most ?? positionals.length];
    if (extra !== undefined) throw wordTooMany(verb, extra);
    return await verb.run({
      words: positionals,
      options: { ...fromNpm(verb.options), ...values },
      rest: cut < 0 ? [] : argv.slice(cut + 1),
    });
  } catch (error) {
    const refusal = refusalOf(error) ?? usageRefusal(verb, error);
    if (refusal) {
      report(refusal.problems, json);
      return refusal.exitCode;
    }
    process.stderr.write(`${verb.name}: this is a bug of mesos-calico, not a fault of yours.\n`);
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return exit.unknown;
  }
}

/** The refusal itself, or the one that made something else fail. */
function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  return error instanceof Error && error.cause !== undefined ? refusalOf(error.cause) : undefined;
}

/** Problems for a person on stderr, or as JSON on stdout where a program reads. */
export function report(problems: readonly Problem[], json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ problems }, null, 2)}\n`);
  else process.stderr.write(problems.map((problem) => `${format(problem)}\n`).join(''));
}

/** `npm run NAME --json` without `--` in between: npm keeps the option to itself, but leaves it in the environment. */
function fromNpm(options: Record<string, Option>): Record<string, string | boolean> {
  const found: Record<string, string | boolean> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = process.env[`npm_config_${name.replaceAll('-', '_')}`];
    if (option.explicit === true || value === undefined || value === '') continue;
    if (option.type === 'string') found[name] = value;
    else if (value === 'true') found[name] = true;
  }
  return found;
}

function helpText<O extends Record<string, Option>>(verb: Verb<O>): string {
  const rows = Object.entries(verb.options).map(([name, option]): [string, string] => [
    `--${name}${option.value ? ` ${option.value}` : ''}`,
    option.help,
  ]);
  rows.push(['--help', 'print this']);
  const width = Math.max(...rows.map(([left]) => left.length));
  const options = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
  return `${verb.name} ${verb.usage}\n\n${verb.help.trim()}\n\n${options}`;
}

function wordTooMany<O extends Record<string, Option>>({ name, usage }: Verb<O>, word: string): Refusal {
  return new Refusal([{ code: 'usage', what: `"${word}" is one word too many.`, rule: `${name} ${usage}` }]);
}

function usageRefusal<O extends Record<string, Option>>(verb: Verb<O>, error: unknown): Refusal | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!(error instanceof Error) || !code.startsWith('ERR_PARSE_ARGS')) return undefined;
  const seen = /'(--?[^' ]+)/.exec(error.message)?.[1] ?? '';
  const near = nearest(
    seen,
    Object.keys(verb.options).map((name) => `--${name}`),
  );
  return new Refusal([
    {
      code: 'usage',
      what: `${error.message.split('. To ')[0] ?? error.message}.${near && near !== seen ? ` Did you mean ${near}?` : ''}`,
      rule: `${verb.name} ${verb.usage}`,
      example: `${verb.name}${verb.name.startsWith('npm') ? ' --' : ''} --help`,
    },
  ]);
}
