/** Asks one service, with patience. */
import type { Question, Reply } from './http.ts';
import type { Told } from './told.ts';

export type Talk = (question: Question, signal?: AbortSignal) => Promise<Told<Reply>>;
