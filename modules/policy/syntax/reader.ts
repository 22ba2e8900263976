/** Reads words one by one, and ends at the first that is wrong: what the parsers of lines share. */
import type { Place, Problem } from '../../problem/problem.ts';
import { along, fine, refused, type Result } from '../result.ts';
import type { Word } from './words.ts';

/** Ends the reading from any depth; never leaves `attempt`. */
export class Mistake extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.what);
    this.problem = problem;
  }
}

export function attempt<T>(read: () => T): Result<T> {
  try {
    return fine(read());
  } catch (error) {
    if (error instanceof Mistake) return refused(error.problem);
    throw error;
  }
}

export class Reader {
  readonly #words: readonly Word[];
  readonly #start: Place;
  /** Where a problem stands that is the absence of a word: an offset into the line. */
  readonly #end: number;
  readonly #example: string;
  #next = 0;

  constructor(words: readonly Word[], start: Place, end: number, example: string) {
    this.#words = words;
    this.#start = start;
    this.#end = end;
    this.#example = example;
  }

  peek(): Word | undefined {
    return this.#words[this.#next];
  }

  take(): Word | undefined {
    return this.#words[this.#next++];
  }

  /** Takes the next word if it is one of these. */
  takeIf<T extends string>(...texts: readonly T[]): T | undefined {
    const text = texts.find((one) => one === this.peek()?.text);
    if (text !== undefined) this.#next++;
    return text;
  }

  place(word: Word | undefined): Place {
    return along(this.#start, word?.offset ?? this.#end);
  }

  mistake(code: string, word: Word | undefined, what: string, rule: string, example = this.#example): Mistake {
    return new Mistake({ code, at: this.place(word), what, rule, example });
  }
}
