/** Which classes of traffic pass between two tasks, as a pattern to compare and as a few characters to read. */
import type { Traffic } from '../policy/model.ts';
import type { Cell, Outcome } from '../verify/report.ts';
import { clean } from './clean.ts';
import { worst } from '../verify/judge.ts';

/** What one class of traffic does, observed or expected. `none` was not probed. */
export type Fate = 'passes' | 'stopped' | 'rejected' | 'broken' | 'none';

/** One pair of tasks, all its traffic classes. Pairs with the same `key` look the same in a matrix. */
export interface Flow {
  readonly key: string;
  readonly expected: string;
  readonly observed: string;
  readonly outcome: Outcome;
}

const expectedFate = (cell: Cell | undefined): Fate =>
  cell === undefined ? 'none' : cell.expected === 'allow' ? 'passes' : 'stopped';

/**
 * A refused packet has arrived, so policy let it through. A broken cell says nothing of the network, whatever the
 * probe saw: it never counts as passing, nor as stopped.
 */
function observedFate(cell: Cell | undefined): Fate {
  if (cell === undefined) return 'none';
  if (cell.outcome === 'infrastructure-broken') return 'broken';
  switch (cell.observed) {
    case 'open':
    case 'refused':
      return 'passes';
    case 'dropped':
      return 'stopped';
    case 'rejected':
      return 'rejected';
    case 'broken':
      return 'broken';
  }
}

/** A place of the matrix that is not probed, a task to itself, has nothing wrong about it. */
export const outcomeOf = (outcomes: readonly Outcome[]): Outcome => (outcomes.length === 0 ? 'pass' : worst(outcomes));

/** The flow of a pair; `cells` has one place per traffic class. */
export function flowOf(cells: readonly (Cell | undefined)[], traffic: readonly Traffic[]): Flow {
  const expected = cells.map(expectedFate);
  const observed = cells.map(observedFate);
  const outcome = outcomeOf(cells.flatMap((cell) => (cell ? [cell.outcome] : [])));
  const wrong = cells.map((cell) => (cell?.outcome === 'policy-wrong' ? '!' : '')).join(',');
  return {
    key: `${expected.join()}|${observed.join()}|${wrong}`,
    expected: fatesText(expected, traffic),
    observed: fatesText(observed, traffic),
    outcome,
  };
}

/** `all`, `-`, `tcp 9000,9001 icmp`, `not udp`; what is neither passing nor stopped is named: `all, broken: udp`. */
export function fatesText(fates: readonly Fate[], traffic: readonly Traffic[]): string {
  const probed = traffic
    .map((one, index) => ({ one, fate: fates[index] ?? 'none' }))
    .filter(({ fate }) => fate !== 'none');
  if (probed.length === 0) return '·';
  const of = (fate: Fate): Traffic[] => probed.filter((each) => each.fate === fate).map(({ one }) => one);
  const universe = probed.map(({ one }) => one);
  const passing = of('passes');
  const odd = (['rejected', 'broken'] as const).flatMap((fate) => {
    const some = of(fate);
    if (some.length === 0) return [];
    return [some.length === universe.length ? fate : `${fate}: ${classesText(some, universe)}`];
  });
  if (odd.length === 0) return passing.length === 0 ? '-' : short(passing, universe);
  return [...(passing.length > 0 ? [classesText(passing, universe)] : []), ...odd].join(', ');
}

/** What passes; where that is a long list, what does not. */
function short(passing: readonly Traffic[], universe: readonly Traffic[]): string {
  if (passing.length === universe.length) return 'all';
  const positive = classesText(passing, universe);
  const negative = `not ${classesText(
    universe.filter((one) => !passing.includes(one)),
    universe,
  )}`;
  return positive.length > 12 && negative.length < positive.length ? negative : positive;
}

/** Names by protocol: a whole protocol is just its name, parts of it share the word: `tcp 9000,9001 icmp`. */
export function classesText(some: readonly Traffic[], universe: readonly Traffic[]): string {
  const protocols = [...new Set(some.map((one) => one.protocol))];
  return protocols
    .map((protocol) => {
      const mine = some.filter((one) => one.protocol === protocol);
      if (mine.length === universe.filter((one) => one.protocol === protocol).length) return protocol;
      const rest = mine.map((one) => clean(one.name).replace(new RegExp(`^${protocol} +`), ''));
      return `${protocol} ${rest.join(',')}`;
    })
    .join(' ');
}
