/** Which tiers, policies and profiles an endpoint has, in the order in which Felix walks them. */
import type { Felix } from './felix.ts';
import { labelsOf } from './labels.ts';
import type { Direction, Endpoint, Labels, Policy, PolicyState, Tier } from './model.ts';
import { matchesSelector, parseSelector, type Selector } from './selector.ts';
import { policyFault } from './valid.ts';

/** What an endpoint has: of each tier the policies that select it, both in order, and its profiles. */
export interface Carried {
  readonly tiers: readonly { readonly name: string; readonly policies: readonly Policy[] }[];
  readonly profiles: readonly string[];
}

export interface CarriedBy extends Carried {
  /** Equal for endpoints with the same tiers and profiles. */
  readonly key: string;
  readonly inactive: boolean;
}

export function carriedBy(state: PolicyState, felix: Felix): (endpoint: Endpoint) => CarriedBy {
  const tiers = felix.knows.tiers ? ready(state.tiers ?? [], felix) : [];
  const byLabels = new Map<string, { readonly key: string; readonly tiers: Carried['tiers'] }>();
  const none = { key: '', tiers: [] };
  const selecting = (endpoint: Endpoint) => {
    if (tiers.length === 0) return none;
    const labels = labelsOf(endpoint, state.profiles);
    const key = JSON.stringify(Object.entries(labels).sort());
    const known = byLabels.get(key);
    if (known !== undefined) return known;
    const selected = select(tiers, labels);
    const names = JSON.stringify(selected.map(({ name, policies }) => [name, policies.map((one) => one.name)]));
    const found = { key: names, tiers: selected };
    byLabels.set(key, found);
    return found;
  };
  return (endpoint) => {
    const { key, tiers: selected } = selecting(endpoint);
    const { profiles, state: power } = endpoint;
    return { key: key + JSON.stringify(profiles), tiers: selected, profiles, inactive: power === 'inactive' };
  };
}

/** What of it polices a direction: a tier without a policy for that one is passed over. */
export function policing(tiers: Carried['tiers'], direction: Direction, { knows }: Felix): Carried['tiers'] {
  if (!knows.directions) return tiers;
  return tiers.flatMap(({ name, policies }) => {
    const own = policies.filter(({ directions }) => directions?.includes(direction) ?? true);
    return own.length === 0 ? [] : [{ name, policies: own }];
  });
}

interface ReadyTier {
  readonly name: string;
  readonly policies: readonly { readonly policy: Policy; readonly selector: Selector }[];
}

/** In order, without what this Felix does not take. */
function ready(tiers: readonly Tier[], felix: Felix): readonly ReadyTier[] {
  return tiers.toSorted(byOrder).map(({ name, policies }) => ({
    name,
    policies: policies.toSorted(byOrder).flatMap((policy) => {
      const selector = parseSelector(policy.selector);
      return selector.ok && policyFault(policy, felix) === undefined ? [{ policy, selector: selector.value }] : [];
    }),
  }));
}

/** A tier of which no policy selects the endpoint is not there for it. */
function select(tiers: readonly ReadyTier[], labels: Labels): Carried['tiers'] {
  return tiers.flatMap(({ name, policies }) => {
    const selected = policies.flatMap(({ policy, selector }) => (matchesSelector(selector, labels) ? [policy] : []));
    return selected.length === 0 ? [] : [{ name, policies: selected }];
  });
}

interface Ordered {
  readonly name: string;
  readonly order?: number;
}

function byOrder(a: Ordered, b: Ordered): number {
  const [left, right] = [a.order ?? Infinity, b.order ?? Infinity];
  if (left !== right) return left < right ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
