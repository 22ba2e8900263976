/** The ipsets that rules ask for: one per tag and per selector, of the addresses of all endpoints that it names. Pure. */
import { labelsOf } from '../../policy/labels.ts';
import type { Endpoint, IpVersion, PolicyState, Rule } from '../../policy/model.ts';
import { matchesSelector, parseSelector } from '../../policy/selector.ts';
import { selectorSetName, setName } from './names.ts';

/** Members by name. On whatever host, and in whatever state, as in Felix; a set may have none. */
export function setsOf(
  policy: PolicyState,
  rules: readonly Rule[],
  version: IpVersion,
): ReadonlyMap<string, readonly string[]> {
  const peers = rules.flatMap(({ from, to }) => [from, to, from.not, to.not]);
  const named = (part: 'tag' | 'selector'): readonly string[] => [
    ...new Set(peers.map((peer) => peer?.[part]).filter((one) => one !== undefined)),
  ];
  const members = (holds: (endpoint: Endpoint) => boolean): readonly string[] => {
    const all = policy.endpoints.filter(holds).map(({ address, address6 }) => (version === 4 ? address : address6));
    return [...new Set(all)].filter((one) => one !== undefined).sort();
  };
  const sets = [
    ...named('tag').map((tag) => [setName(tag, version), members(carries(policy, tag))] as const),
    ...named('selector').map((text) => [selectorSetName(text, version), members(selected(policy, text))] as const),
  ];
  return new Map(sets.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const carries =
  ({ profiles }: PolicyState, tag: string) =>
  (endpoint: Endpoint): boolean =>
    endpoint.profiles.some((name) => profiles.get(name)?.tags.includes(tag));

function selected({ profiles }: PolicyState, text: string): (endpoint: Endpoint) => boolean {
  const parsed = parseSelector(text);
  // A rule with a text that is no selector is invalid, and in no chain.
  if (!parsed.ok) return () => false;
  return (endpoint) => matchesSelector(parsed.value, labelsOf(endpoint, profiles));
}
