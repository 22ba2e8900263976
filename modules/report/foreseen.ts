/** What was worked out of a policy, as text: expectations, and who reaches whom by network. */
import type { ForeseenStep, Foresight } from '../verify/foresee.ts';
import { membersText, type ClassDiff } from '../policy/matrix/diff.ts';
import { packetOf } from '../policy/traffic.ts';
import { clean } from './clean.ts';
import { classesText, fatesText } from './flow.ts';
import { gridLines, type Notes } from './grid.ts';
import { groupNetworks, type ForeseenMatrix, type GroupedMatrix } from './groups.ts';
import { plural } from './say.ts';
import { paintOf, type Style } from './style.ts';
import { columns, wrap } from './text.ts';

export function matrixOf(foresight: Foresight, step: ForeseenStep): ForeseenMatrix {
  const { traffic } = foresight;
  const packets = traffic.map(packetOf);
  return byNetwork(foresight, (from, to) =>
    fatesText(
      packets.map((packet) => (step.evaluator.allows(from, to, packet) ? 'passes' : 'stopped')),
      traffic,
    ),
  );
}

/** What one step opens and closes against another: `+ tcp 9000`, `- udp icmp`, both in this order, or `=`. */
export function changesOf(foresight: Foresight, before: ForeseenStep, after: ForeseenStep): ForeseenMatrix {
  const classes = foresight.traffic.map((one) => ({ one, packet: packetOf(one) }));
  return byNetwork(foresight, (from, to) => {
    const changed = (opens: boolean): string => {
      const [was, is] = opens ? [before, after] : [after, before];
      const found = classes.filter(
        ({ packet }) => is.evaluator.allows(from, to, packet) && !was.evaluator.allows(from, to, packet),
      );
      if (found.length === 0) return '';
      const list = found.map(({ one }) => one);
      return `${opens ? '+' : '-'} ${classesText(list, foresight.traffic)}`;
    };
    return [changed(true), changed(false)].filter((text) => text !== '').join(' ') || '=';
  });
}

function byNetwork({ tasks }: Foresight, text: (from: string, to: string) => string): ForeseenMatrix {
  const networks = [...new Set(tasks.map(({ network }) => network))];
  const cell = (from: string, to: string): string => {
    const counts = new Map<string, number>();
    for (const source of tasks) {
      for (const target of tasks) {
        if (source.network !== from || target.network !== to || source === target) continue;
        const one = text(source.name, target.name);
        counts.set(one, (counts.get(one) ?? 0) + 1);
      }
    }
    if (counts.size === 0) return '·';
    if (counts.size === 1) return [...counts.keys()][0]!;
    return [...counts].map(([one, count]) => `${count}x ${one}`).join('; ');
  };
  return { networks, cells: networks.map((from) => networks.map((to) => cell(from, to))) };
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
