/**
 * From what people write to what decides: networks, policy files and endpoints become a PolicyState.
 *
 *     compile({ channel, networks, documents, endpoints }) -> Result<Compiled>
 *
 * Files apply in order. In the short form each replaces the direction lists that it names; perform.ts does what other
 * syntaxes say. A name in a file, of a profile or of a tag, is
 * looked up as calicoctl does it: a profile (or tag) that is literally called so, else the network of that name.
 */
import type { Place, Problem } from '../problem/problem.ts';
import type { ReleaseChannel } from '../release/channel.ts';
import { ruleCautions } from './caution.ts';
import type { PolicyDocument } from './document.ts';
import type { Direction, Endpoint, PolicyState, Profile, Rule } from './model.ts';
import { hint } from './hint.ts';
import { lookUp, unknown } from './lookup.ts';
import { displayName, renamed, translates, type Names } from './names.ts';
import {
  endpointProfiles,
  hostProfile,
  needsHost,
  networkLabels,
  networkProfile,
  publicProfile,
  type PolicyHost,
  type PolicyNetwork,
} from './network.ts';
import { draftOf, perform, type Draft } from './perform.ts';
import { along, fine, type Result } from './result.ts';
import { parseRule } from './syntax/rule.ts';
import { stateProblems } from './valid.ts';
import { splitWords } from './syntax/words.ts';

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
  /** Those that questions are asked about; tasks on them are known to be so. */
  readonly hosts?: readonly PolicyHost[];
}

export interface Compiled {
  readonly state: PolicyState;
  /** To show the state with the names that people gave: displayRule, describe, commands. */
  readonly names: Names;
  /** What will go wrong with this channel's tools although the policy is right. */
  readonly warnings: readonly Problem[];
}

export function compile(source: PolicySource): Result<Compiled> {
  const { channel, networks, documents, hosts = [] } = source;
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

  const carried = new Set(endpoints.flatMap((endpoint) => endpoint.profiles));
  const draft = draftOf({ channel, names, profiles, carried });
  for (const document of documents) {
    warnings.push(...(document.warnings ?? []));
    edit(document, draft);
    perform(document.changes ?? [], draft);
  }
  const labelled = draft.tiers.length > 0 ? withLabels(profiles, names) : profiles;
  const state: PolicyState = {
    profiles: labelled,
    endpoints,
    ...(hosts.length > 0 ? { hosts: hosts.map(({ name, address }) => ({ name, addresses: [address] })) } : {}),
    ...(draft.tiers.length > 0 ? { tiers: draft.tiers } : {}),
  };
  problems.push(...draft.problems, ...stateProblems(state));
  if (problems.length > 0) return { ok: false, problems };
  return fine({ state, names, warnings: [...warnings, ...draft.warnings, ...draft.kubernetesWarnings] });
}

/** What stands in the short form. */
function edit(document: PolicyDocument, draft: Draft): void {
  const { channel, profiles, names, problems, warnings } = draft;
  for (const [name, change] of Object.entries(document.profiles)) {
    const path = `profiles.${name}`;
    const at = placeOf(document, path);
    const real = lookUp(name, new Set(profiles.keys()), names);
    if (typeof real !== 'string') {
      problems.push(unknown('profile', name, real, names, [...profiles.keys()], at));
      continue;
    }
    for (const direction of ['inbound', 'outbound'] as const) {
      const rules = change[direction]?.flatMap((text, index): readonly Rule[] => {
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

/** Selectors go by labels, which the plugins do not put on the profile of a network; whoever writes policies does. */
function withLabels(profiles: ReadonlyMap<string, Profile>, names: Names): ReadonlyMap<string, Profile> {
  return new Map(
    [...profiles].map(([name, profile]) => {
      const network = names.get(name);
      if (network === undefined) return [name, profile];
      return [name, { ...profile, labels: { ...networkLabels(network), ...profile.labels } }];
    }),
  );
}

function attach(
  { id, address, networks, host }: Attachment,
  { channel, networks: known, hosts = [] }: PolicySource,
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
  const placed = hosts.some(({ name }) => name === host?.name) ? { host: host!.name } : {};
  return { id, address, profiles: carried, ...placed };
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
