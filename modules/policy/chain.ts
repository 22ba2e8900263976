/**
 * One direction of one list of tiers and profiles, made ready to decide packets of one IP version. Chains without
 * `next-tier`, which are nearly all, are one list of rules in which the first match decides.
 */
import { parseNet } from './address.ts';
import { parseNet6 } from './address6.ts';
import { policing, type Carried } from './carried.ts';
import type { Felix } from './felix.ts';
import { selectorMembers, tagMembers, type Address, type TagMembers } from './labels.ts';
import type {
  Because,
  Direction,
  IcmpMatch,
  IpVersion,
  Peer,
  PeerMatch,
  PolicyState,
  PortRange,
  Profile,
  Rule,
  SideDecision,
} from './model.ts';
import { protocolNumber } from './protocol.ts';
import { render } from './render.ts';
import { profileFault } from './valid.ts';

/** The first packet of a flow; -1 for what its protocol does not have. Both addresses are of the same IP version. */
export interface Flow {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly type: number;
  readonly code: number;
}

export interface Chain {
  /** `marked`: the packet carries the mark of next-tier, from the chain of its source on the same host. */
  readonly decide: (flow: Flow, marked: boolean) => SideDecision;
  /** Whether a packet that starts unmarked leaves this chain with the mark; absent where none ever does. */
  readonly marks?: (flow: Flow) => boolean;
}

/** What all chains of a state share. */
export interface World {
  readonly state: PolicyState;
  readonly felix: Felix;
  readonly tags: TagMembers;
  readonly selected: (selector: string) => ReadonlySet<Address>;
}

export function worldOf(state: PolicyState, felix: Felix): World {
  return { state, felix, tags: tagMembers(state), selected: selectorMembers(state) };
}

export function chainOf(world: World, { tiers, profiles }: Carried, direction: Direction, version: IpVersion): Chain {
  const { state, felix } = world;
  const rulesOf = (rules: readonly Rule[], because: Named): readonly ReadyRule[] =>
    rules.flatMap((rule, index) => {
      const rendered = render(rule, version, felix);
      // What only logs decides nothing.
      if (rendered === undefined || rendered.rule.action === 'log') return [];
      const { quirk } = rendered;
      const why = { ...because, position: index + 1, rule, ...(quirk === undefined ? {} : { quirk }) };
      return [ready(rendered.rule, { direction, allow: rendered.rule.action === 'allow', because: why }, world)];
    });

  const sections: Section[] = policing(tiers, direction, felix).map(({ name: tier, policies }) => ({
    policies: policies.map((one) => rulesOf(one[direction], { kind: 'policy rule', tier, policy: one.name })),
    end: {
      direction,
      allow: false,
      because: { kind: 'no policy passed', tier, policies: policies.map(({ name }) => name) },
    },
  }));
  let end: SideDecision = {
    direction,
    allow: false,
    because: profiles.length === 0 ? { kind: 'no profile' } : { kind: 'no rule matched', profiles },
  };
  for (const name of profiles) {
    const profile = state.profiles.get(name);
    if (profile === undefined || profileFault(profile, felix) !== undefined) {
      // Felix jumps to a chain that drops, so what follows is never reached.
      end = { direction, allow: false, because: { kind: 'missing profile', profile: name } };
      break;
    }
    sections.push({ rules: rulesOf(profile[direction], { kind: 'rule', profile: profile.name }) });
  }
  const steps = sections.flatMap((section) => ('rules' in section ? section.rules : section.policies.flat()));
  if (!sections.some((section) => 'policies' in section) && !steps.some(({ passes }) => passes))
    return { decide: firstMatch(steps, end) };
  const leaks = felix.quirks.has('next-tier-mark-leaks');
  return {
    decide: (flow, marked) => walk(sections, end, flow, marked, leaks).decision,
    ...(leaks ? { marks: (flow) => walk(sections, end, flow, false, leaks).marked } : {}),
  };
}

/** Drops everything, both ways. */
export function closedChain(direction: Direction, because: Because): Chain {
  const decision: SideDecision = { direction, allow: false, because };
  return { decide: () => decision };
}

type Named =
  | { readonly kind: 'rule'; readonly profile: Profile['name'] }
  | { readonly kind: 'policy rule'; readonly tier: string; readonly policy: string };

/** A profile, or the policies of a tier. */
type Section =
  | { readonly rules: readonly ReadyRule[] }
  | { readonly policies: readonly (readonly ReadyRule[])[]; readonly end: SideDecision };

function firstMatch(steps: readonly ReadyRule[], end: SideDecision): Chain['decide'] {
  return (flow) => {
    for (const step of steps) if (matches(step, flow)) return step.decision;
    return end;
  };
}

function walk(
  sections: readonly Section[],
  end: SideDecision,
  flow: Flow,
  carried: boolean,
  leaks: boolean,
): { readonly decision: SideDecision; readonly marked: boolean } {
  let marked = leaks && carried;
  for (const section of sections) {
    if ('rules' in section) {
      if (!leaks) marked = false;
      for (const rule of section.rules) {
        if (!rule.passes) {
          if (matches(rule, flow)) return { decision: rule.decision, marked };
          continue;
        }
        // Two rules of iptables: "mark what matches", and "leave the chain if marked", by whomever.
        marked ||= matches(rule, flow);
        if (marked) break;
      }
      continue;
    }
    marked = false;
    for (const rules of section.policies) {
      const first = rules.find((rule) => matches(rule, flow));
      if (first === undefined) continue;
      if (!first.passes) return { decision: first.decision, marked };
      marked = true;
      break;
    }
    if (!marked) return { decision: section.end, marked };
  }
  return { decision: end, marked };
}

interface ReadyRule {
  readonly decision: SideDecision;
  /** `next-tier`: the decision is none. */
  readonly passes: boolean;
  /** -1 for any. */
  readonly protocol: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly from: ReadyPeer;
  readonly to: ReadyPeer;
  readonly not: ReadyNot | undefined;
}

interface ReadyPeer {
  readonly members: ReadonlySet<Address> | undefined;
  readonly selected: ReadonlySet<Address> | undefined;
  /** Of the CIDR; 0 and 0 for none, which every address satisfies. */
  readonly base: number;
  readonly mask: number;
  readonly base6: bigint;
  readonly mask6: bigint;
  /** Whether there is a CIDR. */
  readonly netted: boolean;
  readonly ports: readonly PortRange[] | undefined;
}

interface ReadyNot {
  /** -1 for none. */
  readonly protocol: number;
  readonly icmp: IcmpMatch | undefined;
  readonly from: ReadyPeer | undefined;
  readonly to: ReadyPeer | undefined;
}

const nobody: ReadonlySet<Address> = new Set();

function ready(rule: Rule, decision: SideDecision, world: World): ReadyRule {
  const { protocol, icmp, from, to, not } = rule;
  const negated = not !== undefined || from.not !== undefined || to.not !== undefined;
  return {
    decision,
    passes: rule.action === 'next-tier',
    protocol: protocol === undefined ? -1 : protocolNumber(protocol),
    icmpType: icmp?.type ?? -1,
    icmpCode: icmp?.code ?? -1,
    from: readyPeer(from, world),
    to: readyPeer(to, world),
    not: negated
      ? {
          protocol: not?.protocol === undefined ? -1 : protocolNumber(not.protocol),
          icmp: not?.icmp,
          from: from.not && readyPeer(from.not, world),
          to: to.not && readyPeer(to.not, world),
        }
      : undefined,
  };
}

function readyPeer({ tag, selector, cidr, ports }: Peer | PeerMatch, { tags, selected }: World): ReadyPeer {
  const net = (cidr === undefined ? undefined : parseNet(cidr)) ?? { base: 0, mask: 0 };
  const net6 = (cidr === undefined ? undefined : parseNet6(cidr)) ?? { base: 0n, mask: 0n };
  return {
    members: tag === undefined ? undefined : (tags.get(tag) ?? nobody),
    selected: selector === undefined ? undefined : selected(selector),
    base: net.base,
    mask: net.mask,
    base6: net6.base,
    mask6: net6.mask,
    netted: cidr !== undefined,
    ports: ports === undefined || ports.length === 0 ? undefined : ports,
  };
}

function matches(rule: ReadyRule, flow: Flow): boolean {
  const { from, to } = flow;
  if (rule.protocol >= 0 && rule.protocol !== flow.protocol) return false;
  if (!within(rule.from, from) || !within(rule.to, to)) return false;
  if (rule.icmpType >= 0 && rule.icmpType !== flow.type) return false;
  if (rule.icmpCode >= 0 && rule.icmpCode !== flow.code) return false;
  if (!onPort(rule.to.ports, flow.port) || !onPort(rule.from.ports, flow.sourcePort)) return false;
  if (rule.from.members !== undefined && !rule.from.members.has(from)) return false;
  if (rule.to.members !== undefined && !rule.to.members.has(to)) return false;
  if (rule.from.selected !== undefined && !rule.from.selected.has(from)) return false;
  if (rule.to.selected !== undefined && !rule.to.selected.has(to)) return false;
  return rule.not === undefined || !excluded(rule.not, flow);
}

/** True when one of the negated matches holds. */
function excluded({ protocol, icmp, from, to }: ReadyNot, flow: Flow): boolean {
  if (protocol === flow.protocol) return true;
  if (icmp?.type === flow.type && (icmp.code ?? flow.code) === flow.code) return true;
  return (
    (from !== undefined && touches(from, flow.from, flow.sourcePort)) ||
    (to !== undefined && touches(to, flow.to, flow.port))
  );
}

/** Whether any match of the peer that is there holds by itself. */
function touches(peer: ReadyPeer, address: Address, port: number): boolean {
  if (peer.members?.has(address) === true || peer.selected?.has(address) === true) return true;
  return (peer.netted && within(peer, address)) || (peer.ports !== undefined && onPort(peer.ports, port));
}

function within(peer: ReadyPeer, address: Address): boolean {
  return typeof address === 'number' ? (address & peer.mask) === peer.base : (address & peer.mask6) === peer.base6;
}

function onPort(ports: readonly PortRange[] | undefined, port: number): boolean {
  if (ports === undefined) return true;
  for (const range of ports) if (range.from <= port && port <= range.to) return true;
  return false;
}
