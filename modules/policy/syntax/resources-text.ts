/**
 * Writes profiles and policies as `calicoctl apply -f` of calicoctl 1.x takes them; resources.ts reads them again.
 *
 *     formatResources(state) -> { text, problems }
 *
 * The text has the profiles and then the policies of the tier `default`, each by name, one YAML document each. What
 * calicoctl cannot be told is left out and named in a problem: another tier, a profile with a fault, and whatever
 * resources.ts would not read again as the same.
 */
import { stringify } from 'yaml';
import type { Problem } from '../../problem/problem.ts';
import { canonicalNet } from '../address6.ts';
import type { IcmpMatch, Peer, PeerMatch, Policy, PolicyState, Profile, Rule } from '../model.ts';
import { readResource } from './resources.ts';
import { Sheet } from './sheet.ts';
import { composeYaml } from './yaml.ts';

export interface ResourcesText {
  readonly text: string;
  readonly problems: readonly Problem[];
}

const rule = 'calicoctl 1.x has profiles, and policies of one tier, with the matches that it knows.';

export function formatResources({ profiles, tiers = [] }: Pick<PolicyState, 'profiles' | 'tiers'>): ResourcesText {
  const problems: Problem[] = [];
  const documents: string[] = [];
  const add = (what: string, text: string) => {
    const fault = faultOf(text);
    if (fault === undefined) documents.push(text);
    else problems.push(unsayable(`${what} is left out: ${fault}`));
  };
  for (const profile of byName([...profiles.values()])) {
    const what = `The profile "${profile.name}"`;
    if (profile.fault === undefined) add(what, profileText(profile));
    else problems.push(unsayable(`${what} is left out: ${profile.fault}.`));
  }
  for (const { name, policies } of byName(tiers)) {
    if (name === 'default') {
      for (const policy of byName(policies)) add(`The policy "${policy.name}"`, policyText(policy));
    } else if (policies.length > 0) {
      problems.push(unsayable(`The tier "${name}" is left out: calicoctl 1.x knows only the tier "default".`));
    }
  }
  return { text: documents.join('---\n'), problems };
}

function unsayable(what: string): Problem {
  return { code: 'not-for-calicoctl', what, rule };
}

/** Why the text would not be read again as what it was made of. */
function faultOf(text: string): string | undefined {
  const { documents, lines } = composeYaml(text);
  const yaml = documents[0]!;
  const sheet = new Sheet(text, 'resource', lines, yaml);
  const [change] = readResource(sheet, yaml.contents, '');
  const [problem] = [...yaml.errors.map((error) => sheet.yamlProblem(error)), ...sheet.problems];
  if (problem !== undefined) return `at ${problem.at?.path ?? ''}: ${problem.what}`;
  const same =
    (change?.kind === 'profile' && profileText(change.profile) === text) ||
    (change?.kind === 'policy' && policyText(change.policy) === text);
  return same ? undefined : 'it would be read as another one.';
}

function profileText({ name, tags, labels, inbound, outbound }: Profile): string {
  return document({
    apiVersion: 'v1',
    kind: 'profile',
    metadata: { name, tags, ...(labels && { labels: Object.fromEntries(byKey(labels)) }) },
    // Both lists, also where they are empty: nothing is dropped unsaid.
    spec: { ingress: inbound.map(ruleToResource), egress: outbound.map(ruleToResource) },
  });
}

function policyText({ name, order, selector, directions, inbound, outbound }: Policy): string {
  const types = (directions ?? (['inbound', 'outbound'] as const)).map((one) =>
    one === 'inbound' ? 'ingress' : 'egress',
  );
  return document({
    apiVersion: 'v1',
    kind: 'policy',
    metadata: { name },
    spec: {
      ...(order === undefined ? {} : { order }),
      selector,
      // With rules for both it is for both; the key is unknown to calicoctl 1.5 and before.
      ...(directions === undefined && inbound.length > 0 && outbound.length > 0 ? {} : { types }),
      ingress: inbound.map(ruleToResource),
      egress: outbound.map(ruleToResource),
    },
  });
}

/** calicoctl reads YAML 1.1: the quotes are those that are needed there. */
function document(resource: object): string {
  return stringify(resource, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

function ruleToResource({ action, ipVersion, protocol, icmp, from, to, not }: Rule): object {
  const [source, destination] = [peerToResource(from), peerToResource(to)];
  return {
    action: action === 'next-tier' ? 'pass' : action,
    ...(ipVersion === undefined ? {} : { ipVersion }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(icmp === undefined ? {} : { icmp: icmpToResource(icmp) }),
    ...(not?.protocol === undefined ? {} : { notProtocol: not.protocol }),
    ...(not?.icmp === undefined ? {} : { notICMP: icmpToResource(not.icmp) }),
    ...(Object.keys(source).length === 0 ? {} : { source }),
    ...(Object.keys(destination).length === 0 ? {} : { destination }),
  };
}

function icmpToResource({ type, code }: IcmpMatch): object {
  return { type, ...(code === undefined ? {} : { code }) };
}

function peerToResource(peer: Peer): object {
  const not = Object.entries(matchToResource(peer.not ?? {}));
  return {
    ...matchToResource(peer),
    ...Object.fromEntries(not.map(([key, value]) => [`not${key.charAt(0).toUpperCase()}${key.slice(1)}`, value])),
  };
}

function matchToResource({ tag, selector, cidr, ports = [] }: PeerMatch): object {
  return {
    ...(tag === undefined ? {} : { tag }),
    ...(cidr === undefined ? {} : { nets: [canonicalNet(cidr) ?? cidr] }),
    ...(selector === undefined ? {} : { selector }),
    // An empty list means every port, which calicoctl says by saying nothing.
    ...(ports.length === 0 ? {} : { ports: ports.map(({ from, to }) => (from === to ? from : `${from}:${to}`)) }),
  };
}

function byName<T extends { readonly name: string }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function byKey(labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}
