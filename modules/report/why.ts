/** Why a cell is expected as it is, in calicoctl's words. */
import type { Because, Decision, SideDecision } from '../policy/model.ts';
import { ruleText } from '../policy/text.ts';

function becauseText(direction: SideDecision['direction'], because: Because): string {
  switch (because.kind) {
    case 'rule':
      return `${because.profile} ${direction} ${because.position}: ${ruleText(because.rule)}`;
    case 'policy rule':
      return `${because.tier}/${because.policy} ${direction} ${because.position}: ${ruleText(because.rule)}`;
    case 'no policy passed':
      return `no ${direction} rule of ${because.policies.join(', ')} in the tier ${because.tier} matches`;
    case 'no rule matched':
      return `no ${direction} rule of ${because.profiles.join(', ')} matches`;
    case 'no profile':
      return `no profile ${direction}`;
    case 'missing profile':
      return `profile ${because.profile} is missing (${direction})`;
    case 'inactive':
      return `inactive endpoint (${direction})`;
    case 'not an endpoint':
      return `not an endpoint (${direction})`;
    case 'own address':
      return `own address (${direction})`;
    case 'own host':
      return `own host (${direction})`;
    case 'to own host':
      return `to the own host: ${because.what}`;
  }
}

/** One side: `frontend inbound 3: allow tcp from tag client to ports 9000`. */
export const sideText = (side: SideDecision): string => becauseText(side.direction, side.because);

/**
 * The side that decides: what the source may not send is decided there; everything else where it arrives, unless that is
 * no endpoint, since both sides must allow and the receiving one comes last.
 */
export const decider = ({ outbound, inbound }: Decision): SideDecision =>
  !outbound.allow || inbound.because.kind === 'not an endpoint' ? outbound : inbound;
