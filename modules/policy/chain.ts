/** One direction of one list of profiles, made ready to decide packets: first match over all rules in order. */
import { addressNumber, parseNet } from './address.ts';
import type { Direction, Packet, Peer, PolicyState, PortRange, Profile, Rule, SideDecision } from './model.ts';
import { profileFault } from './valid.ts';

/** The first packet of a flow with both addresses, signed 32-bit. */
export interface Flow {
  readonly from: number;
  readonly to: number;
  readonly packet: Packet;
}

export type Chain = (packets: Flow) => SideDecision;

/** Addresses by tag. Felix counts every endpoint on every host, whatever its state and whatever else is wrong with it. */
export type TagMembers = ReadonlyMap<string, ReadonlySet<number>>;

export function tagMembers(state: PolicyState): TagMembers {
  const members = new Map<string, Set<number>>();
  for (const endpoint of state.endpoints) {
    const address = addressNumber(endpoint.address);
    if (address === undefined) continue;
    for (const name of endpoint.profiles) {
      for (const tag of state.profiles.get(name)?.tags ?? []) {
        const set = members.get(tag) ?? new Set<number>();
        members.set(tag, set.add(address));
      }
    }
  }
  return members;
}

export function chainOf(
  state: PolicyState,
  profiles: readonly string[],
  direction: Direction,
  members: TagMembers,
): Chain {
  const steps: ReadyRule[] = [];
  let end: SideDecision = {
    direction,
    allow: false,
    because: profiles.length === 0 ? { kind: 'no profile' } : { kind: 'no rule matched', profiles },
  };
  for (const name of profiles) {
    const profile = state.profiles.get(name);
    if (profile === undefined || profileFault(profile) !== undefined) {
      // Felix jumps to a chain that drops, so what follows is never reached.
      end = { direction, allow: false, because: { kind: 'missing profile', profile: name } };
      break;
    }
    for (const [index, rule] of profile[direction].entries())
      steps.push(ready(profile, direction, index, rule, members));
  }
  return (flow) => {
    for (const step of steps) if (matches(step, flow)) return step.decision;
    return end;
  };
}

interface ReadyRule {
  readonly decision: SideDecision;
  readonly protocol: Rule['protocol'];
  /** -1 for any. */
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly from: ReadyPeer;
  readonly to: ReadyPeer;
}

interface ReadyPeer {
  readonly members: ReadonlySet<number> | undefined;
  /** Of the CIDR; 0 and 0 for none, which every address satisfies. */
  readonly base: number;
  readonly mask: number;
  readonly ports: readonly PortRange[] | undefined;
}

const nobody: ReadonlySet<number> = new Set();

function ready(profile: Profile, direction: Direction, index: number, rule: Rule, members: TagMembers): ReadyRule {
  return {
    decision: {
      direction,
      allow: rule.action === 'allow',
      because: { kind: 'rule', profile: profile.name, position: index + 1, rule },
    },
    protocol: rule.protocol,
    icmpType: rule.icmp?.type ?? -1,
    icmpCode: rule.icmp?.code ?? -1,
    from: readyPeer(rule.from, members),
    to: readyPeer(rule.to, members),
  };
}

function readyPeer(peer: Peer, members: TagMembers): ReadyPeer {
  const net = (peer.cidr === undefined ? undefined : parseNet(peer.cidr)) ?? { base: 0, mask: 0 };
  return {
    members: peer.tag === undefined ? undefined : (members.get(peer.tag) ?? nobody),
    base: net.base,
    mask: net.mask,
    ports: peer.ports === undefined || peer.ports.length === 0 ? undefined : peer.ports,
  };
}

function matches(rule: ReadyRule, { from, to, packet }: Flow): boolean {
  if (rule.protocol !== undefined && rule.protocol !== packet.protocol) return false;
  if ((from & rule.from.mask) !== rule.from.base || (to & rule.to.mask) !== rule.to.base) return false;
  if (packet.protocol === 'icmp') {
    if (rule.icmpType >= 0 && rule.icmpType !== packet.type) return false;
    if (rule.icmpCode >= 0 && rule.icmpCode !== packet.code) return false;
  } else {
    if (!onPort(rule.to.ports, packet.port) || !onPort(rule.from.ports, packet.sourcePort)) return false;
  }
  if (rule.from.members !== undefined && !rule.from.members.has(from)) return false;
  return rule.to.members === undefined || rule.to.members.has(to);
}

function onPort(ports: readonly PortRange[] | undefined, port: number): boolean {
  if (ports === undefined) return true;
  for (const range of ports) if (range.from <= port && port <= range.to) return true;
  return false;
}
