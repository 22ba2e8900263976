/**
 * What the chains of all classes say of one class of traffic: for each class, the peer classes that it lets through.
 *
 *     rowsOf(classes, profiles, direction) -> a function: the kinds that match a traffic -> rows by class
 *
 * A list of rules is walked once for each set of rules that the traffic makes active, and lists of profiles that come to
 * the same answers share them: the steps hang together as a tree, each of them computed when it is first needed.
 */
import { BitsNumbers, has, isEmpty, noBits, type Bits } from './bits.ts';
import type { PeerClasses } from './classes.ts';
import type { ReadyProfile, ReadyRule } from './classrules.ts';
import type { Direction } from './model.ts';

/** Chains of both directions, by class. */
export type Column = Readonly<Record<Direction, readonly Bits[]>>;

/** What some rules do with each peer class: let it through, drop it (neither), or leave it to what follows. */
interface Step {
  readonly allow: Bits;
  readonly undecided: Bits;
  /** Nothing is left to decide. */
  readonly done: boolean;
  /** By the rule that follows, or by the answer of the profile that does. */
  readonly next: Map<ReadyRule | Step, Step>;
}

/** The rows of the classes of some lists of profiles (all, unless said otherwise), the rest as they were. */
export type Rows = (active: Bits, old?: readonly Bits[], lists?: Iterable<number>) => readonly Bits[];

export function rowsOf(classes: PeerClasses, profiles: ReadonlyMap<string, ReadyProfile>, direction: Direction): Rows {
  const none = noBits(classes.size);
  const start: Step = { allow: none, undecided: classes.all, done: classes.size === 0, next: new Map() };
  const numbers = new BitsNumbers();
  const shared = new Map<Step, Bits>();
  const halves = classes.lists.map((names) => {
    const known = names.map((name) => profiles.get(name)?.[direction]);
    // Felix jumps to a chain that drops, so what follows a missing profile is never reached.
    const missing = known.indexOf(undefined);
    return (missing < 0 ? known : known.slice(0, missing)).filter((half) => half !== undefined);
  });

  const answer = (rules: readonly ReadyRule[], active: Bits, own: number): Step => {
    let step = start;
    for (const rule of rules) {
      if (!has(active, rule.kind) || (rule.own !== undefined && !has(rule.own, own))) continue;
      step = following(step, rule, ruled);
      if (step.done) break;
    }
    return step;
  };
  const row = (list: number, active: Bits, own: number): Bits => {
    let step = start;
    for (const { rules } of halves[list]!) {
      const one = answer(rules, active, own);
      step = step === start ? one : following(step, one, folded);
      if (step.done) break;
    }
    let bits = shared.get(step);
    if (bits === undefined) shared.set(step, (bits = numbers.sets[numbers.of(step.allow)]!));
    return bits;
  };
  return (active, old, lists = classes.lists.keys()) => {
    const rows = old === undefined ? Array.from({ length: classes.size }, () => none) : old.slice();
    for (const list of lists) {
      // Most profiles ask nothing of the own side; then all classes with the same list share one chain.
      const common = halves[list]!.some(({ particular }) => particular) ? undefined : row(list, active, -1);
      for (const own of classes.classesOf[list]!) rows[own] = common ?? row(list, active, own);
    }
    return rows;
  };
}

function following<Next extends ReadyRule | Step>(
  step: Step,
  next: Next,
  make: (step: Step, next: Next) => Step,
): Step {
  let known = step.next.get(next);
  if (known === undefined) step.next.set(next, (known = make(step, next)));
  return known;
}

function ruled({ allow, undecided }: Step, { peer, allow: allows }: ReadyRule): Step {
  const through = Int32Array.from(allow);
  const left = Int32Array.from(undecided);
  for (let word = 0; word < left.length; word++) {
    const hit = peer === undefined ? left[word]! : left[word]! & peer[word]!;
    if (allows) through[word]! |= hit;
    left[word]! &= ~hit;
  }
  return { allow: through, undecided: left, done: isEmpty(left), next: new Map() };
}

function folded({ allow, undecided }: Step, answer: Step): Step {
  const through = Int32Array.from(allow);
  const left = Int32Array.from(undecided);
  for (let word = 0; word < left.length; word++) {
    through[word]! |= left[word]! & answer.allow[word]!;
    left[word]! &= answer.undecided[word]!;
  }
  return { allow: through, undecided: left, done: isEmpty(left), next: new Map() };
}
