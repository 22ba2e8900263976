/**
 * What Felix would not accept. It takes an invalid profile for a missing one: one bad rule cuts off every endpoint of the
 * profile, both ways; its tags are a separate key and stay good.
 *
 *     profileFault(profile) -> why the profile is invalid, or undefined
 *     stateProblems(state)  -> what makes a state undecidable: endpoints that cannot be told apart or have no address
 */
import type { Problem } from '../problem/problem.ts';
import { addressNumber, parseNet } from './address.ts';
import type { Direction, Peer, PolicyState, PortRange, Profile, Rule } from './model.ts';
import { isName } from './name.ts';
import { lastPort } from './ports.ts';
import { formatRule } from './rule.ts';

const directions: readonly Direction[] = ['inbound', 'outbound'];

export function profileFault(profile: Profile): string | undefined {
  if (!isName(profile.name)) return `"${profile.name}" cannot be the name of a profile`;
  for (const direction of directions) {
    for (const [index, rule] of profile[direction].entries()) {
      const fault = ruleFault(rule);
      if (fault !== undefined) return `${direction} rule ${index + 1} (${formatRule(rule)}): ${fault}`;
    }
  }
  return undefined;
}

function ruleFault(rule: Rule): string | undefined {
  const { action, protocol, icmp, from, to } = rule;
  if (!['allow', 'deny'].includes(action)) return `there is no action "${action}"`;
  if (protocol !== undefined && !['tcp', 'udp', 'icmp'].includes(protocol)) return `there is no protocol "${protocol}"`;
  const ported = protocol === 'tcp' || protocol === 'udp';
  if (!ported && (hasPorts(from) || hasPorts(to))) return 'ports need the protocol tcp or udp';
  if (icmp !== undefined) {
    if (protocol !== 'icmp') return 'an ICMP type needs the protocol icmp';
    if (!within(icmp.type, 254)) return `there is no ICMP type ${icmp.type}`;
    if (icmp.code !== undefined && !within(icmp.code, 255)) return `there is no ICMP code ${icmp.code}`;
  }
  return peerFault(from) ?? peerFault(to);
}

export function stateProblems(state: PolicyState): readonly Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  const owners = new Map<number, string>();
  for (const { id, address } of state.endpoints) {
    if (ids.has(id)) {
      problems.push({
        code: 'duplicate-endpoint',
        what: `There are two endpoints called "${id}".`,
        rule: 'An endpoint has a name of its own.',
      });
    }
    ids.add(id);
    const number = addressNumber(address);
    if (number === undefined) {
      problems.push({
        code: 'bad-address',
        what: `The endpoint "${id}" has the address "${address}", which is no IPv4 address.`,
        rule: 'An address has four numbers from 0 to 255 and no prefix length.',
        example: '192.168.0.1',
      });
      continue;
    }
    const owner = owners.get(number);
    if (owner !== undefined) {
      problems.push({
        code: 'duplicate-address',
        what: `The endpoints "${owner}" and "${id}" both have the address ${address}.`,
        rule: 'Policy goes by addresses; two endpoints with one address cannot be told apart.',
      });
    }
    owners.set(number, id);
  }
  return problems;
}

function hasPorts(peer: Peer): boolean {
  return peer.ports !== undefined && peer.ports.length > 0;
}

function peerFault(peer: Peer): string | undefined {
  if (peer.tag !== undefined && !isName(peer.tag)) return `"${peer.tag}" cannot be a tag`;
  if (peer.cidr !== undefined && parseNet(peer.cidr) === undefined) return `"${peer.cidr}" is no IPv4 network`;
  const range = peer.ports?.find(badRange);
  return range && `${range.from}:${range.to} is no range of ports`;
}

function badRange({ from, to }: PortRange): boolean {
  return !within(from, lastPort) || !within(to, lastPort) || from > to;
}

function within(number: number, last: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= last;
}
