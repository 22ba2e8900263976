/** A file in, a checked and completed Cluster out, or everything that is wrong with it at once. */
import { readFileSync, statSync } from 'node:fs';
import type { Problem } from '../problem/problem.ts';
import type { Default } from './choose.ts';
import type { Cluster } from './cluster.ts';
import { complete } from './complete.ts';
import { largest, parse, type Document } from './document.ts';
import { findPolicies } from './policies.ts';
import { preflight } from './preflight/preflight.ts';
import type { Description } from './schema/schema.ts';
import { checkShape } from './shape.ts';

export interface Reading {
  readonly file: string;
  /** Present exactly when there are no problems. */
  readonly cluster: Cluster | undefined;
  /** What the user wrote, where it has the right form. */
  readonly description: Description | undefined;
  /** What was left to us, in the order in which it was decided. */
  readonly defaults: readonly Default[];
  readonly problems: readonly Problem[];
  /** What works but is likely to be regretted. */
  readonly warnings: readonly Problem[];
}

/** Reads and checks a description. Never throws for what a user can do wrong. */
export function readCluster(file: string): Reading {
  const found = readText(file);
  return 'text' in found ? readDescription(file, found.text) : refused(file, [found.problem]);
}

/** The same for a text that is at hand; `file` says where it came from, and what its paths are relative to. */
export function readDescription(file: string, text: string): Reading {
  const parsed = parse(file, text);
  if (parsed.document === undefined) return refused(file, parsed.problems);
  return check(parsed.document);
}

function check(document: Document): Reading {
  const { file } = document;
  const wrong = checkShape(document);
  if (wrong.length > 0) return refused(file, wrong.sort(byPlace));
  const description = document.value as Description;
  const policies = findPolicies(description.policies ?? [], document);
  const { cluster, defaults } = complete(description, file, policies.files);
  const found = preflight({ cluster, description }, document);
  const problems = [...policies.problems, ...found.problems].sort(byPlace);
  return {
    file,
    cluster: problems.length === 0 ? cluster : undefined,
    description,
    defaults,
    problems,
    warnings: [...found.warnings].sort(byPlace),
  };
}

/** From the top of the file to its end, as a person mends them. */
function byPlace(a: Problem, b: Problem): number {
  return (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0);
}

function refused(file: string, problems: readonly Problem[]): Reading {
  return { file, cluster: undefined, description: undefined, defaults: [], problems, warnings: [] };
}

function readText(file: string): { readonly text: string } | { readonly problem: Problem } {
  const problem = (code: string, what: string, remedy: string) => ({
    problem: {
      code,
      at: { file, line: 1, column: 1, path: '' },
      what,
      rule: 'a description is a YAML file in UTF-8.',
      remedy,
    },
  });
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > largest)
      return problem('too-large', `The file has ${size} bytes.`, `at most ${largest}; is it the right file?`);
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return problem('no-such-file', `There is no file ${file}.`, 'clusters/lab.yaml');
    if (code === 'EISDIR') return problem('is-a-folder', `${file} is a folder.`, `${file.replace(/\/$/, '')}/lab.yaml`);
    if (code === 'EACCES' || code === 'EPERM')
      return problem('unreadable', `${file} may not be read by you.`, `chmod u+r ${file}`);
    throw error;
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return problem('not-utf-8', `${file} is not UTF-8 text.`, 'save it as UTF-8');
  }
}
