import type { Problem } from '../../problem/problem.ts';

/** From the top of a document: `['write_files', 0, 'path']`. */
export type Path = readonly (string | number)[];

/** Notes a problem at a place: a path in the document, or where there is none, an offset in the text. */
export type Say = (code: string, at: Path | number, what: string, rule?: string) => void;

/** As they stand in the text. */
export const sorted = (problems: readonly Problem[]): readonly Problem[] =>
  problems.toSorted((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0));
