/** What came of asking: a value, or the problem that stood in its way. Nothing above `http.ts` is thrown. */
import type { Problem } from '../problem/problem.ts';

export type Told<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export const told = <T>(value: T): Told<T> => ({ ok: true, value });
export const failed = (problem: Problem): { readonly ok: false; readonly problem: Problem } => ({ ok: false, problem });
