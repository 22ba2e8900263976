/** The policy files that a description names. What is in them is the business of modules/policy. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, isAbsolute } from 'node:path';
import type { Problem } from '../problem/problem.ts';
import type { Document } from './document.ts';
import { nearest } from '../problem/nearest.ts';

/** Paths relative to the working directory, folders as their *.yaml and *.json files in the order of their names. */
export function findPolicies(
  written: readonly string[],
  document: Document,
): { files: readonly string[]; problems: readonly Problem[] } {
  const files: string[] = [];
  const problems: Problem[] = [];
  for (const [index, name] of written.entries()) {
    const path = isAbsolute(name) ? name : join(dirname(document.file), name);
    const at = document.at(['policies', index]);
    const kind = kindOf(path);
    if (kind === 'file') files.push(path);
    else if (kind === 'folder') {
      const found = readdirSync(path)
        .filter((entry) => /\.(?:ya?ml|json)$/.test(entry))
        .sort();
      files.push(...found.map((entry) => join(path, entry)));
      if (found.length === 0) {
        problems.push({
          code: 'empty-policy-folder',
          at,
          what: `policies names the folder ${name}, which holds no *.yaml or *.json file.`,
          rule: 'a folder stands for its *.yaml and *.json files, in the order of their names.',
          example: '../policies/stars',
        });
      }
    } else {
      const folder = dirname(path);
      const near = kindOf(folder) === 'folder' ? nearest(name.split('/').at(-1) ?? '', readdirSync(folder)) : undefined;
      problems.push({
        code: 'no-such-policy',
        at,
        what: `policies names ${name}, and there is no ${path}.${near ? ` Did you mean ${name.slice(0, name.lastIndexOf('/') + 1)}${near}?` : ''}`,
        rule: 'paths are relative to the description.',
        example: '../policies/stars',
      });
    }
  }
  return { files, problems };
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() ? 'folder' : found ? 'file' : undefined;
}
