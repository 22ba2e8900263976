/**
 * The smallest edit that admits a flow which is refused: one rule for each side that refuses it, as narrow as the
 * grammar of calicoctl allows, at the place where it decides: in a profile, or in a policy of a tier.
 *
 *     admission(state, from, to, packet, names?, felix?) -> Admission, or the reason why no rule can do it
 *     admissionText(admission, commands, names?)         -> as it is typed, or said where calicoctl has no such command
 */
import { addressNumber } from './address.ts';
import { formatCommand, type Command } from './syntax/command.ts';
import { compileState } from './evaluate.ts';
import { plainFelix, type Felix } from './felix.ts';
import type { Direction, Endpoint, Packet, Peer, PolicyState, Rule, SideDecision } from './model.ts';
import { calicoctlName, calicoctlRule, displayName, displayRule, noNames, type Names } from './names.ts';
import { ruleText } from './text.ts';

export interface Admission {
  /** One for each side that refused the flow; none where it is admitted already. */
  readonly edits: readonly Edit[];
  /** The state with them done. */
  readonly state: PolicyState;
}

/** A rule to be put before the one at `before`, which counts from 1; without it, at the end. */
interface Edit {
  readonly owner: Owner;
  readonly direction: Direction;
  readonly before?: number;
  readonly rule: Rule;
}

type Owner = { readonly profile: string } | { readonly tier: string; readonly policy: string };

export function admission(
  state: PolicyState,
  from: string,
  to: string,
  packet: Packet,
  felix: Felix = plainFelix,
): Admission | string {
  const { outbound, inbound, seenFrom } = compileState(state, felix).decide(from, to, packet);
  const edits: Edit[] = [];
  let edited = state;
  for (const side of [outbound, inbound]) {
    if (side.allow) continue;
    const place = placeOf(side);
    if (typeof place === 'string') return place;
    const peer = side.direction === 'outbound' ? to : seenAs(state, from, to, seenFrom);
    const edit = { ...place, direction: side.direction, rule: ruleFor(state, peer, side.direction, packet) };
    edited = withEdit(edited, edit);
    edits.push(edit);
  }
  // One rule may not be all that stands in the way: another tier, or what this Felix makes of it.
  const passes = compileState(edited, felix).allows(from, to, packet);
  return passes ? { edits, state: edited } : 'no single rule admits it';
}

/** `commands`: whether calicoctl has the command `profile`; policies of tiers have none. */
export function admissionText({ edits }: Admission, commands: boolean, names: Names = noNames): readonly string[] {
  return edits.map(({ owner, direction, before, rule }) => {
    if ('profile' in owner && commands) {
      const command: Command = {
        kind: 'rule add',
        profile: calicoctlName(names, owner.profile),
        direction,
        ...(before === undefined ? {} : { at: before }),
        rule: calicoctlRule(names, owner.profile, rule),
      };
      return formatCommand(command);
    }
    const where =
      'profile' in owner
        ? `the profile ${displayName(names, owner.profile)}`
        : `the policy ${owner.policy} of ${owner.tier}`;
    const place = before === undefined ? 'at the end' : `before rule ${before}`;
    return `in ${where}, ${direction}, ${place}: ${ruleText(displayRule(names, rule))}`;
  });
}

function withEdit(state: PolicyState, { owner, direction, before, rule }: Edit): PolicyState {
  const edited = <T extends Readonly<Record<Direction, readonly Rule[]>>>(lists: T): T => {
    const rules = [...lists[direction]];
    rules.splice(before === undefined ? rules.length : before - 1, 0, rule);
    return { ...lists, [direction]: rules };
  };
  if ('profile' in owner) {
    const profile = state.profiles.get(owner.profile)!;
    return { ...state, profiles: new Map(state.profiles).set(profile.name, edited(profile)) };
  }
  const tiers = (state.tiers ?? []).map((tier) =>
    tier.name === owner.tier
      ? { ...tier, policies: tier.policies.map((one) => (one.name === owner.policy ? edited(one) : one)) }
      : tier,
  );
  return { ...state, tiers };
}

/** Policy on the same host is asked before a source is masqueraded, and on another one after that. */
function seenAs({ endpoints }: PolicyState, from: string, to: string, seenFrom: string | undefined): string {
  const on = (one: string) => endpoints.find(({ id, address }) => id === one || address === one)?.host;
  return seenFrom === undefined || on(from) === on(to) ? from : seenFrom;
}

/** Where the rule goes: before the one that denies, or to the end of the last profile or policy that was asked. */
function placeOf({ because }: SideDecision): Pick<Edit, 'owner' | 'before'> | string {
  switch (because.kind) {
    case 'rule':
      return { owner: { profile: because.profile }, before: because.position };
    case 'policy rule':
      return { owner: { tier: because.tier, policy: because.policy }, before: because.position };
    case 'no rule matched':
      return { owner: { profile: because.profiles.at(-1)! } };
    case 'no policy passed':
      return { owner: { tier: because.tier, policy: because.policies.at(-1)! } };
    case 'no profile':
      return 'an endpoint without a profile is cut off: put it on a network';
    case 'missing profile':
      return `the profile ${because.profile} is missing or invalid, and drops everything: mend that first`;
    case 'inactive':
    case 'not an endpoint':
    case 'own address':
    case 'own host':
    case 'to own host':
      return 'no rule decides this';
  }
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
    return { cidr: address.includes(':') ? `${address}/128` : `${address}/32` };
  }
  const tag = endpoint.profiles.flatMap((name) => state.profiles.get(name)?.tags ?? [])[0];
  return tag === undefined ? { cidr: `${endpoint.address}/32` } : { tag };
}
