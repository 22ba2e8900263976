/** What has the right form and would fail all the same: everything that can be known now is told now. */
import type { Problem } from '../../problem/problem.ts';
import type { Document } from '../document.ts';
import { access } from './access.ts';
import { aws } from './aws.ts';
import { clouds } from './clouds.ts';
import { encapsulation } from './encapsulation.ts';
import { expectations } from './expectations.ts';
import { gce } from './gce.ts';
import { hosts } from './hosts.ts';
import { machines } from './machines.ts';
import { networks } from './networks.ts';
import { overrides } from './overrides.ts';
import { own } from './own.ts';
import { places } from './places.ts';
import { pools } from './pools.ts';
import { ranges } from './ranges.ts';
import { releases } from './releases.ts';
import { machineSizes } from './sizes.ts';
import { sources } from './sources.ts';
import { ssh } from './ssh.ts';
import type { Check, Subject } from './check.ts';

export const checks: readonly Check[] = [
  ...machines,
  ...ranges,
  ...pools,
  ...encapsulation,
  ...networks,
  ...expectations,
  ...access,
  ...releases,
  ...overrides,
  ...sources,
  ...clouds,
  ...places,
  ...machineSizes,
  ...aws,
  ...gce,
  ...hosts,
  ...ssh,
  ...own,
];

/** Runs every check. Places are those of the document; a default has the place of what it stands in. */
export function preflight(
  subject: Subject,
  document: Document,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const check of checks) {
    for (const { path, what, rule, remedy } of check.find(subject)) {
      (check.severity === 'error' ? problems : warnings).push({
        code: check.code,
        at: document.at(path),
        what,
        rule: rule ?? check.rule,
        remedy: remedy ?? check.remedy,
      });
    }
  }
  return { problems, warnings };
}
