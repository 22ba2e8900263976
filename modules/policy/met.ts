/**
 * Where a policy meets a quirk of its Felix: what stands there, and what comes of it.
 *
 *     quirksMet(state, names, felix) -> one warning for each rule (or pair of lists) and quirk
 *
 * Three quirks are of no policy: `established-returns` is a matter of the host's own FORWARD policy, `profile-order-kept`
 * of a change, and `outbound-rules-required` of what stands in etcd, as `one-port-range-invalid` and `lenient-json` are
 * (etcd.ts tells of those).
 */
import type { Problem } from '../problem/problem.ts';
import { compileState } from './evaluate.ts';
import { quirks, without, type Felix, type Quirk } from './felix.ts';
import type { Direction, IpVersion, PolicyState, Profile, Rule } from './model.ts';
import { displayName, displayRule, type Names } from './names.ts';
import { render } from './render.ts';
import { ruleText } from './text.ts';
import { profileFault } from './valid.ts';

interface List {
  /** As it is shown: `web inbound`. */
  readonly owner: string;
  readonly rules: readonly Rule[];
}

export function quirksMet(state: PolicyState, names: Names, felix: Felix): readonly Problem[] {
  const profiles = [...state.profiles.values()];
  return [
    ...profiles.flatMap((profile) => invalidated(profile, names, felix)),
    ...listsOf(state, names, felix).flatMap(({ owner, rules }) =>
      rules.flatMap((rule, index) =>
        rewritten(rule, state, felix).map((quirk) =>
          met(quirk, felix, `${owner} rule ${index + 1} (${ruleText(displayRule(names, rule))})`),
        ),
      ),
    ),
    ...leaking(profiles, state, names, felix),
    ...pastTheRules(state, felix),
  ];
}

function listsOf({ profiles, tiers = [] }: PolicyState, names: Names, felix: Felix): readonly List[] {
  const both = (owner: string, rules: Readonly<Record<Direction, readonly Rule[]>>): readonly List[] => [
    { owner: `${owner} inbound`, rules: rules.inbound },
    { owner: `${owner} outbound`, rules: rules.outbound },
  ];
  return [
    ...[...profiles.values()]
      .filter((profile) => profileFault(profile, felix) === undefined)
      .flatMap((profile) => both(displayName(names, profile.name), profile)),
    ...tiers.flatMap(({ name, policies }) => policies.flatMap((one) => both(`the policy ${one.name} of ${name}`, one))),
  ];
}

/** Rules that another Felix would take, and that this one throws the whole profile away for. */
function invalidated(profile: Profile, names: Names, felix: Felix): readonly Problem[] {
  if (profileFault(profile, felix) === undefined) return [];
  return [...felix.quirks]
    .filter((quirk) => profileFault(profile, without(felix, quirk)) === undefined)
    .map((quirk) => met(quirk, felix, `the profile ${displayName(names, profile.name)}`));
}

/** The chain of IPv6 is looked at where there is an IPv6 address to meet it. */
function rewritten(rule: Rule, { endpoints }: PolicyState, felix: Felix): readonly Quirk[] {
  const versions: readonly IpVersion[] = endpoints.some(({ address6 }) => address6 !== undefined) ? [4, 6] : [4];
  const found = versions.map((version) => render(rule, version, felix)?.quirk).filter((quirk) => quirk !== undefined);
  return [...new Set(found)];
}

/** The mark can leak where a profile has the rule, and a tier something that sets it. */
function leaking(
  profiles: readonly Profile[],
  { tiers = [] }: PolicyState,
  names: Names,
  felix: Felix,
): readonly Problem[] {
  const passes = (rules: readonly Rule[]) => rules.some(({ action }) => action === 'next-tier');
  const set = tiers.some(({ policies }) => policies.some((one) => passes(one.inbound) || passes(one.outbound)));
  if (!set || !felix.quirks.has('next-tier-mark-leaks')) return [];
  return profiles
    .filter(({ inbound, outbound }) => passes(inbound) || passes(outbound))
    .map(({ name }) => met('next-tier-mark-leaks', felix, `the profile ${displayName(names, name)}`));
}

/** Tasks whose rules deny DNS to their own host, and get it. */
function pastTheRules(state: PolicyState, felix: Felix): readonly Problem[] {
  const quirk: Quirk = 'dns-and-dhcp-to-own-host';
  if (!felix.quirks.has(quirk)) return [];
  const dns = { protocol: 'udp', sourcePort: 40_000, port: 53 } as const;
  const known = (state.hosts ?? []).filter(({ addresses }) => addresses.some((address) => address.includes('.')));
  const hosts = new Set(known.map(({ name }) => name));
  const { allows } = compileState(state, without(felix, quirk));
  const past = state.endpoints.find(({ id, host }) => host !== undefined && hosts.has(host) && !allows(id, host, dns));
  return past === undefined ? [] : [met(quirk, felix, `${past.id} to its own host`)];
}

function met(quirk: Quirk, { version }: Felix, where: string): Problem {
  return { code: quirk, what: `Felix ${version} does not take it as written: ${where}.`, rule: quirks[quirk].what };
}
