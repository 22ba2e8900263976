/** All suites, one after the other, in one report: what a check is called says which one it is of. */
import { tried } from '../converge.ts';
import { gaveUp, wanted, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** A soak that is one part of many, where nobody says how long. */
const soakMs = 60_000;

/** `parts` in the order in which they run: one that gives tasks other addresses has to be the last. */
export const everythingOf = (parts: readonly Suite[]): Suite => ({
  name: 'everything',
  about: 'all of these, in one report; the soak for a minute, or --for TIME',
  plan: (asked: Asked): Plan => {
    const plans = chosen(parts, asked).map((part) => ({ part, plan: part.plan({ ...asked, wish: wishOf(asked) }) }));
    const sum = (what: 'probes' | 'states' | 'aboutMs'): number => plans.reduce((so, { plan }) => so + plan[what], 0);
    const notes = plans.flatMap(({ part, plan }) => plan.notes.map((one) => `${part.name}: ${one}`));
    return { probes: sum('probes'), states: sum('states'), aboutMs: sum('aboutMs'), notes };
  },
  run: (deck: Deck): Promise<Found> => {
    const { stop } = deck.wish;
    return stop === undefined ? all(parts, deck, () => false) : stop.hear((asked) => all(parts, deck, asked));
  },
});

/** `--only` is about suites here; within each, everything is looked at. */
const chosen = (parts: readonly Suite[], { wish }: Pick<Asked, 'wish'>): readonly Suite[] =>
  parts.filter(({ name }) => wanted(wish)(name));

function wishOf({ wish }: Pick<Asked, 'wish'>): Asked['wish'] {
  const all: { -readonly [Key in keyof Asked['wish']]: Asked['wish'][Key] } = { ...wish, forMs: wish.forMs ?? soakMs };
  delete all.only;
  return all;
}

async function all(parts: readonly Suite[], deck: Deck, asked: () => boolean): Promise<Found> {
  const found: Required<{ -readonly [Key in keyof Found]: Found[Key] }> = { checks: [], steps: [], untried: [] };
  for (const part of chosen(parts, deck)) {
    const { name } = part;
    if (asked()) {
      found.checks = [...found.checks, gaveUp(name, 'not begun: Ctrl-C')];
      continue;
    }
    deck.note(name);
    const done = await tried(() =>
      part.run({ ...deck, wish: wishOf(deck), note: (text) => deck.note(`${name}: ${text}`) }),
    );
    const own: Found = done.ok ? done.value : { checks: [gaveUp('suite', done.why)] };
    found.checks = [...found.checks, ...own.checks.map((one) => ({ ...one, name: `${name}: ${one.name}` }))];
    found.steps = [...found.steps, ...(own.steps ?? []).map((one) => ({ ...one, title: `${name}: ${one.title}` }))];
    found.untried = [...found.untried, ...(own.untried ?? []).map((one) => `${name}: ${one}`)];
  }
  return found;
}
