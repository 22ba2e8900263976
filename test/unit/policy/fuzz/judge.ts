/** What holds for every parser: what it gives back is sound, and what it refuses is refused with a reason and a place. */
import type { Problem } from '../../../../modules/problem/problem.ts';
import type { Result } from '../../../../modules/policy/result.ts';
import type { Source } from './mutate.ts';

/** A parser under test. */
export interface Fuzzed extends Source {
  readonly name: string;
  /** Reads the text, and nothing else: to be timed. */
  readonly parse: (text: string) => unknown;
  /** Reads the text, and says what is wrong with what came out; undefined if nothing is. It throws what the parser throws. */
  readonly fault: (text: string) => string | undefined;
}

/** A parser with an outcome of any kind, and what judges it. */
export function fuzzed<T>(
  name: string,
  source: Source,
  parse: (text: string) => T,
  fault: (outcome: T, text: string) => string | undefined,
): Fuzzed {
  return { name, ...source, parse, fault: (text) => fault(parse(text), text) };
}

/** A parser that gives a Result; `fault` judges the value, `accepts` says which texts it should take (default: any). */
export function fuzzedResult<V>(
  name: string,
  source: Source,
  parse: (text: string) => Result<V>,
  more: {
    /** One text is one line, whatever is in it. Otherwise lines are what is between line feeds. */
    readonly oneLine?: true;
    readonly accepts?: (text: string) => boolean;
    readonly fault?: (value: V, text: string) => string | undefined;
  } = {},
): Fuzzed {
  return fuzzed(name, source, parse, (result, text) => {
    const { accepts } = more;
    if (accepts !== undefined && accepts(text) !== result.ok) {
      return result.ok
        ? `It is taken, and is not in the language: ${shown(result.value)}`
        : `It is in the language, and is refused: ${shown(result.problems)}`;
    }
    if (result.ok) return more.fault?.(result.value, text);
    return refusalFault(result.problems, more.oneLine ? [text] : text.split('\n'));
  });
}

export function refusalFault(problems: readonly Problem[], lines: readonly string[]): string | undefined {
  if (problems.length === 0) return 'It is refused without a problem.';
  for (const problem of problems) {
    const { code, what, at } = problem;
    if (!/^[a-z]+(-[a-z0-9]+)*$/.test(code) || what.trim() === '') return `A problem says nothing: ${shown(problem)}`;
    if (at === undefined) return `A problem has no place: ${shown(problem)}`;
    if (at.line === undefined) continue;
    const line = lines[at.line - 1];
    const { column = 1 } = at;
    if (line === undefined || column < 1 || column > line.length + 1) {
      return `A problem stands outside of the text, which has ${lines.length} lines: ${shown(problem)}`;
    }
  }
  return undefined;
}

export function shown(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    one instanceof Map ? [...one] : typeof one === 'bigint' ? `${one}n` : one,
  ).slice(0, 600);
}
