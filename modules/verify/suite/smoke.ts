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
  // Gains only shrink: who has less than the level now will not have it later.
  for (let level = touched.reduce((most, things) => Math.max(most, things.length), 0); level > 0; level--) {
    for (const [index, things] of touched.entries()) {
      if (gain(things) < level) continue;
      taken.push(cells[index]!);
      for (const one of things) seen.add(one);
    }
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

/** What a cell touches; its rules are those that were asked before the verdict stood. */
function touchesOf({ tasks, traffic, evaluator }: Ground, { from, to, traffic: kind }: Cells[number]): string[] {
  const [source, target, one] = [tasks[from]!, tasks[to]!, traffic[kind]!];
  const { outbound, inbound }: Decision = evaluator.decide(source.name, target.name, packetOf(one));
  return [
    `from ${source.network}`,
    `to ${target.network}`,
    `${source.node} -> ${target.node}`,
    one.protocol,
    decider(outbound.because, 'outbound'),
    // Behind a source that refuses, no packet shows what the target would have said.
    ...(outbound.allow ? [decider(inbound.because, 'inbound')] : []),
  ];
}

interface Choice {
  readonly cells: Cells;
  readonly touched: ReadonlySet<string>;
}

function choose(ground: Ground): Choice {
  const all = shuffled(cellsOf(ground.tasks.length, ground.traffic), ground.random);
  const cells = cover(all, (cell) => touchesOf(ground, cell));
  return { cells, touched: new Set(cells.flatMap((cell) => touchesOf(ground, cell))) };
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
