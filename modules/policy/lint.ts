/**
 * What is allowed to stand in a policy, and is no use: rules that can never decide, and names that nobody carries.
 *
 *     lint(state, names?) -> warnings, profile by profile
 *
 * It goes by what the rules say, not by who is there today: a rule is only called useless where it would be so with any
 * endpoints. That nobody carries a tag or a profile is said of this state.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../problem/problem.ts';
import { parseNet } from './address.ts';
import { joined } from './cut.ts';
import type { Direction, Peer, PolicyState, PortRange, Profile, Rule } from './model.ts';
import { displayName, displayRule, noNames, type Names } from './names.ts';
import { formatRule } from './rule.ts';
import { profileFault } from './valid.ts';

export function lint(state: PolicyState, names: Names = noNames): readonly Problem[] {
  const profiles = [...state.profiles.values()];
  const carried = new Set(state.endpoints.flatMap((endpoint) => endpoint.profiles));
  const tags = new Set(profiles.flatMap((profile) => profile.tags));
  return [
    ...profiles.flatMap((profile) => ofProfile(profile, { names, carried, tags })),
    ...[...carried].filter((name) => !state.profiles.has(name)).map((name) => missing(name, state, names)),
  ];
}

interface World {
  readonly names: Names;
  /** Profiles that some endpoint has. */
  readonly carried: ReadonlySet<string>;
  /** Tags that some profile has. */
  readonly tags: ReadonlySet<string>;
}

function ofProfile(profile: Profile, world: World): Problem[] {
  const { names, carried } = world;
  const shown = displayName(names, profile.name);
  const fault = profileFault(profile);
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
  return [...unused, ...ofRules(profile, 'inbound', world), ...ofRules(profile, 'outbound', world)];
}

function ofRules(profile: Profile, direction: Direction, { names, tags }: World): Problem[] {
  const rules = profile[direction];
  const told = (index: number): string =>
    `${displayName(names, profile.name)} ${direction} rule ${index + 1} (${formatRule(displayRule(names, rules[index]!))})`;
  return rules.flatMap((rule, index): Problem[] => {
    const strangers = [rule.from.tag, rule.to.tag].filter((tag) => tag !== undefined && !tags.has(tag));
    const before = rules.findIndex((earlier, at) => at < index && covers(earlier, rule));
    return [
      ...strangers.map((tag) => ({
        code: 'unknown-tag',
        what: `${told(index)} matches nobody: no profile has the tag ${displayName(names, tag!)}.`,
        rule: 'A tag stands for the endpoints of the profiles that have it.',
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
