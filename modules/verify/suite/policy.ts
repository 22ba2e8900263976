/** The matrix of the declared policy, and what people wrote they expect of it. */
import { probeable } from '../../policy/traffic.ts';
import { cellsOf } from '../plan.ts';
import type { Check } from '../report.ts';
import { take } from '../step.ts';
import { generated } from './generated.ts';
import { wanted, type Asked, type Deck, type Found, type Plan, type Suite } from './suite.ts';

/** A cell as `--only` knows it. */
const nameOf = ({ tasks, traffic }: Named, { from, to, traffic: kind }: ReturnType<typeof cellsOf>[number]): string =>
  `${tasks[from]!.name} -> ${tasks[to]!.name} ${traffic[kind]!.name}`;

interface Named {
  readonly tasks: readonly { readonly name: string }[];
  readonly traffic: Asked['course']['traffic'];
}

/** All cells, or those that are asked for. */
export function chosen(named: Named, wish: Asked['wish']): ReturnType<typeof cellsOf> {
  const takes = wanted(wish);
  return cellsOf(named.tasks.length, named.traffic).filter((cell) => takes(nameOf(named, cell)));
}

export const policy: Suite = {
  name: 'policy',
  about: 'the whole matrix of the declared policy, and the expectations written by hand (the default)',
  plan: ({ tasks, wish, course }: Asked): Plan => ({
    probes: chosen({ tasks, traffic: course.traffic }, wish).length,
    states: 1 + (wish.cases ?? 0),
    aboutMs: 1500 * (1 + (wish.cases ?? 0)),
    notes: course.traffic
      .filter((one) => !probeable(one))
      .map(({ name }) => `${name} is not asked: no prober sends it`),
  }),
  run: async (deck: Deck): Promise<Found> => {
    const { wish, step, first } = deck;
    const made = (): Promise<Check[]> => generated(deck, deck.seed, wish.cases ?? 0, wish.shrink === true);
    if (wish.only === undefined) {
      const steps = [(await take(deck, step, nowhere, first)).report];
      return { steps, checks: wish.cases === undefined ? [] : await made() };
    }
    // An expectation speaks of cells that are not asked now.
    const scene = { ...deck, cells: chosen(deck, wish) };
    const { report } = await take(scene, { ...step, expectations: [] }, nowhere, first);
    return { checks: [], steps: [report] };
  },
};

const nowhere = { expected: undefined, stored: undefined } as const;
