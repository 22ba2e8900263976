/** A part of the bench that can be asked for by its name. */
import { nearest } from '../../modules/problem/nearest.ts';
import { Refusal } from '../../modules/problem/problem.ts';
import type { Row } from './row.ts';

export interface Group {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  readonly rows: () => readonly Row[] | Promise<readonly Row[]>;
}

/** All of them, or the one that is asked for; throws a Refusal for a name that none has. */
export function chosen(groups: readonly Group[], only: string | undefined): readonly Group[] {
  const found = groups.filter(({ name }) => only === undefined || name === only);
  if (found.length > 0 || only === undefined) return found;
  const names = groups.map(({ name }) => name);
  const near = nearest(only, names);
  throw new Refusal([
    {
      code: 'usage',
      what: `There is no group "${only}".${near === undefined ? '' : ` Did you mean ${near}?`}`,
      rule: `the groups are ${names.join(', ')}.`,
      example: 'npm run bench -- --only verify',
    },
  ]);
}
