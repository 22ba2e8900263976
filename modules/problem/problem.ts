import { pageOf } from './pages.ts';

/** An error that a user can meet, as a value: made in one place, tested by its code and path, printed in one form. */
export interface Problem {
  /** Stable, kebab-case: `unknown-key`, `ip-pool-overlaps-subnet`. Tests and programs go by it. */
  readonly code: string;
  readonly at?: Place;
  /** What is wrong, in one sentence, with the value seen. */
  readonly what: string;
  /** The rule that was broken, or why it matters. */
  readonly rule?: string;
  /** An example of what is accepted. */
  readonly example?: string;
  /** What to do about it, where an example alone would not say. */
  readonly remedy?: string;
}

/** Where in which file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** Path of the value in its document: `agents.general.count`. Empty for the document itself. */
  readonly path?: string;
}

/** Exit codes of every verb. `unknown` means that the answer could not be found out: infrastructure is broken. */
export const exit = { fine: 0, no: 1, badInput: 2, unknown: 3 } as const;
export type ExitCode = (typeof exit)[keyof typeof exit];

/** Thrown to end a verb with problems for the user; never for a bug of ours. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;

  constructor(problems: readonly Problem[], exitCode: ExitCode = exit.badInput) {
    super(problems.map(format).join('\n'));
    this.problems = problems;
    this.exitCode = exitCode;
  }
}

/** `file:line:col path: what. Rule: … Example: … Remedy: … [code]` on one line, as editors and grep expect it; then a page. */
export function format(problem: Problem): string {
  const { at, what, rule, example, remedy } = problem;
  const position = at ? [at.file, at.line, at.column].filter((part) => part !== undefined).join(':') : '';
  const place = [position, at?.path ?? ''].filter((part) => part !== '').join(' ');
  const parts = [what, rule && `Rule: ${rule}`, example && `Example: ${example}`, remedy && `Remedy: ${remedy}`].filter(
    Boolean,
  );
  const page = pageOf(problem.code);
  return `${place ? `${place}: ` : ''}${parts.join(' ')} [${problem.code}]${page ? ` see ${page}` : ''}`;
}
