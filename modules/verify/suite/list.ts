/** The suites by name; `policy` is what a verification does when nobody asks for another. */
import { nearest } from '../../problem/nearest.ts';
import { Refusal } from '../../problem/problem.ts';
import { change } from './change.ts';
import { connectivity } from './connectivity.ts';
import { everythingOf } from './everything.ts';
import { faults } from './faults.ts';
import { leaks } from './leaks.ts';
import { policy } from './policy.ts';
import { smoke } from './smoke.ts';
import { soak } from './soak.ts';
import type { Suite } from './suite.ts';

/** The last one gives its tasks other addresses. */
const parts: readonly Suite[] = [policy, smoke, connectivity, change, faults, soak, leaks];

export const suites: readonly Suite[] = [...parts, everythingOf(parts)];

/** Throws a Refusal for a name that no suite has. */
export function suiteOf(name: string): Suite {
  const found = suites.find((suite) => suite.name === name);
  if (found) return found;
  const names = suites.map((suite) => suite.name);
  const near = nearest(name, names);
  throw new Refusal([
    {
      code: 'unknown-suite',
      what: `There is no suite "${name}".${near === undefined ? '' : ` Did you mean ${near}?`}`,
      rule: `the suites are ${names.join(', ')}.`,
      example: '--suite leaks',
    },
  ]);
}
