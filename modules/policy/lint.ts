/**
 * What is allowed to stand in a policy, and is no use: rules that can never decide, and names that nobody carries. And
 * what this Felix makes something else of (met.ts).
 *
 *     lint(state, names?, felix?) -> warnings, profile by profile
 *
 * It goes by what the rules say, not by who is there today: a rule is only called useless where it would be so with any
 * endpoints. That nobody carries a tag or a profile is said of this state.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../problem/problem.ts';
import { parseNet } from './address.ts';
import { joined } from './cut.ts';
import { plainFelix, type Felix } from './felix.ts';
import { selectorMembers } from './labels.ts';
import { quirksMet } from './met.ts';
import type { Direction, Peer, PolicyState, PortRange, Profile, Rule, Tier } from './model.ts';
import { displayName, displayRule, noNames, type Names } from './names.ts';
import { ruleText } from './text.ts';
import { policyFault, profileFault } from './valid.ts';

export function lint(state: PolicyState, names: Names = noNames, felix: Felix = plainFelix): readonly Problem[] {
  const profiles = [...state.profiles.values()];
  const carried = new Set(state.endpoints.flatMap((endpoint) => endpoint.profiles));
  const tags = new Set(profiles.flatMap((profile) => profile.tags));
  const selects = selectorMembers(state);
  const world: World = { names, carried, tags, felix, matchesNobody: (selector) => selects(selector).size === 0 };
  return [
    ...profiles.flatMap((profile) => ofProfile(profile, world)),
    ...(state.tiers ?? []).flatMap((tier) => ofTier(tier, world)),
    ...[...carried].filter((name) => !state.profiles.has(name)).map((name) => missing(name, state, names)),
    ...quirksMet(state, names, felix),
  ];
}

interface World {
  readonly names: Names;
  /** Profiles that some endpoint has. */
  readonly carried: ReadonlySet<string>;
  /** Tags that some profile has. */
  readonly tags: ReadonlySet<string>;
  readonly felix: Felix;
  readonly matchesNobody: (selector: string) => boolean;
}

function ofProfile(profile: Profile, world: World): Problem[] {
  const { names, carried, felix } = world;
  const shown = displayName(names, profile.name);
  const fault = profileFault(profile, felix);
  if (fault !== undefined) {
    return [
      {
        code: 'invalid-profile',
        what: `The profile ${shown} is invalid: ${fault}.`,
        rule: 'Felix takes an invalid profile for a missing one: nothing goes to or from its endpoints.',
      },
    ];
  }
  const unused: Problem[] = carried.has(profile.name)
    ? []
    : [
        {
          code: 'unused-profile',
          what: `No endpoint has the profile ${shown}.`,
          rule: 'A profile does something for the endpoints that have it, and its tags name nobody else.',
        },
      ];
  return [...unused, ...ofRules(shown, profile, world)];
}

function ofTier({ name: tier, policies }: Tier, world: World): Problem[] {
  const { felix } = world;
  if (!felix.knows.tiers) {
    const rule = 'Tiers of policies came with Felix 1.4.';
    return [{ code: 'tiers-not-read', what: `Felix ${felix.version} does not read the tier ${tier}.`, rule }];
  }
  return policies.flatMap((policy): Problem[] => {
    const shown = `The policy ${policy.name} of ${tier}`;
    const fault = policyFault(policy, felix);
    if (fault !== undefined) {
      const rule = 'Felix passes over an invalid policy, as if it were not there.';
      return [{ code: 'invalid-policy', what: `${shown} is invalid: ${fault}.`, rule }];
    }
    const nobody: Problem[] = world.matchesNobody(policy.selector)
      ? [
          {
            code: 'policy-for-nobody',
            what: `${shown} selects nobody: no endpoint matches ${policy.selector}.`,
            rule: 'A policy is for the endpoints that its selector matches.',
          },
        ]
      : [];
    return [...nobody, ...ofRules(shown, policy, world)];
  });
}

function ofRules(owner: string, lists: Readonly<Record<Direction, readonly Rule[]>>, world: World): Problem[] {
  return (['inbound', 'outbound'] as const).flatMap((direction) =>
    ofList(`${owner} ${direction}`, lists[direction], world),
  );
}

function ofList(owner: string, rules: readonly Rule[], { names, tags, matchesNobody }: World): Problem[] {
  const told = (index: number): string => `${owner} rule ${index + 1} (${ruleText(displayRule(names, rules[index]!))})`;
  return rules.flatMap((rule, index): Problem[] => {
    const { from, to } = rule;
    const strangers = [from.tag, to.tag].filter((tag) => tag !== undefined && !tags.has(tag));
    const selectors = [from.selector, to.selector].filter((text) => text !== undefined && matchesNobody(text));
    const before = rules.findIndex((earlier, at) => at < index && earlier.action !== 'log' && covers(earlier, rule));
    return [
      ...strangers.map((tag) => ({
        code: 'unknown-tag',
        what: `${told(index)} matches nobody: no profile has the tag ${displayName(names, tag!)}.`,
        rule: 'A tag stands for the endpoints of the profiles that have it.',
      })),
      ...selectors.map((selector) => ({
        code: 'selector-matches-nobody',
        what: `${told(index)} matches nobody: no endpoint matches ${selector}.`,
        rule: 'A selector in a rule stands for the endpoints whose labels it matches.',
      })),
      ...(before < 0 ? [] : [useless(told(index), told(before), rules[before]!.action === rule.action)]),
    ];
  });
}

const useless = (rule: string, earlier: string, same: boolean): Problem => ({
  code: same ? 'redundant-rule' : 'shadowed-rule',
  what: `${rule} never decides: ${earlier} stands before it and matches all that it matches${same ? ', with the same answer' : ''}.`,
  rule: 'The first rule that matches decides.',
  remedy: same ? 'take it out' : 'put it before the other, or take it out',
});

function missing(name: string, { endpoints }: PolicyState, names: Names): Problem {
  const having = endpoints.filter((endpoint) => endpoint.profiles.includes(name));
  return {
    code: 'missing-profile',
    what: `The profile ${displayName(names, name)} of ${having[0]!.id}${having.length > 1 ? ` and ${having.length - 1} more` : ''} does not exist.`,
    rule: 'Felix drops all that reaches a missing profile; only those that stand before it in the list count.',
  };
}

/** Whether every packet that `b` matches is matched by `a`. False where it cannot be told from the two rules alone. */
export function covers(a: Rule, b: Rule): boolean {
  const { icmp } = a;
  return (
    isDeepStrictEqual(without(a, ruleFields), without(b, ruleFields)) &&
    (a.protocol === undefined || a.protocol === b.protocol) &&
    (icmp === undefined || (b.icmp?.type === icmp.type && (icmp.code === undefined || icmp.code === b.icmp.code))) &&
    coversPeer(a.from, b.from) &&
    coversPeer(a.to, b.to)
  );
}

function coversPeer(a: Peer, b: Peer): boolean {
  const { tag, cidr, ports } = a;
  return (
    isDeepStrictEqual(without(a, peerFields), without(b, peerFields)) &&
    (tag === undefined || tag === b.tag) &&
    (cidr === undefined || (b.cidr !== undefined && within(cidr, b.cidr))) &&
    (ports === undefined || ports.length === 0 || coversPorts(ports, b.ports ?? []))
  );
}

/** What is compared with care; any other field has to be the same in both. */
const ruleFields: ReadonlySet<string> = new Set(['action', 'protocol', 'icmp', 'from', 'to']);
const peerFields: ReadonlySet<string> = new Set(['tag', 'cidr', 'ports']);

const without = (of: object, fields: ReadonlySet<string>): object =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !fields.has(name)));

function within(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  const [wide, narrow] = [parseNet(outer), parseNet(inner)];
  if (wide === undefined || narrow === undefined) return false;
  return (wide.mask & narrow.mask) === wide.mask && (narrow.base & wide.mask) === wide.base;
}

/** No list means every port. */
function coversPorts(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  const wide = joined(outer);
  const narrow = inner.length === 0 ? [{ from: 0, to: 65535 }] : joined(inner);
  return narrow.every(({ from, to }) => wide.some((range) => range.from <= from && to <= range.to));
}
