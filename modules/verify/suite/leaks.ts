/**
 * What launching and ending tasks leaves behind, in every view of a cluster: endpoints and addresses in the datastore,
 * interfaces, routes and ipsets of every host, profiles. Compared name by name before and after.
 *
 *     leftBehind(target, before, limitMs) -> one check for each view
 *     leaks                               -> the suite: ends and starts its tasks again and again, and looks each time
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { tried } from '../converge.ts';
import type { Check } from '../report.ts';
import type { Target, View, Views } from '../target.ts';
import { cannot, check, gaveUp, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** In words, for a report. */
const kinds: Readonly<Record<View, string>> = {
  endpoints: 'endpoints in the datastore',
  addresses: 'addresses given out',
  interfaces: 'interfaces on hosts',
  routes: 'routes on hosts',
  sets: 'members of ipsets',
  profiles: 'profiles and policies',
};
const views = Object.keys(kinds) as View[];

/** Names of one view that are there only after, and only before. */
export interface Difference {
  readonly view: View;
  readonly left: readonly string[];
  readonly gone: readonly string[];
}

export function differences(before: Views, after: Views): Difference[] {
  return views.map((view) => {
    const [was, is] = [new Set(before[view]), new Set(after[view])];
    const left = [...is].filter((name) => !was.has(name)).sort();
    const gone = [...was].filter((name) => !is.has(name)).sort();
    return { view, left, gone };
  });
}

/** Agents take a moment to clear away: what is still there after the limit is left behind. */
async function settled(
  target: Target,
  before: Views,
  limitMs: number,
): Promise<{ found: readonly Difference[]; ms: number }> {
  const begin = performance.now();
  for (;;) {
    const found = differences(before, await target.views!());
    const ms = performance.now() - begin;
    if (found.every(({ left, gone }) => left.length + gone.length === 0) || ms > limitMs) {
      return { found, ms: Math.round(ms) };
    }
    await sleep(50);
  }
}

/** Once tasks have ended: one check for each view, or one that says why there is none. */
export async function leftBehind(target: Target, before: Views | undefined, limitMs: number): Promise<Check[]> {
  if (target.views === undefined) return [cannot('left behind', 'the target cannot list what tasks leave')];
  if (before === undefined) return [gaveUp('left behind', 'it is not known what was there before')];
  const looked = await tried(() => settled(target, before, limitMs));
  if (!looked.ok) return [gaveUp('left behind', `what is left is not known: ${looked.why}`)];
  const { found, ms } = looked.value;
  return found.map((one) => judged(`left behind: ${one.view}`, one, before[one.view].length, ms));
}

function judged(name: string, { view, left, gone }: Difference, count: number, ms: number): Check {
  if (left.length + gone.length === 0) return check(name, 'pass', `${kinds[view]}: ${count}, as before`, { ms });
  const parts = [
    ...(left.length > 0 ? [`${left.length} left behind`] : []),
    ...(gone.length > 0 ? [`${gone.length} that were there are gone`] : []),
  ];
  const details = [...left.map((one) => `left: ${one}`), ...gone.map((one) => `gone: ${one}`)];
  return check(name, 'infrastructure-broken', `${kinds[view]}: ${parts.join(', ')}`, { details, ms });
}

/** How often the suite ends all its tasks and starts them again. */
const rounds = 3;

export const leaks: Suite = {
  name: 'leaks',
  about: 'launches and ends its tasks again and again; nothing of them may stay anywhere',
  plan: ({ tasks, guards }: Asked): Plan => ({
    probes: 0,
    states: 1,
    aboutMs: 500 * rounds,
    notes: [
      `${rounds} times, ${tasks.length + guards.length} tasks are started and ended`,
      `compared: ${views.join(', ')}`,
    ],
  }),
  run: async (deck: Deck): Promise<Found> => {
    const { target, before, specs, services, note } = deck;
    const checks: Check[] = [];
    for (let round = 1; round <= rounds; round++) {
      note(`round ${round} of ${rounds}`);
      const ended = await tried(() => target.cleanUp());
      const name = `round ${round}`;
      if (!ended.ok) return { checks: [...checks, gaveUp(name, `the tasks could not be ended: ${ended.why}`)] };
      const seen = await leftBehind(target, before, target.neverMs);
      checks.push(...seen.map((one) => ({ ...one, name: `${name}, ${one.name}` })));
      const again = await tried(async () => {
        await target.write([...deck.state.profiles.values()], deck.state.tiers);
        return target.launch(specs, services);
      });
      if (!again.ok) return { checks: [...checks, gaveUp(name, `the tasks did not start again: ${again.why}`)] };
    }
    return { checks };
  },
};
