import type { Cluster } from '../cluster.ts';
import type { Path } from '../path.ts';
import type { Description } from '../schema/schema.ts';

/** One thing that would go wrong later, found now. Total: runs on everything that has the right form. */
export interface Check {
  /** Kebab-case, unique. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Why it would go wrong. */
  readonly rule: string;
  /** What to write in its place. */
  readonly remedy: string;
  readonly find: (subject: Subject) => Iterable<Finding>;
}

export interface Subject {
  readonly cluster: Cluster;
  /** As written, to tell what was said from what is a default. */
  readonly description: Description;
}

export interface Finding {
  readonly path: Path;
  /** One sentence with the value seen. */
  readonly what: string;
  /** Where the general ones of the check say too little. */
  readonly rule?: string;
  readonly remedy?: string;
}
