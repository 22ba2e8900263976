/**
 * Feeds a parser.
 *
 *     fuzz(parser, seed, runs) -> what went wrong, with the smallest text found for it; undefined if nothing did
 *
 * The same seed gives the same texts, whatever the number of runs.
 */
import { createContext, Script } from 'node:vm';
import type { Fuzzed } from './judge.ts';
import { input } from './mutate.ts';
import { random } from './random.ts';

export interface Failure {
  readonly run: number;
  readonly text: string;
  readonly fault: string;
}

const batch = 500;
/** A batch takes some hundredths of a second; what takes a thousand times as long on a busy machine hangs. */
const patience = 20_000;

export function fuzz(parser: Fuzzed, seed: string, runs: number): Failure | undefined {
  for (let from = 0; from < runs; from += batch) {
    const failure = watched(parser, seed, from, Math.min(from + batch, runs));
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function watched(parser: Fuzzed, seed: string, from: number, to: number): Failure | undefined {
  let [run, text] = [from, ''];
  const some = (): Failure | undefined => {
    for (; run < to; run++) {
      text = input(parser, random(`${seed} ${parser.name} ${run}`));
      const fault = faultOf(parser, text);
      if (fault !== undefined) return { run, ...shrunk(parser, text, fault) };
    }
    return undefined;
  };
  return within(patience, some) ?? (run < to && text !== '' ? { run, text, fault: 'It hangs.' } : undefined);
}

/** Undefined also when the time is over: only a virtual machine can end code that does not come back. */
export function within<T>(milliseconds: number, work: () => T): T | undefined {
  try {
    return new Script('work()').runInContext(createContext({ work }), { timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  }
}

export function faultOf(parser: Fuzzed, text: string): string | undefined {
  try {
    return parser.fault(text);
  } catch (error) {
    return `It throws: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error)}`;
  }
}

/** Takes out all that can be taken out while something stays wrong. */
function shrunk(parser: Fuzzed, whole: string, first: string): { readonly text: string; readonly fault: string } {
  let [text, fault] = [whole, first];
  let left = 3000;
  for (let size = Math.ceil(text.length / 2); size >= 1;) {
    let smaller = false;
    for (let at = 0; at < text.length && left > 0; left--) {
      const without = text.slice(0, at) + text.slice(at + size);
      const found = faultOf(parser, without);
      if (found === undefined) at += size;
      else [text, fault, smaller] = [without, found, true];
    }
    if (!smaller || left <= 0) size = left <= 0 ? 0 : Math.floor(size / 2);
  }
  return { text, fault };
}
