/**
 * Names as people know them and as the datastore has them: a Docker network's profile may be called by 64 hex digits.
 *
 *     displayName(names, profileOrTag), displayRule(names, rule)   -> for people
 *     calicoctlName(names, …), calicoctlRule(names, profile, rule) -> as they must be typed into calicoctl
 */
import type { Peer, PeerMatch, Rule } from './model.ts';
import type { PolicyNetwork } from './network.ts';

/** By name of a profile: the network it was made for. Profiles that are nobody's network do not stand here. */
export type Names = ReadonlyMap<string, PolicyNetwork>;

export const noNames: Names = new Map();

/** The network's name for a profile or a tag of that name; any other name stays as it is. */
export function displayName(names: Names, name: string): string {
  return names.get(name)?.name ?? name;
}

export function displayRule(names: Names, rule: Rule): Rule {
  return renamed(rule, (tag) => displayName(names, tag));
}

/**
 * calicoctl translates names of Docker networks to ids by asking Docker, for the profile and for every tag in it, and
 * only if no profile is literally called so. Everything else has to be typed as it is stored.
 */
export function calicoctlName(names: Names, profile: string): string {
  return translates(names, profile) ? displayName(names, profile) : profile;
}

/** The rule as it is typed for that profile: in a profile that is not translated, tags are not either. */
export function calicoctlRule(names: Names, profile: string, rule: Rule): Rule {
  return translates(names, profile) ? renamed(rule, (tag) => calicoctlName(names, tag)) : rule;
}

export function calicoctlTag(names: Names, profile: string, tag: string): string {
  return translates(names, profile) ? calicoctlName(names, tag) : tag;
}

/** True when calicoctl reaches this profile by the name of its Docker network. */
export function translates(names: Names, profile: string): boolean {
  const network = names.get(profile);
  return network?.containerizer === 'docker' && network.name !== profile;
}

/** The same rule with other tags. */
export function renamed(rule: Rule, rename: (tag: string) => string): Rule {
  const match = <M extends PeerMatch>(side: M): M =>
    side.tag === undefined ? side : { ...side, tag: rename(side.tag) };
  const peer = (side: Peer): Peer => {
    const renamedSide = match(side);
    return side.not === undefined ? renamedSide : { ...renamedSide, not: match(side.not) };
  };
  return { ...rule, from: peer(rule.from), to: peer(rule.to) };
}
