/** Which endpoints a label, a selector or a tag names. */
import { addressNumber } from './address.ts';
import { addressNumber6 } from './address6.ts';
import type { Endpoint, Labels, PolicyState } from './model.ts';
import { matchesSelector, parseSelector } from './selector.ts';

/** IPv4 as a signed 32-bit number, IPv6 as a bigint. */
export type Address = number | bigint;

/** Addresses by tag. Felix counts every endpoint on every host, whatever its state and whatever else is wrong with it. */
export type TagMembers = ReadonlyMap<string, ReadonlySet<Address>>;

export function tagMembers(state: PolicyState): TagMembers {
  const members = new Map<string, Set<Address>>();
  for (const endpoint of state.endpoints) {
    const addresses = addressesOf(endpoint);
    for (const name of endpoint.profiles) {
      for (const tag of state.profiles.get(name)?.tags ?? []) {
        const set = members.get(tag) ?? new Set<Address>();
        members.set(tag, set);
        for (const address of addresses) set.add(address);
      }
    }
  }
  return members;
}

/** An endpoint's own labels, over those of its profiles; a later profile overrides an earlier one. */
export function labelsOf(endpoint: Endpoint, profiles: PolicyState['profiles']): Labels {
  const inherited = endpoint.profiles.map((name) => profiles.get(name)?.labels ?? {});
  return Object.assign({}, ...inherited, endpoint.labels) as Labels;
}

/** Addresses by selector, found when they are asked for. Like tags, whatever the endpoints' state. */
export function selectorMembers(state: PolicyState): (selector: string) => ReadonlySet<Address> {
  const found = new Map<string, ReadonlySet<Address>>();
  let labelled: readonly { readonly labels: Labels; readonly addresses: readonly Address[] }[] | undefined;
  return (text) => {
    const known = found.get(text);
    if (known !== undefined) return known;
    labelled ??= state.endpoints.map((endpoint) => ({
      labels: labelsOf(endpoint, state.profiles),
      addresses: addressesOf(endpoint),
    }));
    const parsed = parseSelector(text);
    const members = new Set<Address>();
    if (parsed.ok) {
      for (const { labels, addresses } of labelled) {
        if (matchesSelector(parsed.value, labels)) for (const address of addresses) members.add(address);
      }
    }
    found.set(text, members);
    return members;
  };
}

function addressesOf({ address, address6 }: Endpoint): readonly Address[] {
  const all = [addressNumber(address), address6 === undefined ? undefined : addressNumber6(address6)];
  return all.filter((one) => one !== undefined);
}
