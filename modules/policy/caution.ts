/**
 * What is right in the model and goes wrong in the software of a release channel. Quirks of single versions become
 * further functions of this kind; they warn, they never change a verdict.
 */
import type { Place, Problem } from '../problem/problem.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import type { Rule } from './model.ts';
import { formatPorts } from './syntax/ports.ts';
import { formatRule } from './syntax/rule.ts';

/** Warnings for one rule that shall be written with the tools of that channel. */
export function ruleCautions(rule: Rule, channel: ReleaseChannel, at?: Place): readonly Problem[] {
  const ranges = [...(rule.from.ports ?? []), ...(rule.to.ports ?? [])].filter(({ from, to }) => from < to);
  // calicoctl of the classic channel is Python on libcalico 0.10 to 0.19, which casts every port to a number.
  if (channel.name !== 'classic' || ranges.length === 0) return [];
  return [
    {
      code: 'port-range-crashes-calicoctl',
      ...(at === undefined ? {} : { at }),
      what: `calicoctl of the classic channel crashes when it stores the range ${formatPorts(ranges)} (libcalico#158).`,
      rule: `Felix enforces the rule "${formatRule(rule)}" well; only calicoctl cannot write it.`,
      example: 'List the ports one by one, or write the profile into etcd.',
    },
  ];
}
