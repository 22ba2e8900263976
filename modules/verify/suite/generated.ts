/**
 * Policies that nobody wrote, made from the seed: what packets do under each is held against the evaluator, cell by cell.
 * One that fails is made smaller, rule by rule, for as long as it still fails, and told with the commands that bring it.
 */
import { bring } from '../../policy/bring.ts';
import { compileState } from '../../policy/evaluate.ts';
import type { PolicyState, Profile, Rule, RuleProtocol } from '../../policy/model.ts';
import { displayName, displayRule } from '../../policy/names.ts';
import { ruleText } from '../../policy/text.ts';
import { lagging } from '../converge.ts';
import { worst } from '../judge.ts';
import { randomFrom, type Random } from '../random.ts';
import type { Cell, Check } from '../report.ts';
import { table } from '../table.ts';
import { check, type Deck } from './suite.ts';

/** How often a smaller form is tried before the smallest that was found is good enough. */
const patience = 60;

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)]!;

function ruleOf({ services }: Pick<Deck, 'services'>, tags: readonly string[], random: Random): Rule {
  const protocol = pick<RuleProtocol | undefined>([undefined, 'tcp', 'tcp', 'udp', 'icmp'], random);
  const ported = protocol === 'tcp' || protocol === 'udp';
  const port = ported && random() < 0.7 ? pick(services[protocol], random) : undefined;
  const tag = random() < 0.75 ? pick(tags, random) : undefined;
  return {
    action: random() < 0.7 ? 'allow' : 'deny',
    ...(protocol === undefined ? {} : { protocol }),
    from: tag === undefined ? {} : { tag },
    to: port === undefined ? {} : { ports: [{ from: port, to: port }] },
  };
}

/** The networks' own profiles, with other inbound rules. */
export function generate(deck: Pick<Deck, 'services' | 'tasks' | 'state'>, random: Random): PolicyState {
  const names = [...new Set(deck.tasks.flatMap(({ profiles }) => profiles))];
  const own = names.flatMap((name) => deck.state.profiles.get(name) ?? []);
  const tags = own.flatMap((profile) => profile.tags);
  const made = own.map((profile): [string, Profile] => {
    const count = Math.floor(random() * 4);
    return [profile.name, { ...profile, inbound: Array.from({ length: count }, () => ruleOf(deck, tags, random)) }];
  });
  return { ...deck.state, profiles: new Map([...deck.state.profiles, ...made]) };
}

/** Every policy with one rule less, the last rules first. */
export function smaller(state: PolicyState, names: readonly string[]): PolicyState[] {
  return names.flatMap((name) => {
    const profile = state.profiles.get(name)!;
    return [...profile.inbound.keys()].toReversed().map((at): PolicyState => {
      const less: Profile = { ...profile, inbound: profile.inbound.filter((_, index) => index !== at) };
      return { ...state, profiles: new Map([...state.profiles, [name, less]]) };
    });
  });
}

/** Takes rules out for as long as it still fails. */
export async function shrink(
  state: PolicyState,
  names: readonly string[],
  fails: (smaller: PolicyState) => Promise<boolean>,
): Promise<PolicyState> {
  let [smallest, tries] = [state, 0];
  for (let again = true; again;) {
    again = false;
    for (const next of smaller(smallest, names)) {
      if (++tries > patience) return smallest;
      if (!(await fails(next))) continue;
      smallest = next;
      again = true;
      break;
    }
  }
  return smallest;
}

async function cellsUnder(deck: Deck, state: PolicyState, only?: Cell): Promise<readonly Cell[]> {
  const { target } = deck;
  const written = await target.write([...state.profiles.values()], state.tiers);
  const behind = lagging(await target.programmed(written, target.neverMs));
  const scene = only === undefined ? deck : { ...deck, cells: [only] };
  return (await table(scene, compileState(state), behind)).cells;
}

/** Asked for by `--cases`; `seed` is that of the run, so that a case is found again. */
export async function generated(deck: Deck, seed: number, cases: number, shrinks: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  for (let number = 1; number <= cases; number++) {
    deck.note(`generated policy ${number} of ${cases}`);
    const state = generate(deck, randomFrom(seed + number));
    const begin = performance.now();
    const cells = await cellsUnder(deck, state);
    const name = `generated policy ${number} of seed ${seed}`;
    const wrong = cells.filter(({ outcome }) => outcome !== 'pass');
    const seen = `${cells.length - wrong.length} of ${cells.length} cells as expected`;
    const [first] = wrong.toSorted(
      (a, b) => Number(b.outcome === 'policy-wrong') - Number(a.outcome === 'policy-wrong'),
    );
    const details = first === undefined ? [] : await told(deck, state, first, shrinks);
    const ms = Math.round(performance.now() - begin);
    checks.push(check(name, worst(cells.map(({ outcome }) => outcome)), seen, { details, ms }));
  }
  await deck.target.write([...deck.state.profiles.values()], deck.state.tiers);
  return checks;
}

async function told(deck: Deck, state: PolicyState, cell: Cell, shrinks: boolean): Promise<string[]> {
  const { tasks, traffic, cluster, names } = deck;
  const own = [...new Set(tasks.flatMap(({ profiles }) => profiles))];
  const fails = async (next: PolicyState): Promise<boolean> => {
    const [now] = await cellsUnder(deck, next, cell);
    return now?.outcome === cell.outcome && now.observed === cell.observed;
  };
  const smallest = shrinks ? await shrink(state, own, fails) : state;
  const count = ({ profiles }: PolicyState): number =>
    own.reduce((sum, one) => sum + profiles.get(one)!.inbound.length, 0);
  const [from, to, kind] = [tasks[cell.from]!, tasks[cell.to]!, traffic[cell.traffic]!];
  return [
    `${from.name} -> ${to.name} ${kind.name}: observed ${cell.observed}${cell.note === undefined ? '' : ` (${cell.note})`}`,
    ...(shrinks
      ? [`${count(smallest)} of ${count(state)} rules are enough for it to fail:`]
      : ['its rules (--shrink takes away those that do not matter):']),
    ...own.flatMap((name) =>
      smallest.profiles
        .get(name)!
        .inbound.map((rule) => `  ${displayName(names, name)} inbound: ${ruleText(displayRule(names, rule))}`),
    ),
    'from the declared policy it is brought about by:',
    ...bring(cluster.release, deck.state, smallest, names).map((command) => `  ${command}`),
  ];
}
