/** Names that people write, looked up as calicoctl does it: a profile (or tag) that is literally called so, else a network. */
import type { Place, Problem } from '../problem/problem.ts';
import { hint } from './hint.ts';
import { displayName, type Names } from './names.ts';

/** The real name; or what it could be, when it is none or two. */
export function lookUp(name: string, literal: ReadonlySet<string>, names: Names): string | readonly string[] {
  const network = [...names].find(([, one]) => one.name === name)?.[0];
  if (!literal.has(name)) return network ?? [];
  return network === undefined || network === name ? name : [name, network];
}

/** Why a name is none: `found` is what lookUp gave, `real` the names that there are. */
export function unknown(
  what: 'profile' | 'tag',
  name: string,
  found: readonly string[],
  names: Names,
  real: readonly string[],
  at: Place,
): Problem {
  if (found.length > 1) {
    return {
      code: 'ambiguous-name',
      at,
      what: `"${name}" is a network, and also the literal name of another ${what}.`,
      rule: 'calicoctl takes the literal name, so the network would keep its policy; rename one of the two.',
    };
  }
  const known = [...new Set(real.map((one) => displayName(names, one)))];
  return {
    code: `unknown-${what}`,
    at,
    what: `There is no ${what === 'tag' ? 'network or tag' : 'network or profile'} "${name}".${hint(name, known)}`,
    rule: `Known are: ${known.join(', ') || 'none'}.`,
  };
}
