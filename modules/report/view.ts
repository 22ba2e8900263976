/** The matrix of a step as a person can take it in: tasks that behave equally are one row and one column. */
import type { Cell, Outcome, Report, StepReport } from '../verify/report.ts';
import { clean } from './clean.ts';
import { flowOf, type Flow, outcomeOf } from './flow.ts';
import { worst } from '../verify/judge.ts';
import { plural } from './say.ts';

interface Group {
  /** The network, or the tasks of it that differ from its others. */
  readonly label: string;
  readonly network: string;
  /** Indexes into `Report.tasks`. */
  readonly tasks: readonly number[];
}

/** A text that some pairs of a block have; `where` is empty when all have it. */
export interface Variant {
  readonly text: string;
  readonly where: string;
  readonly outcome: Outcome;
}

/** All pairs from one group to another. */
export interface Block {
  readonly pairs: number;
  readonly expected: readonly Variant[];
  readonly observed: readonly Variant[];
  readonly outcome: Outcome;
}

export interface View {
  readonly groups: readonly Group[];
  /** By source group, then by target group. */
  readonly blocks: readonly (readonly Block[])[];
}

type Tasks = Pick<Report, 'tasks'>;

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly flow: Flow;
}

/** More parts than this of one network say less than "7 of 9 pairs". */
const mostParts = 3;
/** More extra rows than this, over all networks, and none is split. */
const mostExtra = 12;

/** The view by network. With `split`, tasks that differ from others of their network get rows of their own. */
export function viewOf(report: Tasks, step: StepReport, split = true): View {
  const pairs = pairsOf(step, report.tasks.length);
  const whole = byKey(report.tasks.map((task) => task.network));
  const groups = split ? splitUp(report, whole, pairs) : whole;
  const networkOf = (tasks: readonly number[]): string => report.tasks[tasks[0]!]!.network;
  const labelled = groups.map((tasks): Group => {
    const network = networkOf(tasks);
    const parts = groups.filter((each) => networkOf(each) === network);
    const largest = parts.reduce((most, each) => (each.length > most.length ? each : most)) === tasks;
    return {
      network: clean(network),
      tasks,
      label: parts.length === 1 ? clean(network) : label(report, tasks, largest),
    };
  });
  const groupOf = new Map(groups.flatMap((tasks, index) => tasks.map((task) => [task, index] as const)));
  const buckets = groups.map(() => groups.map((): Pair[] => []));
  for (const pair of pairs) buckets[groupOf.get(pair.from)!]![groupOf.get(pair.to)!]!.push(pair);
  return { groups: labelled, blocks: buckets.map((row) => row.map((bucket) => blockOf(report, bucket))) };
}

function pairsOf(step: StepReport, tasks: number): Pair[] {
  const cells = new Map<number, (Cell | undefined)[]>();
  for (const cell of step.cells) {
    const id = cell.from * tasks + cell.to;
    let list = cells.get(id);
    if (!list) cells.set(id, (list = step.traffic.map(() => undefined)));
    list[cell.traffic] = cell;
  }
  // Thousands of pairs have a handful of patterns: the text of each is made once.
  const flows = new Map<string, Flow>();
  return [...cells].map(([id, list]) => {
    const key = list.map((cell) => (cell ? `${cell.expected}${cell.observed}${cell.outcome}` : '')).join();
    let flow = flows.get(key);
    if (!flow) flows.set(key, (flow = flowOf(list, step.traffic)));
    return { from: Math.floor(id / tasks), to: id % tasks, flow };
  });
}

/** Indexes with the same key together, in the order of first appearance. */
function byKey(keys: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  keys.forEach((key, index) => {
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  });
  return [...groups.values()];
}

function splitUp(report: Tasks, whole: number[][], pairs: readonly Pair[]): number[][] {
  const fine = refine(whole, pairs, report.tasks.length);
  const parts = whole.map((network) => fine.filter((part) => network.includes(part[0]!)));
  const kept = parts.map((list, index) => (list.length > mostParts ? [whole[index]!] : list));
  const extra = kept.flat().length - whole.length;
  return extra > mostExtra ? whole : kept.flat();
}

/**
 * The coarsest split in which any two tasks of a group see the same flows to and from each other group: groups are
 * split by what their tasks see until nothing changes.
 */
function refine(start: number[][], pairs: readonly Pair[], tasks: number): number[][] {
  let groups = start;
  for (;;) {
    const groupOf: number[] = [];
    groups.forEach((group, index) => group.forEach((task) => (groupOf[task] = index)));
    const seen = Array.from({ length: tasks }, () => new Set<string>());
    for (const { from, to, flow } of pairs) {
      seen[from]!.add(`to ${groupOf[to]!} ${flow.key}`);
      seen[to]!.add(`from ${groupOf[from]!} ${flow.key}`);
    }
    const next = groups.flatMap((group) =>
      byKey(group.map((task) => [...seen[task]!].sort().join(';'))).map((part) => part.map((index) => group[index]!)),
    );
    if (next.length === groups.length) return groups;
    groups = next;
  }
}

function blockOf(report: Tasks, pairs: readonly Pair[]): Block {
  return {
    pairs: pairs.length,
    expected: variants(report, pairs, (flow) => [flow.expected, 'pass']),
    observed: variants(report, pairs, (flow) => [flow.observed, flow.outcome]),
    outcome: outcomeOf(pairs.map((pair) => pair.flow.outcome)),
  };
}

function variants(report: Tasks, pairs: readonly Pair[], show: (flow: Flow) => [string, Outcome]): Variant[] {
  const shown = pairs.map((pair) => ({ pair, text: show(pair.flow)[0], outcome: show(pair.flow)[1] }));
  // A slow cell is right: it does not make its pair another kind of pair.
  const kinds = byKey(shown.map(({ text, outcome }) => `${outcome === 'slow' ? 'pass' : outcome} ${text}`));
  kinds.sort((a, b) => b.length - a.length);
  const local = ({ pair }: (typeof shown)[number]): boolean =>
    report.tasks[pair.from]!.node === report.tasks[pair.to]!.node;
  const places = kinds.map((kind) => [...new Set(kind.map((index) => local(shown[index]!)))]);
  const byPlace = kinds.length === 2 && places.every((place) => place.length === 1) && places[0]![0] !== places[1]![0];
  return kinds.map((kind, index) => ({
    text: shown[kind[0]!]!.text,
    outcome: worst(kind.map((each) => shown[each]!.outcome)),
    where:
      kinds.length === 1
        ? ''
        : byPlace
          ? places[index]![0]
            ? 'same host'
            : 'across hosts'
          : `${kind.length} of ${plural(pairs.length, 'pair')}`,
  }));
}

/** `client@general-{1,3}`; where that is long, the largest part of a network is its "others". */
function label(report: Tasks, tasks: readonly number[], largest: boolean): string {
  const names = tasks.map((task) => clean(report.tasks[task]!.name));
  if (names.length === 1) return names[0]!;
  let same = 0;
  while (names.every((name) => same < name.length && name[same] === names[0]![same])) same++;
  const listed = `${names[0]!.slice(0, same)}{${names.map((name) => name.slice(same)).join(',')}}`;
  if (listed.length <= 28) return listed;
  return largest ? `${clean(report.tasks[tasks[0]!]!.network)} (others)` : `${names[0]!} and ${names.length - 1} more`;
}
