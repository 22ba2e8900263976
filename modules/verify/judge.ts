/**
 * From what was expected and what was seen to a judgement. Pure.
 *
 * A denial counts only as a silent drop between two good controls. What a bad control touches is broken: neither right
 * nor wrong, but unknown, and a run with something unknown does not pass.
 */
import type { Decision } from '../policy/model.ts';
import type { Cell, Control, Outcome, Verdict } from './report.ts';
import type { Observation, Probe } from './target.ts';

/** A cell's question. */
export interface Question {
  readonly from: number;
  readonly to: number;
  readonly traffic: number;
  readonly decision: Decision;
}

/** What is known to be bad around a table: any of it makes the verdicts that it touches worthless. */
export interface Doubt {
  /** Why the endpoints, paths and hosts that a probe uses cannot be trusted; undefined when they can. */
  of(
    fromTask: string,
    fromNode: string,
    toTask: string,
    toNode: string,
    protocol: Probe['protocol'],
    port: number,
  ): string | undefined;
}

export const isGood = (control: Control): boolean => control.observed === control.expected;

/** Collects bad controls and hosts whose agent is behind, by what they touch. */
export function doubts(
  controls: readonly Control[],
  nodeOf: (task: string) => string,
  behind: readonly string[],
): Doubt {
  const tasks = new Map<string, string>();
  const listeners = new Map<string, string>();
  const paths = new Map<string, string>();
  for (const control of controls) {
    if (isGood(control)) continue;
    const why = sentence(control);
    switch (control.kind) {
      case 'path':
        paths.set(pathKey(nodeOf(control.from), nodeOf(control.to), control.traffic), why);
        break;
      case 'listener':
        listeners.set(`${control.to} ${control.traffic}`, why);
        // A task that does not even answer its own host's ping is no good source either.
        if (control.traffic === 'icmp') tasks.set(control.to, why);
        break;
      case 'closed-port':
        tasks.set(control.to, why);
        break;
    }
  }
  return {
    of(fromTask, fromNode, toTask, toNode, protocol, port) {
      const traffic = protocol === 'icmp' ? 'icmp' : `${protocol} ${port}`;
      const stuck = behind.find((node) => node === fromNode || node === toNode);
      return (
        listeners.get(`${toTask} ${traffic}`) ??
        tasks.get(toTask) ??
        tasks.get(fromTask) ??
        (fromNode === toNode
          ? undefined
          : (paths.get(pathKey(fromNode, toNode, traffic)) ?? paths.get(pathKey(toNode, fromNode, traffic)))) ??
        (stuck === undefined ? undefined : `the Calico agent of ${stuck} has not programmed the last change`)
      );
    },
  };
}

/** A path is judged by protocol: the control's port is its own. */
const pathKey = (from: string, to: string, traffic: string): string => `${from} ${to} ${traffic.split(' ')[0]}`;

/** A control in words: what was asked, and what came of it. */
export function sentence(control: Control): string {
  const { kind, from, to, traffic, expected, observed, when } = control;
  switch (kind) {
    case 'listener':
      return `${to} does not answer its own host ${from} on ${traffic} (${observed}, ${when} the table)`;
    case 'closed-port':
      return `a closed port of ${to} was ${observed} from its own host ${from}, not ${expected} (${when} the table)`;
    case 'path':
      return `no ${traffic.split(' ')[0]} from ${from} to ${to}, which admit each other (${observed}, ${when} the table)`;
  }
}

/** Outcome of one cell, and the note that goes with it. */
export function judge(
  allowed: boolean,
  seen: Pick<Observation, 'verdict' | 'arrived' | 'note'>,
  doubt: string | undefined,
): { observed: Verdict; outcome: Outcome; note?: string } {
  const { verdict, arrived, note } = seen;
  const result = (outcome: Outcome, text?: string, observed: Verdict = verdict) => ({
    observed,
    outcome,
    ...(text === undefined ? {} : { note: text }),
  });
  if (verdict === 'broken') return result('infrastructure-broken', note ?? 'the probe could not run');
  if (allowed) {
    if (verdict === 'open') return result('pass');
    if (doubt !== undefined) return result('infrastructure-broken', doubt);
    if (verdict === 'refused') return result('infrastructure-broken', 'admitted, but nobody listens');
    if (verdict === 'rejected') return result('policy-wrong', 'rejected on the way, though policy admits it');
    return result('policy-wrong', arrived ? 'the request arrived, the answer did not come back' : 'policy admits it');
  }
  if (verdict === 'dropped' && !arrived) {
    // Silence proves nothing next to a control that is silent too.
    return doubt === undefined ? result('pass') : result('infrastructure-broken', doubt, 'broken');
  }
  if (doubt !== undefined) return result('infrastructure-broken', doubt);
  if (verdict === 'dropped') return result('policy-wrong', 'the request arrived, though policy forbids it');
  if (verdict === 'rejected')
    return result('policy-wrong', 'rejected, not dropped: somebody other than Calico said no');
  return result('policy-wrong', 'policy forbids it');
}

/** The worst of several outcomes. Policy that is surely wrong outranks what could not be found out. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  const rank: readonly Outcome[] = ['pass', 'slow', 'infrastructure-broken', 'policy-wrong'];
  let found = 0;
  for (const outcome of outcomes) found = Math.max(found, rank.indexOf(outcome));
  return rank[found]!;
}

/** How cells are called in sentences. */
export interface CellNames {
  readonly task: (index: number) => string;
  readonly network: (index: number) => string;
  readonly node: (index: number) => string;
  readonly traffic: (index: number) => string;
}

/** What is wrong as sentences, one for each kind of difference, with all that its cells have in common. */
export function findings(cells: readonly Cell[], controls: readonly Control[], names: CellNames): string[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (cell.outcome === 'pass') continue;
    const key = `${cell.outcome}: expected ${cell.expected}, observed ${cell.observed}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const wrong = [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([what, group]) => {
      const notes = new Set(group.map((cell) => cell.note).filter((note) => note !== undefined));
      const note = notes.size === 1 ? `: ${[...notes][0]}` : '';
      return `${what} in ${group.length} ${group.length === 1 ? 'cell' : 'cells'}${shared(group, names)}${note}`;
    });
  const broken = new Map<string, Control[]>();
  for (const control of controls) {
    if (!isGood(control)) broken.set(control.kind, [...(broken.get(control.kind) ?? []), control]);
  }
  const unsure = [...broken.values()].map((group) => {
    const more = group.length > 1 ? ` (and ${group.length - 1} more ${group[0]!.kind} controls)` : '';
    return `infrastructure-broken: ${sentence(group[0]!)}${more}`;
  });
  return [...wrong, ...unsure];
}

/** `, all from client@general-1, all on udp`: what the cells of a group share, the most telling first. */
function shared(group: readonly Cell[], names: CellNames): string {
  const one = (value: (cell: Cell) => string): string | undefined => {
    const all = new Set(group.map(value));
    return all.size === 1 ? [...all][0] : undefined;
  };
  const end = (word: string, pick: (cell: Cell) => number): string[] => {
    const found =
      one((cell) => names.task(pick(cell))) ??
      one((cell) => names.network(pick(cell))) ??
      one((cell) => names.node(pick(cell)));
    return found === undefined ? [] : [`all ${word} ${found}`];
  };
  const traffic =
    one((cell) => names.traffic(cell.traffic)) ?? one((cell) => names.traffic(cell.traffic).split(' ')[0]!);
  const parts = [
    ...end('from', (cell) => cell.from),
    ...end('to', (cell) => cell.to),
    ...(traffic === undefined ? [] : [`all on ${traffic}`]),
  ];
  return parts.map((part) => `, ${part}`).join('');
}
