/**
 * What has to be typed to bring a policy about, in the words of the channel's own calicoctl.
 *
 *     bring(channel, before, after, names) -> commands, as they are typed; a comment where there are no words
 *     displayed(policy, names)             -> the same policy with names in the place of ids
 */
import { isDeepStrictEqual } from 'node:util';
import { hasProfileCommand } from '../release/calico.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import { commands } from './commands.ts';
import type { PolicyState, Profile, Rule, Tier } from './model.ts';
import { displayName, displayRule, type Names } from './names.ts';
import { formatResources } from './syntax/resources-text.ts';
import { ruleText } from './text.ts';
import { quoteWord } from './syntax/words.ts';

type Policy = Pick<PolicyState, 'profiles' | 'tiers'>;

export function bring(channel: ReleaseChannel, before: Policy, after: Policy, names: Names): readonly string[] {
  return hasProfileCommand(channel) ? typed(before, after, names) : applied(before, after);
}

export function displayed({ profiles, tiers = [] }: Policy, names: Names): Policy {
  const shown = <T extends Pick<Profile, 'inbound' | 'outbound'>>(one: T): T => ({
    ...one,
    inbound: one.inbound.map((rule) => displayRule(names, rule)),
    outbound: one.outbound.map((rule) => displayRule(names, rule)),
  });
  const renamed = [...profiles.values()].map((profile): Profile => {
    const tags = profile.tags.map((tag) => displayName(names, tag));
    return { ...shown(profile), name: displayName(names, profile.name), tags };
  });
  return {
    profiles: new Map(renamed.map((profile) => [profile.name, profile])),
    tiers: tiers.map((tier) => ({ ...tier, policies: tier.policies.map(shown) })),
  };
}

/** calicoctl 0.x: command by command. */
function typed(before: Policy, after: Policy, names: Names): readonly string[] {
  const unsaid = [...after.profiles.values()].filter((profile) => unsayable(profile) !== undefined);
  const without = new Set(unsaid.map(({ name }) => name));
  const left = ({ profiles }: Policy) => [...profiles.values()].filter(({ name }) => !without.has(name));
  const changed = unsaid.filter((profile) => !isDeepStrictEqual(before.profiles.get(profile.name), profile));
  const tiers = (after.tiers ?? []).filter((tier) => !(before.tiers ?? []).some((old) => isDeepStrictEqual(old, tier)));
  return [
    ...commands(left(before), left(after), names),
    ...changed.map(
      (profile) => `# no words in calicoctl 0.x for ${displayName(names, profile.name)}: ${unsayable(profile)!}`,
    ),
    ...tiers.map(({ name }) => `# no words in calicoctl 0.x for policies of tiers: ${name}`),
    ...(changed.length + tiers.length > 0
      ? ['# npm run policy -- compile NAME --to etcd prints what has to stand in etcd']
      : []),
  ];
}

/** Why calicoctl 0.x cannot write the profile. */
export function unsayable({ inbound, outbound, fault }: Profile): string | undefined {
  const rule = [...inbound, ...outbound].find((one) => !isSayable(one));
  return fault ?? (rule === undefined ? undefined : `"${ruleText(rule)}"`);
}

function isSayable({ action, ipVersion, protocol, from, to, not }: Rule): boolean {
  const spoken = protocol === undefined || ['tcp', 'udp', 'icmp', 'icmpv6'].includes(String(protocol));
  const plain = [from, to].every((peer) => peer.selector === undefined && peer.not === undefined);
  return (action === 'allow' || action === 'deny') && ipVersion === undefined && spoken && plain && not === undefined;
}

/** calicoctl 1.x: what is new or changed, whole. */
function applied(before: Policy, after: Policy): readonly string[] {
  const profiles = [...after.profiles].filter(([name, one]) => !isDeepStrictEqual(before.profiles.get(name), one));
  const tiers = (after.tiers ?? []).flatMap((tier): Tier[] => {
    const old = before.tiers?.find(({ name }) => name === tier.name);
    const policies = tier.policies.filter((one) => !old?.policies.some((was) => isDeepStrictEqual(was, one)));
    return policies.length === 0 ? [] : [{ ...tier, policies }];
  });
  const { text, problems } = formatResources({ profiles: new Map(profiles), tiers });
  const gone = [...before.profiles.keys()].filter((name) => !after.profiles.has(name));
  return [
    ...(text === '' ? [] : [`calicoctl apply -f - <<'EOF'\n${text}EOF`]),
    ...gone.map((name) => `calicoctl delete profile ${quoteWord(name)}`),
    ...problems.map(({ what }) => `# ${what}`),
  ];
}
