/**
 * Rounds until the time is over: the policy is edited and put back, the whole table asked, tasks start and end, and what
 * the cluster holds then is measured. Every round must be right, and nothing may grow from round to round.
 */
import { tried } from '../converge.ts';
import { controlNetwork, probeOf } from '../plan.ts';
import { worst } from '../judge.ts';
import type { Check, Outcome } from '../report.ts';
import { move } from '../step.ts';
import { table } from '../table.ts';
import { TargetFailed } from '../target.ts';
import { editOf, type Edit } from './edit.ts';
import { leastRounds, median } from './growth.ts';
import { chosen } from './policy.ts';
import { spread } from './spread.ts';
import { check, gaveUp, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';
import { add, addHeld, addViews, judged, type Figures } from './trend.ts';

const hour = 3_600_000;

/** How many tasks start and end in a round. */
const fresh = 2;

/** Rounds in a row that could not be done, after which no other is begun. */
const patience = 3;

/** Lines at most of what was wrong; a night of the same needs no more. */
const most = 50;

/** One part of all rounds. */
interface Part {
  readonly name: string;
  good: number;
  total: number;
  outcome: Outcome;
  readonly wrong: string[];
}

interface Log {
  readonly figures: Figures;
  readonly parts: Map<string, Part>;
  readonly allow: number[];
  readonly deny: number[];
  rounds: number;
}

export const soak: Suite = {
  name: 'soak',
  about: 'edits, whole tables, tasks that start and end, for --for TIME (1h); nothing may grow from round to round',
  plan: ({ tasks, course, wish }: Asked): Plan => ({
    probes: chosen({ tasks, traffic: course.traffic }, wish).length,
    states: 2,
    aboutMs: wish.forMs ?? hour,
    notes: [
      'the probes are those of one round; a round takes about 2 s in a small lab',
      `in each, a rule is put into a profile and taken out, and ${fresh} tasks start and end`,
      'Ctrl-C ends it in order after the round, with a report; a second one ends it at once',
    ],
  }),
  run: (deck: Deck): Promise<Found> =>
    deck.wish.stop === undefined ? lasting(deck, () => false) : deck.wish.stop.hear((asked) => lasting(deck, asked)),
};

async function lasting(deck: Deck, asked: () => boolean): Promise<Found> {
  const forMs = deck.wish.forMs ?? hour;
  const edit = editOf(deck);
  const log: Log = { figures: new Map(), parts: new Map(), allow: [], deny: [], rounds: 0 };
  const begin = performance.now();
  const since = (): number => performance.now() - begin;
  let failed = 0;
  while (since() < forMs && !asked() && failed < patience) {
    const number = ++log.rounds;
    deck.note(`round ${number}, ${Math.round(since() / 1000)} s of ${Math.round(forMs / 1000)} s`);
    const done = await tried(() => round(deck, edit, number, log));
    note(log, 'rounds', number, done.ok ? [] : [done.why]);
    failed = done.ok ? 0 : failed + 1;
    // Whatever was in the middle of it: the next round begins with the policy as declared.
    if (!done.ok) await tried(() => deck.target.write([...deck.state.profiles.values()], deck.state.tiers));
  }
  const end = failed === patience ? `given up after ${patience} failures in a row` : asked() ? 'Ctrl-C' : 'time over';
  const text = `${log.rounds} in ${Math.round(since() / 1000)} s, ended: ${end}`;
  return {
    checks: [...partChecks(log, text), ...timeChecks(deck, log), ...judged(log.figures)],
    untried: lacking(deck, edit),
  };
}

function lacking({ target }: Deck, edit: Edit | undefined): string[] {
  return [
    ...(edit === undefined ? ['edits: no rule in a profile changes anything between these tasks'] : []),
    ...(target.end === undefined ? ['tasks that start and end: the target cannot end some of them alone'] : []),
    ...(target.views === undefined ? ['growth of endpoints, routes and ipsets: the target cannot list them'] : []),
    ...(target.held === undefined ? ['growth of memory and open files: the target cannot tell them'] : []),
  ];
}

async function round(deck: Deck, edit: Edit | undefined, number: number, log: Log): Promise<void> {
  const { target } = deck;
  const behind = edit === undefined ? new Map<string, string>() : await edits(deck, edit, number, log);
  await whole(deck, behind, number, log);
  if (target.end !== undefined) await comeAndGo(deck, target.end, number, log);
  if (target.views !== undefined) addViews(log.figures, await target.views());
  if (target.held !== undefined) addHeld(log.figures, await target.held());
}

/** To the edited policy and back. */
async function edits(deck: Deck, edit: Edit, number: number, log: Log): Promise<ReadonlyMap<string, string>> {
  let behind: ReadonlyMap<string, string> = new Map();
  for (const [from, to] of [
    [deck.state, edit.state],
    [edit.state, deck.state],
  ] as const) {
    const seen = await move(deck, from, from, to);
    if (seen.failed !== undefined) throw new TargetFailed(`an edit: ${seen.failed}`);
    const { opened, closed, budgetMs, programmedMs } = seen.timing;
    behind = seen.behind;
    const wrong = [
      ...(seen.stuck.length > 0 ? [`${seen.stuck.length} cells did not follow`] : []),
      ...[...behind.values()],
    ];
    const isLate = seen.late > 0 || (programmedMs ?? 0) > budgetMs;
    const slow = isLate ? [`over ${budgetMs} ms`] : [];
    note(log, 'edits', number, [...wrong, ...slow], wrong.length > 0 ? 'infrastructure-broken' : 'slow');
    if (opened.cells > 0 && opened.slowestMs !== undefined) timed(log, 'time to allow', log.allow, opened.slowestMs);
    if (closed.cells > 0 && closed.slowestMs !== undefined) timed(log, 'time to deny', log.deny, closed.slowestMs);
  }
  return behind;
}

function timed({ figures }: Log, kind: string, values: number[], ms: number): void {
  values.push(ms);
  add(figures, kind, 'slowest cell', 'ms', ms);
}

async function whole(deck: Deck, behind: ReadonlyMap<string, string>, number: number, log: Log): Promise<void> {
  const { tasks, traffic, wish } = deck;
  const scene = wish.only === undefined ? deck : { ...deck, cells: chosen(deck, wish) };
  const { cells } = await table(scene, deck.evaluator, behind);
  const wrong = cells.filter(({ outcome }) => outcome !== 'pass');
  const text = wrong.map(
    ({ from, to, traffic: kind, expected, observed, note: why = '' }) =>
      `${tasks[from]!.name} -> ${tasks[to]!.name} ${traffic[kind]!.name}: ${observed}, policy says ${expected} ${why}`,
  );
  note(log, 'tables', number, text, worst(cells.map(({ outcome }) => outcome)));
  const open = cells.filter(({ observed }) => observed === 'open').map(({ ms }) => ms);
  if (open.length > 0) add(log.figures, 'time of a probe', 'median of a table', 'ms', median(open));
}

/** Some tasks more, on every host in turn, each asked by its own host; then they end. */
async function comeAndGo(deck: Deck, end: NonNullable<Deck['target']['end']>, number: number, log: Log): Promise<void> {
  const { target, specs, services } = deck;
  const some = specs.filter(({ network }) => network !== controlNetwork);
  const these = Array.from({ length: fresh }, (_, index) => {
    const spec = some[(number * fresh + index) % some.length]!;
    return { ...spec, name: `soak-${number}-${index + 1}@${spec.node}` };
  });
  try {
    const there = await target.launch(these, services);
    const icmp = { protocol: 'icmp', name: 'icmp', type: 8, code: 0 } as const;
    const probes = there.map((task) => probeOf(task.node, task, icmp, true));
    const answers = await target.probe(probes, target.timeoutMs);
    const silent = there.filter((_, index) => answers[index]!.verdict !== 'open');
    const wrong = silent.map(({ name }) => `${name} does not answer its own host`);
    note(log, 'tasks', number, wrong, 'infrastructure-broken');
  } finally {
    await end(these.map(({ name }) => name));
  }
}

function note({ parts }: Log, name: string, round: number, wrong: readonly string[], how?: Outcome): void {
  const part = parts.get(name) ?? { name, good: 0, total: 0, outcome: 'pass' as Outcome, wrong: [] };
  parts.set(name, part);
  part.total++;
  if (wrong.length === 0) part.good++;
  else part.outcome = worst([part.outcome, how ?? 'infrastructure-broken']);
  part.wrong.push(...wrong.map((text) => `round ${round}: ${text.trim()}`).slice(0, most - part.wrong.length));
}

function partChecks({ parts, rounds }: Log, text: string): Check[] {
  if (rounds === 0) return [gaveUp('rounds', 'there was no time for any')];
  return [...parts.values()].map(({ name, good, total, outcome, wrong }) => {
    const count = `${good} of ${total} as they must be`;
    return check(name, outcome, name === 'rounds' ? text : count, { details: wrong });
  });
}

function timeChecks({ target }: Deck, { allow, deny, rounds }: Log): Check[] {
  const one = (name: string, what: string, values: readonly number[]): Check[] =>
    values.length === 0
      ? []
      : [check(name, values.every((ms) => ms <= target.budgetMs) ? 'pass' : 'slow', what, { times: spread(values) })];
  const short =
    rounds >= leastRounds ? [] : [gaveUp('enough rounds', `growth needs ${leastRounds}; give it more time`)];
  return [
    ...one('time to allow', 'from the write to the first answer of the slowest cell', allow),
    ...one('time to deny', 'from the write to the last packet through', deny),
    ...short,
  ];
}
