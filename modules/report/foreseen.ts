/** What was worked out of a policy, as text: expectations, and who reaches whom by network. */
import type { ForeseenStep, Foresight } from '../verify/foresee.ts';
import { membersText, type ClassDiff } from '../policy/matrix/diff.ts';
import { eachBit } from '../policy/matrix/bits.ts';
import type { Matrix } from '../policy/matrix/matrix.ts';
import { packetOf } from '../policy/traffic.ts';
import { Refusal } from '../problem/problem.ts';
import { clean } from './clean.ts';
import { classesText, fatesText, type Fate } from './flow.ts';
import { gridLines, type Notes } from './grid.ts';
import { groupNetworks, type ForeseenMatrix, type GroupedMatrix } from './groups.ts';
import { plural } from './say.ts';
import { paintOf, type Style } from './style.ts';
import { columns, wrap } from './text.ts';

export function matrixOf(foresight: Foresight, step: ForeseenStep): ForeseenMatrix {
  const { traffic } = foresight;
  const text = once((open) => {
    const fates = traffic.map((): Fate => 'stopped');
    for (const index of open) fates[index] = 'passes';
    return fatesText(fates, traffic);
  });
  return byNetwork(foresight, [viewOf(foresight, step)], ([open]) => text(open!));
}

/** What one step opens and closes against another: `+ tcp 9000`, `- udp icmp`, both in this order, or `=`. */
export function changesOf(foresight: Foresight, before: ForeseenStep, after: ForeseenStep): ForeseenMatrix {
  const { traffic } = foresight;
  const named = once((some) =>
    classesText(
      some.map((index) => traffic[index]!),
      traffic,
    ),
  );
  const changed = (sign: string, some: readonly number[]) => (some.length === 0 ? [] : [`${sign} ${named(some)}`]);
  const views = [viewOf(foresight, before), viewOf(foresight, after)];
  return byNetwork(foresight, views, ([was, is]) => {
    const [old, now] = [new Set(was), new Set(is)];
    const opened = changed(
      '+',
      is!.filter((one) => !old.has(one)),
    );
    const closed = changed(
      '-',
      was!.filter((one) => !now.has(one)),
    );
    return [...opened, ...closed].join(' ') || '=';
  });
}

/** Tasks by classes that no rule can tell apart, and what passes between any two tasks of them. */
interface View {
  /** By task. */
  readonly classOf: readonly number[];
  /** Indexes of classes of traffic. */
  readonly passing: (from: number, to: number) => readonly number[];
}

function viewOf({ tasks, traffic }: Foresight, step: ForeseenStep): View {
  const matrix = factored(step);
  if (matrix === undefined) {
    const packets = traffic.map(packetOf);
    return {
      classOf: [...tasks.keys()],
      passing: (from, to) =>
        packets.flatMap((packet, index) =>
          step.evaluator.allows(tasks[from]!.name, tasks[to]!.name, packet) ? [index] : [],
        ),
    };
  }
  const at = new Map(matrix.endpoints.map(({ id }, index) => [id, index]));
  const { classOf, size } = matrix.factors.classes;
  const rows = new Map<number, readonly (readonly number[])[]>();
  const rowOf = (from: number): readonly (readonly number[])[] => {
    const row = Array.from({ length: size }, (): number[] => []);
    for (const index of traffic.keys()) eachBit(matrix.flows(index)[from]!, (to) => row[to]!.push(index));
    return row;
  };
  return {
    // An endpoint without an IPv4 address is of no class, and reaches nobody.
    classOf: tasks.map(({ name }) => classOf[at.get(name) ?? -1] ?? -1),
    passing: (from, to) => {
      if (from < 0 || to < 0) return [];
      const row = rows.get(from) ?? rowOf(from);
      // They are asked for row by row, and all of them would be as much as the whole matrix.
      if (rows.size > mostRows) rows.clear();
      rows.set(from, row);
      return row[to]!;
    },
  };
}

const mostRows = 64;

/** Undefined where only single flows can be asked about. */
function factored({ matrix }: ForeseenStep): Matrix | undefined {
  try {
    return matrix();
  } catch (error) {
    if (error instanceof Refusal && error.problems.every(({ code }) => code === 'no-matrix')) return undefined;
    throw error;
  }
}

function once(text: (some: readonly number[]) => string): (some: readonly number[]) => string {
  const known = new Map<string, string>();
  return (some) => {
    const key = some.join();
    const found = known.get(key) ?? text(some);
    known.set(key, found);
    return found;
  };
}

/** Tasks of one network that are of the same class in each view. */
interface Kind {
  readonly classes: readonly number[];
  count: number;
}

function byNetwork(
  { tasks }: Foresight,
  views: readonly View[],
  text: (passing: readonly (readonly number[])[]) => string,
): ForeseenMatrix {
  const kinds = new Map<string, Map<string, Kind>>();
  for (const [index, { network }] of tasks.entries()) {
    const classes = views.map(({ classOf }) => classOf[index]!);
    const own = kinds.get(network) ?? new Map<string, Kind>();
    const kind = own.get(classes.join()) ?? { classes, count: 0 };
    kind.count++;
    kinds.set(network, own.set(classes.join(), kind));
  }
  const cell = (from: readonly Kind[], to: readonly Kind[]): string => {
    const counts = new Map<string, number>();
    for (const source of from) {
      for (const target of to) {
        const pairs = source.count * (source === target ? target.count - 1 : target.count);
        if (pairs === 0) continue;
        const one = text(views.map(({ passing }, index) => passing(source.classes[index]!, target.classes[index]!)));
        counts.set(one, (counts.get(one) ?? 0) + pairs);
      }
    }
    if (counts.size === 0) return '·';
    if (counts.size === 1) return [...counts.keys()][0]!;
    return [...counts].map(([one, count]) => `${count}x ${one}`).join('; ');
  };
  const groups = [...kinds.values()].map((own) => [...own.values()]);
  return { networks: [...kinds.keys()], cells: groups.map((from) => groups.map((to) => cell(from, to))) };
}

/** A matrix of more networks than this is told by groups of those that are alike. */
const most = 12;

export function matrixText(foresight: Foresight, step: ForeseenStep, style: Style): string {
  const whole = matrixOf(foresight, step);
  const { networks, cells, groups }: GroupedMatrix =
    whole.networks.length > most ? groupNetworks(whole) : { ...whole, groups: [] };
  const notes: Notes = new Map();
  const grid = {
    title: 'from \\ to',
    labels: networks.map(clean),
    cells: cells.map((row) => row.map((text) => ({ text, outcome: 'pass' as const }))),
  };
  const lines = gridLines([grid], style.width, paintOf(style), notes);
  const explained = [...notes].flatMap(([body, name]) => {
    const [first, ...rest] = wrap(body, style.width - 2 - columns(name));
    return [`${name} ${first!}`, ...rest.map((line) => ' '.repeat(columns(name) + 1) + line)];
  });
  const legend = groups
    .filter((group) => group.networks.length > 1)
    .flatMap(({ name, networks: members }) => [
      `${clean(name)}:`,
      ...wrap(members.map(clean).join(', '), style.width - 2).map((line) => `  ${line}`),
    ]);
  const where = step.file === undefined ? '' : ` (${clean(step.file)})`;
  const below = [explained, legend].filter((part) => part.length > 0).flatMap((part) => ['', ...part]);
  return [`${clean(step.title)}${where}`, '', ...lines, ...below, ''].join('\n');
}

/** One line a step, and two for each expectation that does not hold. */
export function checkText({ steps }: Foresight): string {
  return steps
    .flatMap((step) => {
      const all = step.expectations.length;
      const good = all - step.wrong.length;
      const count =
        all === 0 ? 'no expectations' : `${good} of ${plural(all, 'expectation')} ${good === 1 ? 'holds' : 'hold'}`;
      return [
        `${step.wrong.length === 0 ? '✔' : '✘'} ${clean(step.title)}: ${count}`,
        ...step.wrong.flatMap((one) => [
          `  ${clean(one.where)}: ${clean(one.text)}`,
          `    ${one.wrong} of ${plural(one.cells, 'cell')} otherwise: ${clean(one.from)} -> ${clean(one.to)} ${clean(one.traffic)} is ${clean(one.because)}`,
        ]),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** What opens and what closes from one state to another, as groups of tasks. */
export function diffText(
  before: string,
  after: string,
  { changes, opened, closed }: ClassDiff,
  foresight: Foresight,
): string {
  const rows = changes.map(({ opens, from, to, traffic }) => {
    const what = classesText(traffic, foresight.traffic);
    const ends = `${membersText(from, foresight.names)} -> ${membersText(to, foresight.names)}`;
    return `  ${opens ? '+' : '-'} ${clean(ends)}: ${what}`;
  });
  const sum = rows.length === 0 ? 'the same flows' : `${plural(opened, 'flow')} open, ${closed} close`;
  return [`${clean(before)} → ${clean(after)}: ${sum}`, ...rows, ''].join('\n');
}
