/**
 * Where a policy meets a quirk of its Felix: what stands there, and what comes of it.
 *
 *     quirksMet(state, names, felix)         -> one warning for each rule (or list, or host) and quirk
 *     orderKept(before, after, felix) -> `profile-order-kept`, which is of a change and of no state
 *
 * Of how rules are written in etcd a state knows nothing, so the faults of etcd.ts tell of the quirks that are of that:
 * `outbound-rules-required`, `one-port-range-invalid`, `text-protocol-numbers` and `lenient-json`.
 */
import type { Problem } from '../problem/problem.ts';
import { compileState } from './evaluate.ts';
import { quirks, without, type Felix, type Quirk } from './felix.ts';
import type { Direction, Endpoint, IpVersion, PolicyState, Profile, Rule } from './model.ts';
import { displayName, displayRule, type Names } from './names.ts';
import { render } from './render.ts';
import { ruleText } from './text.ts';
import { profileFault } from './valid.ts';

const directions: readonly Direction[] = ['inbound', 'outbound'];

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
    ...deaf(state, felix),
    ...unmasked(state, felix),
  ];
}

export function orderKept(before: PolicyState, after: PolicyState, felix: Felix): readonly Problem[] {
  if (!felix.quirks.has('profile-order-kept')) return [];
  const old = new Map(before.endpoints.map(({ id, profiles }) => [id, profiles]));
  const kept = after.endpoints.filter(({ id, profiles }) => {
    const was = old.get(id);
    return was !== undefined && was.join('/') !== profiles.join('/') && sorted(was) === sorted(profiles);
  });
  return kept.map(({ id }) => met('profile-order-kept', felix, `the order of the profiles of ${id}`));
}

/** Felix compares sets. */
const sorted = (names: readonly string[]): string => [...new Set(names)].sort().join('/');

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

/**
 * The mark can leak where a profile has a next-tier that is not for every packet, and something before it sets the mark:
 * a tier, a profile that stands before it in some list, or what the source on the same host has.
 */
function leaking(
  profiles: readonly Profile[],
  { tiers = [], endpoints, profiles: byName }: PolicyState,
  names: Names,
  felix: Felix,
): readonly Problem[] {
  if (!felix.quirks.has('next-tier-mark-leaks')) return [];
  const passes = (rules: readonly Rule[] = []) => rules.some(({ action }) => action === 'next-tier');
  const reads = (rules: readonly Rule[]) =>
    rules.some((one) => one.action === 'next-tier' && ruleText(one) !== 'next-tier');
  const readers = profiles.filter(({ inbound, outbound }) => reads(inbound) || reads(outbound));
  if (readers.length === 0) return [];
  const set = tiers.some(({ policies }) => policies.some((one) => passes(one.inbound) || passes(one.outbound)));
  const sends = endpoints.filter((one) => one.profiles.some((name) => passes(byName.get(name)?.outbound)));
  const inHearing = ({ id, host }: Endpoint): boolean =>
    host !== undefined && sends.some((one) => one.host === host && one.id !== id);
  const marked = (name: string, direction: Direction): boolean =>
    endpoints.some((one) => {
      const at = one.profiles.indexOf(name);
      const before = one.profiles.slice(0, Math.max(at, 0));
      const earlier = before.some((other) => passes(byName.get(other)?.[direction]));
      return at >= 0 && (earlier || (direction === 'inbound' && inHearing(one)));
    });
  return readers
    .filter((one) => set || directions.some((direction) => reads(one[direction]) && marked(one.name, direction)))
    .map(({ name }) => met('next-tier-mark-leaks', felix, `the profile ${displayName(names, name)}`));
}

/** Hosts that drop the replies that this Felix leaves to them. */
function deaf({ hosts = [] }: PolicyState, felix: Felix): readonly Problem[] {
  if (!felix.quirks.has('established-returns')) return [];
  return hosts
    .filter(({ forward }) => forward === 'DROP')
    .map(({ name }) => met('established-returns', felix, `the policy DROP of the FORWARD chain of ${name}`));
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

function unmasked({ pools = [] }: PolicyState, felix: Felix): readonly Problem[] {
  if (!felix.quirks.has('ipv6-not-masqueraded')) return [];
  return pools
    .filter(({ cidr, masquerade }) => masquerade === true && cidr.includes(':'))
    .map(({ cidr }) => met('ipv6-not-masqueraded', felix, `masquerade of the pool ${cidr}`));
}

function met(quirk: Quirk, { version }: Felix, where: string): Problem {
  return { code: quirk, what: `Felix ${version} does not take it as written: ${where}.`, rule: quirks[quirk].what };
}
