/** A decision in one plain sentence. */
import { quirks } from './felix.ts';
import type { Because, Decision, Rule, SideDecision } from './model.ts';
import { displayName, displayRule, noNames, type Names } from './names.ts';
import { ruleText } from './text.ts';

/**
 * `allowed by client inbound rule 2 (allow tcp from tag management-ui to ports 9000)`, or
 * `denied: no inbound rule of backend matched`. A packet meets the source's outbound chain first, so a denial there is
 * the one told; an allowed one is told by the destination, whose policy is the narrower as a rule.
 */
export function describe(decision: Decision, names: Names = noNames): string {
  const { allow, outbound, inbound, repliesDie } = decision;
  if (!allow) return denied(outbound.allow ? inbound : outbound, names);
  const text = allowed(inbound.because.kind === 'not an endpoint' ? outbound : inbound, names);
  return repliesDie ? `${text}; but replies die in the FORWARD chain of a host` : text;
}

/** One side alone, for a page that shows both: `allowed by client outbound rule 1 (allow)`. */
export function describeSide(side: SideDecision, names: Names = noNames): string {
  return side.allow ? allowed(side, names) : denied(side, names);
}

function allowed(side: SideDecision, names: Names): string {
  const { because } = side;
  switch (because.kind) {
    case 'rule':
    case 'policy rule':
      return `allowed by ${byRule(side.direction, because, names)}`;
    case 'own address':
      return 'allowed: a packet to the own address never leaves the task';
    case 'own host':
      return 'allowed: a host reaches its own tasks, and no policy is asked';
    case 'to own host':
      return `allowed: ${because.what} from a task to its own host is let through before any rule`;
    case 'not an endpoint':
      return `allowed: the ${end(side)} is no endpoint, so no policy is asked`;
    case 'no policy passed':
    case 'no rule matched':
    case 'no profile':
    case 'missing profile':
    case 'inactive':
      throw new Error(`a chain cannot allow because of "${because.kind}"`);
  }
}

function denied(side: SideDecision, names: Names): string {
  const { because } = side;
  switch (because.kind) {
    case 'rule':
    case 'policy rule':
      return `denied by ${byRule(side.direction, because, names)}`;
    case 'no policy passed': {
      const policies = because.policies.join(', ');
      return `denied: no ${side.direction} rule of ${policies} in the tier ${because.tier} matched`;
    }
    case 'no rule matched': {
      const profiles = because.profiles.map((name) => displayName(names, name)).join(', ');
      return `denied: no ${side.direction} rule of ${profiles} matched`;
    }
    case 'no profile':
      return `denied: the ${end(side)} has no profile`;
    case 'missing profile':
      return `denied: the profile ${displayName(names, because.profile)} of the ${end(side)} is missing or invalid`;
    case 'inactive':
      return `denied: the ${end(side)} is inactive`;
    case 'to own host':
      return 'denied: DefaultEndpointToHostAction drops what a task sends to its own host';
    case 'own address':
    case 'own host':
    case 'not an endpoint':
      throw new Error(`a chain cannot deny because of "${because.kind}"`);
  }
}

function end(side: SideDecision): string {
  return side.direction === 'outbound' ? 'source' : 'destination';
}

type ByRule = Extract<Because, { readonly rule: Rule }>;

function byRule(direction: string, because: ByRule, names: Names): string {
  const { position, rule, quirk } = because;
  const owner =
    because.kind === 'rule' ? displayName(names, because.profile) : `the policy ${because.policy} of ${because.tier}`;
  const known = Object.entries(quirks).find(([name]) => name === quirk)?.[1];
  const note = known === undefined ? '' : `; Felix: ${known.what}`;
  return `${owner} ${direction} rule ${position} (${ruleText(displayRule(names, rule))})${note}`;
}
