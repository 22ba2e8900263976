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
  /** A control failed or is missing: silence on this way proves nothing. An answer still does. */
  readonly silence: string | undefined;
  /** The expected policy may not be in force yet, or another answers in the target's name: nothing proves anything. */
  readonly anything: string | undefined;
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
    else for (const touched of [key, ...alsoTouched(control, nodeOf)]) note(bad, touched, sentence(control));
  }
  const proven = (key: string): string | undefined => {
    const missing = (['before', 'after'] as const).find((when) => !good.has(`${when} ${key}`));
    return bad.get(key) ?? (missing && `no control of ${key} was run ${missing} the table`);
  };
  return ({ from, fromNode, to, toNode, traffic }) => ({
    silence:
      proven(listener(to, traffic)) ??
      bad.get(task(to)) ??
      bad.get(task(from)) ??
      proven(listener(to, 'icmp')) ??
      proven(closedPort(to)) ??
      proven(listener(from, 'icmp')) ??
      proven(closedPort(from)) ??
      proven(path(fromNode, toNode, traffic)) ??
      bad.get(line(fromNode, toNode)),
    anything: behind.get(fromNode) ?? behind.get(toNode) ?? bad.get(name(to)),
  });
}

/** What a bad control throws doubt on beyond the one thing that it asked. */
function alsoTouched(control: Control, nodeOf: (task: string) => string): string[] {
  const { kind, from, to, traffic, observed } = control;
  switch (kind) {
    case 'listener':
      // Nobody listens: that is about one port. Silence, or another's answer, is about the task at either end of a probe.
      if (observed === 'broken') return [task(to), name(to)];
      return traffic === 'icmp' || observed !== 'refused' ? [task(to)] : [];
    case 'closed-port':
      return [task(to)];
    case 'path':
      // A path that loses some packets loses others too.
      return [line(nodeOf(from), nodeOf(to))];
  }
}

function note(map: Map<string, string>, key: string, why: string): void {
  if (!map.has(key)) map.set(key, why);
}

const task = (to: string): string => `the task ${to}`;
const name = (to: string): string => `the name ${to}`;
const line = (from: string, to: string): string => `the way from ${from} to ${to}`;
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
