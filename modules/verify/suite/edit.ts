/**
 * An edit of the policy that opens or closes something between the probe tasks, and that can be taken back: one rule put
 * before all others of one profile.
 *
 *     editOf(deck) -> Edit; undefined where no such rule changes anything, as where tiers decide before profiles
 */
import { compileState } from '../../policy/evaluate.ts';
import type { PolicyState, Profile, Rule, Traffic } from '../../policy/model.ts';
import { displayName } from '../../policy/names.ts';
import { packetOf, probeable } from '../../policy/traffic.ts';
import type { LaunchedTask } from '../target.ts';
import type { Deck } from './suite.ts';

export interface Edit {
  /** In words: `allow from tag client, first in backend`. */
  readonly text: string;
  /** The declared policy with the rule in it. */
  readonly state: PolicyState;
  /** What the rule makes of a flow: opens it, or closes it. */
  readonly opens: boolean;
  /** Two tasks between which it does. */
  readonly from: LaunchedTask;
  readonly to: LaunchedTask;
  readonly traffic: readonly Traffic[];
}

export function editOf(deck: Deck): Edit | undefined {
  const { tasks } = deck;
  for (const to of tasks) {
    for (const from of tasks) {
      if (from.network === to.network || from.node === to.node) continue;
      const found = (['allow', 'deny'] as const).map((action) => tried(deck, from, to, action)).find(Boolean);
      if (found) return found;
    }
  }
  return undefined;
}

function tried(deck: Deck, from: LaunchedTask, to: LaunchedTask, action: 'allow' | 'deny'): Edit | undefined {
  const { state, evaluator, names, traffic } = deck;
  const [source, target] = [from, to].map((task) => state.profiles.get(task.profiles[0] ?? ''));
  const tag = source?.tags[0];
  if (target === undefined || tag === undefined) return undefined;
  const rule: Rule = { action, from: { tag }, to: {} };
  const edited: Profile = { ...target, inbound: [rule, ...target.inbound] };
  const next: PolicyState = { ...state, profiles: new Map([...state.profiles, [edited.name, edited]]) };
  const then = compileState(next);
  const opens = action === 'allow';
  const changed = traffic.filter(
    (one) =>
      probeable(one) &&
      evaluator.allows(from.name, to.name, packetOf(one)) !== opens &&
      then.allows(from.name, to.name, packetOf(one)) === opens,
  );
  if (changed.length === 0) return undefined;
  const text = `${action} from tag ${displayName(names, tag)}, first in ${displayName(names, target.name)}`;
  return { text, state: next, opens, from, to, traffic: changed };
}
