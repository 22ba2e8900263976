/**
 * What the controls around a table prove of the tasks and paths that a probe uses. Pure.
 *
 * Trust needs evidence: a task or a path is trusted when its controls ran before and after the table and all were good.
 * A control that was never run proves as little as one that failed.
 */
import type { Control } from './report.ts';

/** The two ends of a probe, and what it sends. */
export interface Way {
  readonly from: string;
  readonly fromNode: string;
  readonly to: string;
  readonly toNode: string;
  /** As controls name it: `tcp 9000`, `icmp`. */
  readonly traffic: string;
}

/** Why what a probe saw cannot be taken at its word; undefined where it can. */
export interface Doubt {
  /** A control that failed or is missing: silence on this way proves nothing. */
  readonly control: string | undefined;
  /** The policy that is expected may not be in force yet. */
  readonly behind: string | undefined;
}

export const isGood = (control: Control): boolean => control.observed === control.expected;

/** `behind`: by node, why its policy may not be the expected one. */
export function doubts(
  controls: readonly Control[],
  nodeOf: (task: string) => string,
  behind: ReadonlyMap<string, string>,
): (way: Way) => Doubt {
  const good = new Set<string>();
  const bad = new Map<string, string>();
  for (const control of controls) {
    const key = keyOf(control, nodeOf);
    if (isGood(control)) good.add(`${control.when} ${key}`);
    else if (!bad.has(key)) bad.set(key, sentence(control));
  }
  const fault = (key: string): string | undefined => {
    const failed = bad.get(key);
    if (failed !== undefined) return failed;
    const missing = (['before', 'after'] as const).find((when) => !good.has(`${when} ${key}`));
    return missing === undefined ? undefined : `no control of ${key} was run ${missing} the table`;
  };
  return ({ from, fromNode, to, toNode, traffic }) => ({
    control:
      fault(listener(to, traffic)) ??
      // A task that does not answer its own host's ping, or answers everything, is no good at either end.
      fault(listener(to, 'icmp')) ??
      fault(closedPort(to)) ??
      fault(listener(from, 'icmp')) ??
      fault(closedPort(from)) ??
      (fromNode === toNode ? undefined : fault(path(fromNode, toNode, traffic))),
    behind: behind.get(fromNode) ?? behind.get(toNode),
  });
}

const listener = (to: string, traffic: string): string => `${to} on ${traffic}`;
const closedPort = (to: string): string => `a closed port of ${to}`;
const path = (from: string, to: string, traffic: string): string => `the way from ${from} to ${to} for ${traffic}`;

function keyOf({ kind, from, to, traffic }: Control, nodeOf: (task: string) => string): string {
  switch (kind) {
    case 'listener':
      return listener(to, traffic);
    case 'closed-port':
      return closedPort(to);
    case 'path':
      return path(nodeOf(from), nodeOf(to), traffic);
  }
}

/** A control in words: what was asked, and what came of it. */
export function sentence({ kind, from, to, traffic, expected, observed, when, note }: Control): string {
  const seen = `${observed}${note === undefined ? '' : `: ${note}`}, ${when} the table`;
  switch (kind) {
    case 'listener':
      return `${to} does not answer its own host ${from} on ${traffic} (${seen})`;
    case 'closed-port':
      return `a closed port of ${to} was ${observed} from its own host ${from}, not ${expected} (${seen})`;
    case 'path':
      return `no ${traffic} from ${from} to ${to}, which admit each other (${seen})`;
  }
}
