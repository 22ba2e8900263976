/**
 * The smallest edit that admits a flow which is refused: one rule for each side that refuses it, as narrow as the
 * grammar of calicoctl allows, at the place where it decides.
 *
 *     admission(state, from, to, packet, names?, felix?) -> Admission, or the reason why no rule can do it
 */
import { addressNumber } from './address.ts';
import { formatCommand, type Command } from './command.ts';
import { compileState } from './evaluate.ts';
import { plainFelix, type Felix } from './felix.ts';
import type { Endpoint, Packet, Peer, PolicyState, Rule, SideDecision } from './model.ts';
import { calicoctlName, calicoctlRule, noNames, type Names } from './names.ts';

export interface Admission {
  /** As they are typed; none where the flow is admitted already. */
  readonly commands: readonly string[];
  /** The state with them done. */
  readonly state: PolicyState;
}

export function admission(
  state: PolicyState,
  from: string,
  to: string,
  packet: Packet,
  names: Names = noNames,
  felix: Felix = plainFelix,
): Admission | string {
  const { outbound, inbound, seenFrom } = compileState(state, felix).decide(from, to, packet);
  const lines: string[] = [];
  let edited = state;
  for (const side of [outbound, inbound]) {
    if (side.allow) continue;
    const place = placeOf(side);
    if (typeof place === 'string') return place;
    const peer = side.direction === 'outbound' ? to : seenAs(state, from, to, seenFrom);
    const rule = ruleFor(state, peer, side.direction, packet);
    const profile = edited.profiles.get(place.profile)!;
    const rules = [...profile[side.direction]];
    rules.splice(place.index ?? rules.length, 0, rule);
    edited = {
      ...edited,
      profiles: new Map(edited.profiles).set(profile.name, { ...profile, [side.direction]: rules }),
    };
    const command: Command = {
      kind: 'rule add',
      profile: calicoctlName(names, profile.name),
      direction: side.direction,
      ...(place.index === undefined ? {} : { at: place.index + 1 }),
      rule: calicoctlRule(names, profile.name, rule),
    };
    lines.push(formatCommand(command));
  }
  // A rule of calicoctl is not all that can stand in the way: a tier, or what this Felix makes of a rule.
  const passes = compileState(edited, felix).allows(from, to, packet);
  return passes ? { commands: lines, state: edited } : 'no single rule admits it';
}

/** Policy on the same host is asked before a source is masqueraded, and on another one after that. */
function seenAs({ endpoints }: PolicyState, from: string, to: string, seenFrom: string | undefined): string {
  const on = (one: string) => endpoints.find(({ id, address }) => id === one || address === one)?.host;
  return seenFrom === undefined || on(from) === on(to) ? from : seenFrom;
}

/** Where the rule goes: before the one that denies, or to the end of the last profile. */
function placeOf({ because }: SideDecision): { readonly profile: string; readonly index?: number } | string {
  if (because.kind === 'rule') return { profile: because.profile, index: because.position - 1 };
  if (because.kind === 'no rule matched') return { profile: because.profiles.at(-1)! };
  if (because.kind === 'no profile') return 'an endpoint without a profile is cut off: put it on a network';
  if (because.kind === 'missing profile') {
    return `the profile ${because.profile} is missing or invalid, and drops everything: mend that first`;
  }
  return 'no rule of a profile decides this';
}

/** The peer by a tag that its profiles have, the first of the first; outside by its address. */
function ruleFor(state: PolicyState, peer: string, direction: 'inbound' | 'outbound', packet: Packet): Rule {
  const endpoint = state.endpoints.find(({ id, address }) => id === peer || address === peer);
  const side = peerOf(state, endpoint, peer);
  const port = packet.protocol === 'icmp' ? {} : { ports: [{ from: packet.port, to: packet.port }] };
  return {
    action: 'allow',
    protocol: packet.protocol,
    ...(packet.protocol === 'icmp' ? { icmp: { type: packet.type, code: packet.code } } : {}),
    ...(direction === 'inbound' ? { from: side, to: port } : { from: {}, to: { ...side, ...port } }),
  };
}

function peerOf(state: PolicyState, endpoint: Endpoint | undefined, name: string): Peer {
  if (endpoint === undefined) {
    const host = state.hosts?.find((one) => one.name === name);
    const address = host?.addresses.find((one) => addressNumber(one) !== undefined) ?? name;
    return { cidr: `${address}/32` };
  }
  const tag = endpoint.profiles.flatMap((name) => state.profiles.get(name)?.tags ?? [])[0];
  return tag === undefined ? { cidr: `${endpoint.address}/32` } : { tag };
}
