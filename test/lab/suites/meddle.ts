/** A target of which one method does something else; and suites run as a verb runs them, without a terminal. */
import type { PolicyDocument } from '../../../modules/policy/document.ts';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import type { PolicyHost } from '../../../modules/policy/network.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { runSuite } from '../../../modules/verify/suite/run.ts';
import type { Suite, Wish } from '../../../modules/verify/suite/suite.ts';
import type { Target } from '../../../modules/verify/target.ts';

/** All that the target can, with some of it in another way. */
export const meddle = (target: Target, other: Partial<Target>): Target =>
  new Proxy(target, {
    get: (_, key) => {
      const value: unknown = Reflect.get(key in other ? other : target, key);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });

export interface Where {
  readonly cluster: Cluster;
  readonly documents?: readonly PolicyDocument[];
  readonly host: (node: string) => PolicyHost;
}

export const suiteOn = (
  target: Target,
  suite: Suite,
  { cluster, documents = [], host }: Where,
  wish: Wish = {},
): Promise<Report> =>
  runSuite(
    target,
    suite,
    { cluster, documents, host, wish, seed: 7, startedAt: new Date(0), leaveTasks: false, stages: [] },
    { stage: () => undefined, step: () => undefined, note: () => undefined },
  );

/** Checks that are not good, with all that they say. */
export const bad = (report: Report): string[] =>
  (report.checks ?? [])
    .filter(({ outcome }) => outcome !== 'pass')
    .map(({ name, outcome, seen, details }) => [`${name}: ${outcome}: ${seen}`, ...details].join('\n'));
