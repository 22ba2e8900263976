/**
 * What each construct of the policy model decides: the same state without it, or with another meaning of it. A cell with
 * another verdict there was decided by the construct, and a kernel that does not know it would have been found out.
 */
import { compileState, type Evaluator } from '../../modules/policy/evaluate.ts';
import { plainFelix, without } from '../../modules/policy/felix.ts';
import type { Decision, Peer, Policy, PolicyState, Profile, Rule } from '../../modules/policy/model.ts';

type Change = (state: PolicyState) => PolicyState;

/** The state with every rule of every profile and policy changed. */
const byRule =
  (change: (rule: Rule) => Rule): Change =>
  (state) => {
    const both = <T extends Profile | Policy>(one: T): T => ({
      ...one,
      inbound: one.inbound.map(change),
      outbound: one.outbound.map(change),
    });
    return {
      ...state,
      profiles: new Map([...state.profiles].map(([name, one]) => [name, both(one)])),
      tiers: (state.tiers ?? []).map((tier) => ({ ...tier, policies: tier.policies.map(both) })),
    };
  };

const byAction = (from: Rule['action'], to: Rule['action']): Change =>
  byRule((rule) => (rule.action === from ? { ...rule, action: to } : rule));

const byPeer = (change: (peer: Peer) => Peer): Change =>
  byRule((rule) => ({ ...rule, from: change(rule.from), to: change(rule.to) }));

const byPolicy =
  (change: (policy: Policy) => Policy): Change =>
  (state) => ({
    ...state,
    tiers: (state.tiers ?? []).map((tier) => ({ ...tier, policies: tier.policies.map(change) })),
  });

/** All that is in a record but for one key. */
function drop<T extends object, K extends keyof T>(record: T, key: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) as Omit<T, K>;
}

const withoutSelector = (peer: Peer): Peer => ({
  ...drop(peer, 'selector'),
  ...(peer.not && { not: drop(peer.not, 'selector') }),
});

/** 6 becomes udp, all others tcp. */
const renumbered = (rule: Rule): Rule =>
  typeof rule.protocol === 'number' ? { ...rule, protocol: rule.protocol === 6 ? 'udp' : 'tcp' } : rule;

const changes = {
  tiers: (state) => ({ ...state, tiers: [] }),
  'next-tier': byAction('next-tier', 'log'),
  log: byAction('log', 'allow'),
  'selector in a rule': byPeer(withoutSelector),
  'selector of a policy': byPolicy((policy) => ({ ...policy, selector: 'all()' })),
  'directions of a policy': byPolicy((policy) => drop(policy, 'directions')),
  'labels of profiles': (state) => ({
    ...state,
    profiles: new Map([...state.profiles].map(([name, one]) => [name, drop(one, 'labels')])),
  }),
  'labels of endpoints': (state) => ({ ...state, endpoints: state.endpoints.map((one) => drop(one, 'labels')) }),
  'negated peer': byPeer((peer) => drop(peer, 'not')),
  'negated protocol or icmp': byRule((rule) => drop(rule, 'not')),
  'ip version': byRule((rule) => drop(rule, 'ipVersion')),
  'protocol by number': byRule(renumbered),
  order: (state) => ({
    ...state,
    tiers: (state.tiers ?? []).map((tier) => ({
      ...drop(tier, 'order'),
      policies: tier.policies.map((policy) => drop(policy, 'order')),
    })),
  }),
  'inactive endpoint': (state) => ({ ...state, endpoints: state.endpoints.map((one) => drop(one, 'state')) }),
  'host action': (state) => ({ ...state, hosts: (state.hosts ?? []).map((one) => drop(one, 'endpointToHost')) }),
} satisfies Record<string, Change>;

/** Ways in which a chain decides, beside those that the profiles alone know. */
const ways = [
  ...['policy rule: allow', 'policy rule: deny', 'no policy passed: deny', 'inactive: deny'],
  ...['own host: allow', 'to own host: deny', 'IPv6: allow', 'IPv6: deny'],
];

/** Every name that a run of random states has to meet. */
export const constructs: readonly string[] = [...Object.keys(changes), 'mark leak', ...ways];

/** By name of a construct: the same questions without it. */
export function others(state: PolicyState): ReadonlyMap<string, Evaluator> {
  return new Map([
    ...Object.entries(changes).map(([name, change]) => [name, compileState(change(state))] as const),
    ['mark leak', compileState(state, without(plainFelix, 'next-tier-mark-leaks'))] as const,
  ]);
}

/** How a decision came about, where that is a way of its own. */
export function waysOf({ allow, outbound, inbound }: Decision): readonly string[] {
  const sides = allow ? [outbound, inbound] : [outbound.allow ? inbound : outbound];
  return sides.map((side) => `${side.because.kind}: ${side.allow ? 'allow' : 'deny'}`);
}
