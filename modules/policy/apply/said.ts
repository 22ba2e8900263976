/** What calicoctl has no words for, said of profiles that it shall change. */
import { Refusal, type Problem } from '../../problem/problem.ts';
import type { Peer, Profile, Rule } from '../model.ts';
import { isName, nameRule } from '../name.ts';
import { formatRule, parseRule } from '../syntax/rule.ts';

/** Throws a Refusal with everything that is beyond the grammar. */
export function refuseUnsayable(live: readonly Profile[], wanted: readonly Profile[]): void {
  const problems = [...live, ...wanted].flatMap(unsayable);
  if (problems.length > 0) throw new Refusal(problems);
}

function unsayable({ name, tags, inbound, outbound }: Profile): readonly Problem[] {
  const problems: Problem[] = [];
  for (const one of [name, ...tags]) {
    if (isName(one)) continue;
    problems.push({ code: 'not-for-calicoctl', what: `calicoctl refuses the name "${one}".`, rule: nameRule });
  }
  for (const [direction, rules] of Object.entries({ inbound, outbound })) {
    for (const [index, rule] of rules.entries()) {
      if (isSayable(rule)) continue;
      problems.push({
        code: 'not-for-calicoctl',
        what: `calicoctl has no words for ${direction} rule ${index + 1} of "${name}".`,
        rule: 'Its rules allow or deny, by protocol, ports, one tag and one CIDR on each side; there is no negation.',
      });
    }
  }
  return problems;
}

const ruleKeys = new Set(['action', 'protocol', 'icmp', 'from', 'to']);
const peerKeys = new Set(['tag', 'cidr', 'ports']);

function isSayable(rule: Rule): boolean {
  const only = (value: Rule | Peer, keys: ReadonlySet<string>) =>
    Object.entries(value).every(([key, one]) => one === undefined || keys.has(key));
  if (!only(rule, ruleKeys) || !only(rule.from, peerKeys) || !only(rule.to, peerKeys)) return false;
  const text = formatRule(rule);
  const parsed = parseRule(text);
  return parsed.ok && formatRule(parsed.value) === text;
}
