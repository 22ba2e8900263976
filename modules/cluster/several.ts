import type { Problem } from '../problem/problem.ts';
import type { Reading } from './read.ts';

/** Descriptions of one name: their stacks would take each other's machines for their own. */
export function sameNames(readings: readonly Reading[]): Problem[] {
  const before = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { file, description } of readings) {
    if (description === undefined) continue;
    const first = before.get(description.name);
    if (first !== undefined) {
      problems.push({
        code: 'name-twice',
        at: { file, line: 1, column: 1, path: 'name' },
        what: `name is ${description.name}, which ${first} has already.`,
        rule: 'every cluster has a name of its own: all that is created is named after it.',
        remedy: 'another name',
      });
    }
    before.set(description.name, first ?? file);
  }
  return problems;
}
