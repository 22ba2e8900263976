/**
 * What Felix would not accept. It takes an invalid profile for a missing one: one bad rule cuts off every endpoint of the
 * profile, both ways; its tags and labels are separate keys and stay good. An invalid policy is not there at all.
 *
 *     profileFault(profile, felix?) -> why the profile is invalid, or undefined
 *     policyFault(policy, felix?)   -> the same for a policy
 *     stateProblems(state)          -> what makes a state undecidable: ends that cannot be told apart or have no address
 */
import type { Problem } from '../problem/problem.ts';
import { addressNumber, parseNet } from './address.ts';
import { addressNumber6, parseNet6 } from './address6.ts';
import { plainFelix, type Felix } from './felix.ts';
import type { Direction, IcmpMatch, PeerMatch, Policy, PolicyState, PortRange, Profile, Rule } from './model.ts';
import { isName } from './name.ts';
import { lastPort } from './syntax/ports.ts';
import { icmpNumber, isProtocol, protocolNumber } from './protocol.ts';
import { parseSelector } from './selector.ts';
import { ruleText } from './text.ts';

const directions: readonly Direction[] = ['inbound', 'outbound'];

export function profileFault(profile: Profile, felix: Felix = plainFelix): string | undefined {
  if (!isName(profile.name)) return `"${profile.name}" cannot be the name of a profile`;
  return profile.fault ?? rulesFault(profile, felix);
}

export function policyFault(policy: Policy, felix: Felix = plainFelix): string | undefined {
  if (!isName(policy.name)) return `"${policy.name}" cannot be the name of a policy`;
  return selectorFault(policy.selector) ?? rulesFault(policy, felix);
}

function rulesFault(rules: Readonly<Record<Direction, readonly Rule[]>>, felix: Felix): string | undefined {
  for (const direction of directions) {
    for (const [index, rule] of rules[direction].entries()) {
      const fault = ruleFault(rule, felix);
      if (fault !== undefined) return `${direction} rule ${index + 1} (${ruleText(rule)}): ${fault}`;
    }
  }
  return undefined;
}

function ruleFault(rule: Rule, felix: Felix): string | undefined {
  const { action, protocol, icmp, from, to, not } = rule;
  if (!['allow', 'deny', 'next-tier', 'log'].includes(action)) return `there is no action "${action}"`;
  for (const named of [protocol, not?.protocol]) {
    if (named !== undefined && !isProtocol(named)) return `there is no protocol "${String(named)}"`;
  }
  const peers = [from, to, from.not, to.not].filter((peer) => peer !== undefined);
  return (
    unknownFault(rule, peers, felix) ??
    portsFault(rule, peers, felix) ??
    icmpFault(icmp, rule, felix) ??
    icmpFault(not?.icmp, rule, felix) ??
    firstFault(peers, (peer) => peerFault(peer, felix)) ??
    versionFault(rule, peers, felix)
  );
}

/** What this Felix has never heard of. */
function unknownFault(rule: Rule, peers: readonly PeerMatch[], { version, knows }: Felix): string | undefined {
  const { action, from, to, not } = rule;
  if (action === 'next-tier' && !knows.tiers) return `Felix ${version} has no action "next-tier"`;
  if (action === 'log' && !knows.log) return `Felix ${version} has no action "log"`;
  if (!knows.tiers && peers.some(({ selector }) => selector !== undefined)) return `Felix ${version} has no selectors`;
  const negated = [not, from.not, to.not].some((match) => Object.keys(match ?? {}).length > 0);
  return negated && !knows.negation ? `Felix ${version} has no negated matches` : undefined;
}

/** sctp, 6, 17, udplite, 132 and 33 pass the validation of Python's Felix, and its renderer then knows tcp and udp only. */
function portsFault({ protocol }: Rule, peers: readonly PeerMatch[], { quirks }: Felix): string | undefined {
  const least = quirks.has('empty-ports-need-protocol') ? 0 : 1;
  if (!peers.some(({ ports }) => ports !== undefined && ports.length >= least)) return undefined;
  const number = protocol === undefined ? 0 : protocolNumber(protocol);
  const ported = quirks.has('ports-drop-unless-tcp-udp') ? [6, 17, 33, 132, 136] : [6, 17];
  return ported.includes(number) ? undefined : 'ports need the protocol tcp or udp';
}

function icmpFault(icmp: IcmpMatch | undefined, { protocol }: Rule, { quirks }: Felix): string | undefined {
  if (icmp === undefined) return undefined;
  const number = protocol === undefined ? 0 : protocolNumber(protocol);
  const isIcmp = number === icmpNumber(4) || number === icmpNumber(6);
  if (!isIcmp && !quirks.has('stray-icmp-type-vanishes')) return 'an ICMP type needs the protocol icmp';
  const last = quirks.has('icmp-type-255-drops') ? 255 : 254;
  if (!within(icmp.type, last)) return `there is no ICMP type ${icmp.type}`;
  if (icmp.code !== undefined && !within(icmp.code, 255)) return `there is no ICMP code ${icmp.code}`;
  return undefined;
}

function versionFault(rule: Rule, peers: readonly PeerMatch[], { quirks }: Felix): string | undefined {
  const { ipVersion, protocol } = rule;
  if (ipVersion === undefined) return undefined;
  if (!quirks.has('version-contradiction-invalid')) return undefined;
  if (protocol === (ipVersion === 4 ? 'icmpv6' : 'icmp')) return `${protocol} is not for IPv${ipVersion}`;
  const other = peers.find(({ cidr }) => cidr !== undefined && cidr.includes(':') !== (ipVersion === 6));
  return other?.cidr === undefined ? undefined : `${other.cidr} is no IPv${ipVersion} network`;
}

export function stateProblems(state: PolicyState): readonly Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  const owners = new Map<number | bigint, string>();
  const own = (id: string, address: string, number: number | bigint) => {
    const owner = owners.get(number);
    if (owner !== undefined) {
      problems.push({
        code: 'duplicate-address',
        what: `The endpoints "${owner}" and "${id}" both have the address ${address}.`,
        rule: 'Policy goes by addresses; two endpoints with one address cannot be told apart.',
      });
    }
    owners.set(number, id);
  };
  for (const { id, address, address6 } of state.endpoints) {
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
    } else own(id, address, number);
    if (address6 === undefined) continue;
    const number6 = addressNumber6(address6);
    if (number6 === undefined) {
      problems.push({
        code: 'bad-address',
        what: `The endpoint "${id}" has the address "${address6}", which is no IPv6 address.`,
        rule: 'An IPv6 address has no prefix length and no zone.',
        example: 'fd80::1',
      });
    } else own(id, address6, number6);
  }
  problems.push(...hostProblems(state), ...nameProblems(state));
  for (const { cidr } of state.pools ?? []) {
    if (parseNet(cidr) === undefined && parseNet6(cidr) === undefined) {
      problems.push({ code: 'bad-cidr', what: `The pool "${cidr}" is no network.`, example: '192.168.0.0/16' });
    }
  }
  return problems;
}

function hostProblems({ hosts = [] }: PolicyState): readonly Problem[] {
  const twice = repeated(hosts.map(({ name }) => name)).map((name) => ({
    code: 'duplicate-host',
    what: `There are two hosts called "${name}".`,
    rule: 'A host has a name of its own.',
  }));
  const bad = hosts.flatMap(({ name, addresses }) =>
    addresses
      .filter((address) => addressNumber(address) === undefined && addressNumber6(address) === undefined)
      .map((address) => ({
        code: 'bad-address',
        what: `The host "${name}" has the address "${address}", which is none.`,
        rule: 'An address has no prefix length.',
        example: '10.0.0.1',
      })),
  );
  return [...twice, ...bad];
}

function nameProblems({ tiers = [] }: PolicyState): readonly Problem[] {
  const tierTwice = repeated(tiers.map(({ name }) => name)).map((name) => ({
    code: 'duplicate-tier',
    what: `There are two tiers called "${name}".`,
    rule: 'Tiers of equal order go by their names.',
  }));
  const policyTwice = tiers.flatMap(({ name: tier, policies }) =>
    repeated(policies.map(({ name }) => name)).map((name) => ({
      code: 'duplicate-policy',
      what: `There are two policies called "${name}" in the tier "${tier}".`,
      rule: 'Policies of equal order go by their names.',
    })),
  );
  return [...tierTwice, ...policyTwice];
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function peerFault(peer: PeerMatch, { quirks }: Felix): string | undefined {
  const { tag, selector, cidr, ports } = peer;
  if (tag !== undefined && !isName(tag)) return `"${tag}" cannot be a tag`;
  if (cidr !== undefined && parseNet(cidr) === undefined && parseNet6(cidr) === undefined) {
    return `"${cidr}" is no ${cidr.includes(':') ? 'IPv6' : 'IPv4'} network`;
  }
  const range = ports?.find(badRange);
  if (range !== undefined) return `${range.from}:${range.to} is no range of ports`;
  if (quirks.has('port-zero-invalid') && ports?.some(({ from }) => from === 0)) return 'there is no port 0';
  return selector === undefined ? undefined : selectorFault(selector);
}

function selectorFault(selector: string): string | undefined {
  const parsed = parseSelector(selector);
  return parsed.ok ? undefined : `${JSON.stringify(selector)} is no selector: ${parsed.problems[0]?.what ?? ''}`;
}

function firstFault<T>(values: readonly T[], fault: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = fault(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function badRange({ from, to }: PortRange): boolean {
  return !within(from, lastPort) || !within(to, lastPort) || from > to;
}

function within(number: number, last: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= last;
}
