/**
 * As few probes as touch everything once: every network as source and as target, every ordered pair of hosts, every
 * protocol, every rule that decides anything between the tasks.
 *
 *     cover(cells, touches) -> cells that together touch all that any cell touches; greedy, so close to the fewest
 */
import { compileState, type Evaluator } from '../../policy/evaluate.ts';
import type { Because, Decision, Direction, PolicyState } from '../../policy/model.ts';
import { displayName, displayRule, type Names } from '../../policy/names.ts';
import { ruleText } from '../../policy/text.ts';
import { packetOf } from '../../policy/traffic.ts';
import { cellsOf, controlNetwork } from '../plan.ts';
import { randomFrom, shuffled, type Random } from '../random.ts';
import { take } from '../step.ts';
import type { Asked, Deck, Found, Plan, Suite } from './suite.ts';

type Cells = ReturnType<typeof cellsOf>;

/** Takes what touches most that is new; what touches nothing new is left out. */
export function cover<T>(cells: readonly T[], touches: (cell: T) => readonly string[]): T[] {
  const touched = cells.map(touches);
  const seen = new Set<string>();
  const taken: T[] = [];
  const gain = (things: readonly string[]): number => things.reduce((sum, one) => sum + (seen.has(one) ? 0 : 1), 0);
  // Gains only shrink: who has less than the level now will not have it later, and who has none is done with.
  let rest = [...touched.entries()];
  for (let level = touched.reduce((most, things) => Math.max(most, things.length), 0); level > 0; level--) {
    rest = rest.filter(([index, things]) => {
      const now = gain(things);
      if (now < level) return now > 0;
      taken.push(cells[index]!);
      for (const one of things) seen.add(one);
      return false;
    });
  }
  return taken;
}

/** The rule of one side, or why there is none. */
const decider = (because: Because, direction: Direction): string => {
  if (because.kind === 'rule') return ruleName(because.profile, direction, because.position);
  if (because.kind !== 'policy rule') return `${because.kind} ${direction}`;
  return `${because.tier}/${because.policy} ${direction} ${because.position}`;
};
const ruleName = (profile: string, direction: Direction, position: number): string =>
  `rule ${position} ${direction} of ${profile}`;

interface Ground {
  readonly tasks: readonly { readonly name: string; readonly network: string; readonly node: string }[];
  readonly traffic: Deck['traffic'];
  readonly evaluator: Evaluator;
  readonly random: Random;
}

/**
 * What a cell touches; its rules are those that were asked before the verdict stood. Names are made once for all cells,
 * of which a hundred tasks have tens of thousands.
 */
function touching({ tasks, traffic, evaluator }: Ground): (cell: Cells[number]) => readonly string[] {
  const packets = traffic.map(packetOf);
  const sources = tasks.map(({ network }) => `from ${network}`);
  const targets = tasks.map(({ network }) => `to ${network}`);
  const ways = tasks.map((source) => tasks.map((target) => `${source.node} -> ${target.node}`));
  const deciders = { outbound: new Map<Because, string>(), inbound: new Map<Because, string>() };
  const named = (because: Because, direction: Direction): string => {
    const known = deciders[direction].get(because);
    if (known !== undefined) return known;
    const name = decider(because, direction);
    deciders[direction].set(because, name);
    return name;
  };
  return ({ from, to, traffic: kind }) => {
    const { outbound, inbound }: Decision = evaluator.decide(tasks[from]!.name, tasks[to]!.name, packets[kind]!);
    const place = [sources[from]!, targets[to]!, ways[from]![to]!, traffic[kind]!.protocol];
    const asked = named(outbound.because, 'outbound');
    // Behind a source that refuses, no packet shows what the target would have said.
    return outbound.allow ? [...place, asked, named(inbound.because, 'inbound')] : [...place, asked];
  };
}

interface Choice {
  readonly cells: Cells;
  readonly touched: ReadonlySet<string>;
}

function choose(ground: Ground): Choice {
  const all = shuffled(cellsOf(ground.tasks.length, ground.traffic), ground.random);
  const touches = touching(ground);
  const cells = cover(all, touches);
  return { cells, touched: new Set(cells.flatMap(touches)) };
}

/** The cells that a deck's smoke asks. */
export const smokeCells = (deck: Deck): Cells => choose(deck).cells;

/** Rules of networks that no probe between the tasks comes to. */
function untouched({ profiles, endpoints }: PolicyState, touched: ReadonlySet<string>, names: Names): string[] {
  const carried = new Set(endpoints.flatMap((endpoint) => endpoint.profiles));
  const rules = [...profiles.values()]
    .filter(({ name }) => carried.has(name) && displayName(names, name) !== controlNetwork)
    .flatMap((profile) =>
      (['inbound', 'outbound'] as const).flatMap((direction) =>
        profile[direction].map((rule, at) => ({ profile: profile.name, direction, rule, position: at + 1 })),
      ),
    );
  return rules
    .filter(({ profile, direction, position }) => !touched.has(ruleName(profile, direction, position)))
    .map(
      ({ profile, direction, rule, position }) =>
        `rule ${position} ${direction} of ${displayName(names, profile)} (${ruleText(displayRule(names, rule))}): it decides nothing between these tasks`,
    );
}

export const smoke: Suite = {
  name: 'smoke',
  about: 'as few probes as touch every network, every pair of hosts and every rule once',
  plan: ({ tasks, course }: Asked): Plan => {
    const evaluator = compileState(course.steps[0]!.state);
    const { cells } = choose({ tasks, traffic: course.traffic, evaluator, random: randomFrom(1) });
    return { probes: cells.length, states: 1, aboutMs: 1200, notes: ['which of them: by the seed'] };
  },
  run: async (deck: Deck): Promise<Found> => {
    const { state, names } = deck;
    const { cells, touched } = choose(deck);
    const { report } = await take(
      { ...deck, cells },
      { ...deck.step, expectations: [] },
      { expected: undefined, stored: undefined },
      deck.first,
    );
    return { checks: [], steps: [report], untried: untouched(state, touched, names) };
  },
};
