import type { Path } from './path.ts';

/** A value that the description left to us. */
export interface Default {
  readonly path: Path;
  readonly value: unknown;
  /** What it follows: a few words, as in `gce drops packets it cannot route`. */
  readonly why: string;
}

/** Takes what is written, or a default, and remembers the latter. */
export class Choice {
  readonly defaults: Default[] = [];

  of<T>(path: Path, given: T | undefined, other: T, why: string): T {
    if (given !== undefined) return given;
    this.defaults.push({ path, value: other, why });
    return other;
  }
}
