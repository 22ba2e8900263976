import type { Place, Problem } from '../problem/problem.ts';

/** What a parser gives back: the value, or everything that is wrong with the text. Parsers never throw for bad text. */
export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

export function fine<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refused(...problems: readonly Problem[]): {
  readonly ok: false;
  readonly problems: readonly Problem[];
} {
  return { ok: false, problems };
}

/** The place `offset` characters after `start`, on the same line. */
export function along(start: Place, offset: number): Place {
  return { ...start, column: (start.column ?? 1) + offset };
}
