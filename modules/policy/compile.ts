/**
 * From what people write to what decides: networks, policy files and endpoints become a PolicyState.
 *
 *     compile({ channel, networks, documents, endpoints }) -> Result<Compiled>
 *
 * Files apply in order; each replaces the direction lists that it names. A name in a file, of a profile or of a tag, is
 * looked up as calicoctl does it: a profile (or tag) that is literally called so, else the network of that name.
 */
import type { Place, Problem } from '../problem/problem.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import { ruleCautions } from './caution.ts';
import type { PolicyDocument } from './document.ts';
import type { Direction, Endpoint, PolicyState, Profile, Rule } from './model.ts';
import { displayName, renamed, translates, type Names } from './names.ts';
import { hint } from './hint.ts';
import {
  endpointProfiles,
  hostProfile,
  needsHost,
  networkProfile,
  publicProfile,
  type PolicyHost,
  type PolicyNetwork,
} from './network.ts';
import { along, fine, type Result } from './result.ts';
import { parseRule } from './rule.ts';
import { stateProblems } from './valid.ts';
import { splitWords } from './words.ts';

/** One interface of one task, before it is known which profiles that gives. */
export interface Attachment {
  /** Unique in the cluster: the task's name. */
  readonly id: string;
  /** IPv4, without prefix length. */
  readonly address: string;
  /** Names of networks: one for Docker and CNI, any number of net-groups for net-modules. */
  readonly networks: readonly string[];
  /** The agent it runs on; net-modules puts the host's profile on the task. */
  readonly host?: PolicyHost;
}

export interface PolicySource {
  readonly channel: ReleaseChannel;
  readonly networks: readonly PolicyNetwork[];
  /** In the order in which they apply. */
  readonly documents: readonly PolicyDocument[];
  readonly endpoints: readonly Attachment[];
}

export interface Compiled {
  readonly state: PolicyState;
  /** To show the state with the names that people gave: displayRule, describe, commands. */
  readonly names: Names;
  /** What will go wrong with this channel's tools although the policy is right. */
  readonly warnings: readonly Problem[];
}

export function compile(source: PolicySource): Result<Compiled> {
  const { channel, networks, documents } = source;
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const profiles = new Map<string, Profile>();
  const names = new Map<string, PolicyNetwork>();

  for (const network of networks) {
    problems.push(...idProblems(network, channel));
    const profile = networkProfile(network, channel);
    const other = names.get(profile.name);
    if (other !== undefined) problems.push(clash(network, other, profile.name));
    names.set(profile.name, network);
    profiles.set(profile.name, profile);
  }
  const endpoints = source.endpoints.map((attachment) => attach(attachment, source, profiles, problems));

  for (const document of documents) {
    for (const [name, edit] of Object.entries(document.profiles)) {
      const path = `profiles.${name}`;
      const at = placeOf(document, path);
      const real = lookUp(name, new Set(profiles.keys()), names);
      if (typeof real !== 'string') {
        problems.push(unknown('profile', name, real, names, [...profiles.keys()], at));
        continue;
      }
      for (const direction of ['inbound', 'outbound'] as const) {
        const rules = edit[direction]?.flatMap((text, index): readonly Rule[] => {
          const place = placeOf(document, `${path}.${direction}[${index}]`);
          const parsed = parseRule(text, place);
          if (!parsed.ok) {
            problems.push(...parsed.problems);
            return [];
          }
          warnings.push(...ruleCautions(parsed.value, channel, place));
          return [translated(text, parsed.value, real, place, { profiles, names, problems, warnings })];
        });
        if (rules !== undefined) profiles.set(real, replaced(profiles.get(real)!, direction, rules));
      }
    }
  }
  const state: PolicyState = { profiles, endpoints };
  problems.push(...stateProblems(state));
  return problems.length > 0 ? { ok: false, problems } : fine({ state, names, warnings });
}

function attach(
  { id, address, networks, host }: Attachment,
  { channel, networks: known }: PolicySource,
  profiles: Map<string, Profile>,
  problems: Problem[],
): Endpoint {
  const on = networks.flatMap((name) => {
    const network = known.find((one) => one.name === name);
    if (network !== undefined) return [network];
    const all = known.map((one) => one.name);
    problems.push({
      code: 'unknown-network',
      what: `The endpoint "${id}" is on the network "${name}", which does not exist.${hint(name, all)}`,
      rule: `The networks are: ${all.join(', ') || 'none'}.`,
    });
    return [];
  });
  // What is not known to exist is no reason to speak of more.
  const groups = on.length === networks.length && needsHost(on, channel);
  if (!groups && on.length > 1) {
    problems.push({
      code: 'one-network-per-endpoint',
      what: `The endpoint "${id}" is on ${on.length} networks: ${on.map(({ name }) => name).join(', ')}.`,
      rule: 'Docker and CNI give each network an interface of its own; only net-groups share one.',
    });
  }
  if (groups && host === undefined) {
    problems.push({
      code: 'missing-host',
      what: `It is not said on which host the endpoint "${id}" runs.`,
      rule: 'With net-modules a task carries the profile of its host.',
    });
  }
  const carried = endpointProfiles({ networks: on, ...(host === undefined ? {} : { host }) }, channel);
  if (groups && host !== undefined) {
    // The plugin makes them with the first task that needs them, and never alters one that exists.
    for (const made of [hostProfile(host), publicProfile()]) {
      if (carried.includes(made.name) && !profiles.has(made.name)) profiles.set(made.name, made);
    }
  }
  return { id, address, profiles: carried };
}

interface Scope {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly names: Names;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** The rule with the tags that the datastore knows. */
function translated(text: string, rule: Rule, profile: string, at: Place, scope: Scope): Rule {
  const { profiles, names, problems, warnings } = scope;
  const known = new Set([...profiles.values()].flatMap(({ tags }) => tags));
  const columns = tagOffsets(text);
  return renamed(rule, (tag) => {
    const place = along(at, columns.shift() ?? 0);
    const real = lookUp(tag, known, names);
    if (typeof real !== 'string') {
      problems.push(unknown('tag', tag, real, names, [...known], place));
      return tag;
    }
    if (translates(names, profile) && names.get(real)?.containerizer !== 'docker') {
      warnings.push({
        code: 'calicoctl-refuses-tag',
        at: place,
        what: `calicoctl refuses the tag "${tag}" in the profile of the Docker network "${displayName(names, profile)}".`,
        rule: 'In a Docker network’s profile it takes every tag for the name of a Docker network, and exits 1 otherwise.',
        example: 'Write the rule with `calicoctl profile … rule update`, for the profile named by the network’s id.',
      });
    }
    return real;
  });
}

/** Offsets of the values of `tag` in a rule that has been parsed, `from` first. */
function tagOffsets(text: string): number[] {
  const words = splitWords(text);
  const offsets: number[] = [];
  for (let index = 1; index < words.length; index++) {
    if (words[index]!.text !== 'tag' || words[index + 1] === undefined) continue;
    // The value is skipped: a tag may itself be called "tag".
    offsets.push(words[++index]!.offset);
  }
  return offsets;
}

/** The real name; or what it could be, when it is none or two. */
function lookUp(name: string, literal: ReadonlySet<string>, names: Names): string | readonly string[] {
  const network = [...names].find(([, one]) => one.name === name)?.[0];
  if (!literal.has(name)) return network ?? [];
  return network === undefined || network === name ? name : [name, network];
}

function unknown(
  what: 'profile' | 'tag',
  name: string,
  found: readonly string[],
  names: Names,
  real: readonly string[],
  at: Place,
): Problem {
  if (found.length > 1) {
    return {
      code: 'ambiguous-name',
      at,
      what: `"${name}" is a network, and also the literal name of another ${what}.`,
      rule: 'calicoctl takes the literal name, so the network would keep its policy; rename one of the two.',
    };
  }
  const known = [...new Set(real.map((one) => displayName(names, one)))];
  return {
    code: `unknown-${what}`,
    at,
    what: `There is no ${what === 'tag' ? 'network or tag' : 'network or profile'} "${name}".${hint(name, known)}`,
    rule: `Known are: ${known.join(', ') || 'none'}.`,
  };
}

function replaced(profile: Profile, direction: Direction, rules: readonly Rule[]): Profile {
  return { ...profile, [direction]: rules };
}

function placeOf(document: PolicyDocument, path: string): Place {
  return document.places?.get(path) ?? { file: document.file, path };
}

function idProblems(network: PolicyNetwork, channel: ReleaseChannel): readonly Problem[] {
  const named = network.containerizer === 'docker' && channel.docker.profileName === 'network id';
  if (!named || network.id === undefined || /^[0-9a-f]{64}$/.test(network.id)) return [];
  return [
    {
      code: 'bad-network-id',
      what: `The Docker network "${network.name}" has the id "${network.id}".`,
      rule: 'The id of a Docker network has 64 hex digits: docker network inspect -f {{.Id}} NAME.',
    },
  ];
}

function clash(network: PolicyNetwork, other: PolicyNetwork, profile: string): Problem {
  return {
    code: 'profile-clash',
    what: `The networks "${other.name}" and "${network.name}" would share the profile "${profile}".`,
    rule: 'Policy cannot tell two networks apart that have one profile; rename one of them.',
  };
}
