/**
 * What is allowed to stand in a policy, and is no use: rules that can never decide (cover.ts), and names that nobody
 * carries. And what this Felix makes something else of (met.ts).
 *
 *     lint(state, names?, felix?) -> warnings, profile by profile
 *
 * It goes by what the rules say, not by who is there today: a rule is only called useless where it would be so with any
 * endpoints. That nobody carries a tag or a profile is said of this state.
 */
import type { Problem } from '../problem/problem.ts';
import { uselessRules, type Useless } from './cover.ts';
import { plainFelix, type Felix } from './felix.ts';
import { selectorMembers } from './labels.ts';
import { quirksMet } from './met.ts';
import type { Direction, PeerMatch, PolicyState, Profile, Rule, Tier } from './model.ts';
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
  return [...unused, ...ofRules(shown, profile, true, world)];
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
    return [...nobody, ...ofRules(shown, policy, false, world)];
  });
}

function ofRules(
  owner: string,
  lists: Readonly<Record<Direction, readonly Rule[]>>,
  inProfile: boolean,
  world: World,
): Problem[] {
  return (['inbound', 'outbound'] as const).flatMap((direction) => {
    const rules = lists[direction];
    // The mark of another next-tier ends a profile at this one, whatever it asks itself.
    const ends = ({ action }: Rule): boolean =>
      inProfile && action === 'next-tier' && world.felix.quirks.has('next-tier-mark-leaks');
    const list: List = {
      owner: `${owner} ${direction}`,
      told: (index) => `rule ${index + 1} (${ruleText(displayRule(world.names, rules[index]!))})`,
    };
    return [
      ...rules.flatMap((rule, index) => strangers(rule, `${list.owner} ${list.told(index)}`, world)),
      ...uselessRules(rules, world.felix)
        .filter(({ index }) => !ends(rules[index]!))
        .map((one) => useless(list, one)),
    ];
  });
}

interface List {
  /** `web inbound` */
  readonly owner: string;
  readonly told: (index: number) => string;
}

/** Tags and selectors that hold for nobody. */
function strangers({ from, to }: Rule, told: string, { names, tags, matchesNobody }: World): Problem[] {
  const ofMatch = (verb: string, { tag, selector }: PeerMatch): Problem[] => {
    const unknown = {
      code: 'unknown-tag',
      what: `${told} ${verb} nobody: no profile has the tag ${displayName(names, tag ?? '')}.`,
      rule: 'A tag stands for the endpoints of the profiles that have it.',
    };
    const empty = {
      code: 'selector-matches-nobody',
      what: `${told} ${verb} nobody: no endpoint matches ${selector}.`,
      rule: 'A selector in a rule stands for the endpoints whose labels it matches.',
    };
    return [
      ...(tag === undefined || tags.has(tag) ? [] : [unknown]),
      ...(selector === undefined || !matchesNobody(selector) ? [] : [empty]),
    ];
  };
  return [from, to].flatMap((peer) => [...ofMatch('matches', peer), ...ofMatch('excludes', peer.not ?? {})]);
}

function useless({ owner, told }: List, { index, because, same }: Useless): Problem {
  const rule = `${owner} ${told(index)}`;
  const [first, ...more] = because;
  if (first === undefined) {
    return {
      code: 'rule-matches-nothing',
      what: `${rule} matches nothing: no packet is all that it asks for.`,
      rule: 'All matches of a rule have to hold at once.',
      remedy: 'take it out, or write a rule for each match',
    };
  }
  const earlier =
    more.length === 0
      ? `${owner} ${told(first)} stands before it and matches`
      : `${owner} rules ${because.map((at) => at + 1).join(', ')} stand before it and together match`;
  return {
    code: same ? 'redundant-rule' : 'shadowed-rule',
    what: `${rule} never decides: ${earlier} all that it matches${same ? ', with the same answer' : ''}.`,
    rule: 'The first rule that matches decides.',
    remedy: same ? 'take it out' : `put it before the other${more.length === 0 ? '' : 's'}, or take it out`,
  };
}

function missing(name: string, { endpoints }: PolicyState, names: Names): Problem {
  const having = endpoints.filter((endpoint) => endpoint.profiles.includes(name));
  return {
    code: 'missing-profile',
    what: `The profile ${displayName(names, name)} of ${having[0]!.id}${having.length > 1 ? ` and ${having.length - 1} more` : ''} does not exist.`,
    rule: 'Felix drops all that reaches a missing profile; only those that stand before it in the list count.',
  };
}
