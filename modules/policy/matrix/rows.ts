/**
 * What the chains of all classes say of one class of traffic: for each class, the peer classes that it lets through.
 *
 *     columnsOf(walked) -> a function: the kinds that match a traffic -> Column
 *
 * A list of rules is walked once for each set of rules that the traffic makes active, and chains that come to the same
 * answers share them: the steps hang together as a tree, each of them computed when it is first needed.
 */
import { BitsNumbers, copier, has, isEmpty, noBits, same, type Bits, type Copy } from './bits.ts';
import { policing, type CarriedBy } from '../carried.ts';
import type { PeerClasses } from './classes.ts';
import type { Half, ReadyRule, ReadyRules } from './rules.ts';
import type { Felix } from '../felix.ts';
import type { Direction, Policy } from '../model.ts';

/** Chains of both directions, by class. */
export interface Column extends Readonly<Record<Direction, readonly Bits[]>> {
  /** Only where the mark of next-tier can travel from one chain to the next on the same host. */
  readonly marks?: {
    /** What the outbound chain lets through with the mark on it. */
    readonly sent: readonly Bits[];
    /** The inbound chain for packets that come with the mark. */
    readonly inbound: readonly Bits[];
  };
}

/** What is walked. */
export interface Walked {
  readonly felix: Felix;
  readonly classes: PeerClasses;
  /** Those that Felix takes. */
  readonly profiles: ReadonlyMap<string, ReadyRules>;
  readonly policies: ReadonlyMap<Policy, ReadyRules>;
  /** Whether the mark of next-tier stays on a packet after the tiers. */
  readonly leaks: boolean;
  /** Whether marks travel on a host; then the classes are cut by hosts. */
  readonly travels: boolean;
}

/** A column; with an old one, only for some chains, the other rows as they were. */
export type Columns = (active: Bits, old?: Column, chains?: Iterable<number>) => Column;

export function columnsOf(walked: Walked): Columns {
  const inbound = rowsOf(walked, 'inbound', 'allow');
  const outbound = rowsOf(walked, 'outbound', 'allow');
  const sent = walked.travels ? rowsOf(walked, 'outbound', 'sent') : undefined;
  const marked = walked.travels ? rowsOf(walked, 'inbound', 'allow', true) : undefined;
  return (active, old, chains) => {
    const both = { inbound: inbound(active, old?.inbound, chains), outbound: outbound(active, old?.outbound, chains) };
    if (sent === undefined || marked === undefined) return both;
    return { ...both, marks: { sent: sent(active), inbound: marked(active) } };
  };
}

/** What some rules do with each peer class: let it through, drop it (none of these), or leave it to what follows. */
interface Step {
  readonly allow: Bits;
  /** Of these, what went through with the mark of next-tier on it. */
  readonly sent: Bits;
  readonly undecided: Bits;
  /** Undecided as well, and marked. */
  readonly marked: Bits;
  /** Nothing is left to decide: by rules, or at all. */
  readonly spent: boolean;
  readonly done: boolean;
  /** What comes of it by what follows; most steps are the last one. */
  next: Map<Next, Step> | undefined;
}

/** The rule that follows, the answer of the profile or policy that does, or the end of a tier or of all of them. */
type Next = ReadyRule | Step | 'tier ends' | 'tiers end';

type Rows = (active: Bits, old?: readonly Bits[], chains?: Iterable<number>) => readonly Bits[];

function rowsOf(walked: Walked, direction: Direction, told: 'allow' | 'sent', marked = false): Rows {
  const { classes } = walked;
  const none = noBits(classes.size);
  const root = stepOf({ allow: none, sent: none, undecided: classes.all, marked: none });
  const start = marked ? stepOf({ ...root, undecided: none, marked: classes.all }) : root;
  const numbers = new BitsNumbers();
  const shared = new Map<Step, Bits>();
  const copy = copier(classes.size);
  const following = <One extends Next>(step: Step, next: One, make: Make<One>): Step => {
    const known = step.next?.get(next);
    if (known !== undefined) return known;
    const made = make(step, next, copy);
    (step.next ??= new Map()).set(next, made);
    return made;
  };
  const known: Parts[] = [];
  // An edit walks few of them.
  const partsAt = (chain: number): Parts => (known[chain] ??= partsOf(walked, classes.chains[chain]!, direction));

  const answer = (rules: readonly ReadyRule[], active: Bits, own: number): Step => {
    let step = root;
    for (const rule of rules) {
      if (!has(active, rule.kind) || (rule.own !== undefined && !has(rule.own, own))) continue;
      step = following(step, rule, ruled);
      if (step.spent) break;
    }
    return step;
  };
  const row = (chain: number, active: Bits, own: number): Bits => {
    const { tiers, profiles } = partsAt(chain);
    let step = start;
    if (tiers.length > 0) {
      step = root;
      for (const policies of tiers) {
        for (const { rules } of policies) step = following(step, answer(rules, active, own), folded);
        step = following(step, 'tier ends', passed);
      }
      if (walked.leaks) step = following(step, 'tiers end', remarked);
    }
    for (const { rules, unmarked } of profiles) {
      if (step.done) break;
      // Every Felix that leaks leaves a profile at its first next-tier rule if the mark is there already.
      if (step.marked !== none && !isEmpty(step.marked))
        step = following(step, answer(unmarked, active, own), refolded);
      const one = answer(rules, active, own);
      const usual = one.marked === none || walked.leaks;
      step = step === root && usual ? one : following(step, one, usual ? folded : cleared);
    }
    let bits = shared.get(step);
    // Steps end with this walk; their blocks must not live on for the sake of a few rows.
    if (bits === undefined) shared.set(step, (bits = numbers.sets[numbers.of(step[told].slice())]!));
    return bits;
  };
  return (active, old, chains = classes.chains.keys()) => {
    const before = old ?? Array.from({ length: classes.size }, () => none);
    let rows: Bits[] | undefined;
    for (const chain of chains) {
      if (classes.chains[chain]!.inactive) continue;
      // Most profiles ask nothing of the own side; then all classes of the same chain share a row.
      const common = partsAt(chain).particular ? undefined : row(chain, active, -1);
      let last: Bits | undefined;
      for (const own of classes.classesOf[chain]!) {
        const bits = common ?? row(chain, active, own);
        // An edit leaves most rows as they are: those stay the very same. Classes of one chain mostly share theirs.
        if (before[own] === last || same(bits, before[own]!)) {
          if (common !== undefined) last = before[own];
          continue;
        }
        rows ??= before.slice();
        rows[own] = bits;
      }
    }
    return rows ?? before;
  };
}

interface Parts {
  readonly tiers: readonly (readonly Half[])[];
  readonly profiles: readonly Half[];
  readonly particular: boolean;
}

function partsOf({ profiles, policies, felix }: Walked, chain: CarriedBy, direction: Direction): Parts {
  const tiers = policing(chain.tiers, direction, felix).map((tier) =>
    tier.policies.map((policy) => policies.get(policy)![direction]),
  );
  const known = chain.profiles.map((name) => profiles.get(name)?.[direction]);
  // Felix jumps to a chain that drops, so what follows a missing profile is never reached.
  const missing = known.indexOf(undefined);
  const halves = (missing < 0 ? known : known.slice(0, missing)).filter((half) => half !== undefined);
  return { tiers, profiles: halves, particular: [...tiers.flat(), ...halves].some(({ particular }) => particular) };
}

/** A step from another one, and what follows that. */
type Make<One extends Next> = (step: Step, next: One, copy: Copy) => Step;

function stepOf({ allow, sent, undecided, marked }: Pick<Step, 'allow' | 'sent' | 'undecided' | 'marked'>): Step {
  const spent = isEmpty(undecided);
  return { allow, sent, undecided, marked, spent, done: spent && isEmpty(marked), next: undefined };
}

/** One rule more. What next-tier has marked is out of reach of the rules that follow. */
function ruled(step: Step, { peer, action }: ReadyRule, copy: Copy): Step {
  const undecided = copy(step.undecided);
  const allow = action === 'allow' ? copy(step.allow) : step.allow;
  const marked = action === 'next-tier' ? copy(step.marked) : step.marked;
  const to = action === 'allow' ? allow : action === 'next-tier' ? marked : undefined;
  for (let word = 0; word < undecided.length; word++) {
    const hit = peer === undefined ? undecided[word]! : undecided[word]! & peer[word]!;
    if (to !== undefined) to[word]! |= hit;
    undecided[word]! &= ~hit;
  }
  return stepOf({ allow, sent: step.sent, undecided, marked });
}

/** One policy or profile more, for what is not marked. */
function folded(step: Step, answer: Step, copy: Copy): Step {
  const allow = copy(step.allow);
  const undecided = copy(step.undecided);
  // Nearly always both are the same empty set.
  const marked = step.marked === answer.marked ? step.marked : copy(step.marked);
  for (let word = 0; word < undecided.length; word++) {
    const left = undecided[word]!;
    allow[word]! |= left & answer.allow[word]!;
    if (marked !== step.marked) marked[word]! |= left & answer.marked[word]!;
    undecided[word] = left & answer.undecided[word]!;
  }
  return stepOf({ allow, sent: step.sent, undecided, marked });
}

/** The same by a Felix that clears the mark: leaving the profile is all that its next-tier does. */
function cleared(step: Step, answer: Step, copy: Copy): Step {
  const { allow, sent, undecided, marked } = folded(step, answer, copy);
  const left = undecided.map((word, at) => word | (marked[at]! & step.undecided[at]!));
  return stepOf({ allow, sent, undecided: left, marked: step.marked });
}

/** One profile more, for what is marked: the answer of its rules before the first next-tier. */
function refolded(step: Step, answer: Step, copy: Copy): Step {
  const allow = copy(step.allow);
  const sent = copy(step.sent);
  const marked = copy(step.marked);
  for (let word = 0; word < marked.length; word++) {
    const hit = marked[word]! & answer.allow[word]!;
    allow[word]! |= hit;
    sent[word]! |= hit;
    marked[word]! &= answer.undecided[word]!;
  }
  return stepOf({ allow, sent, undecided: step.undecided, marked });
}

/** The end of a tier: what no policy has passed on is dropped, the rest goes on without a mark. */
function passed({ allow, sent, marked }: Step): Step {
  return stepOf({ allow, sent, undecided: marked, marked: new Int32Array(marked.length) });
}

/** The end of the last tier by a Felix that leaves the mark where it is. */
function remarked({ allow, sent, undecided }: Step): Step {
  return stepOf({ allow, sent, undecided: new Int32Array(undecided.length), marked: undecided });
}
