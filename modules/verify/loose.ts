/** Policy files without a cluster: a lab with the networks that the files speak of, to ask them what they do. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { readDescription } from '../cluster/read.ts';
import type { Change } from '../policy/change.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { parseExpect } from '../policy/syntax/expect.ts';
import { felixOf } from '../policy/felix.ts';
import type { Rule } from '../policy/model.ts';
import { readDocument } from '../policy/syntax/read.ts';
import { parseRule } from '../policy/syntax/rule.ts';
import { Refusal, type Problem } from '../problem/problem.ts';
import { channels } from '../release/channels.ts';
import type { Declared } from './documents.ts';
import { isRegular, readGiven } from './given.ts';

/** Two agents: a network then has a task on the same host, and one on another. Throws a Refusal with all problems. */
export function looseCluster(path: string, release: string): Declared {
  const files = filesOf(path);
  const channel = Object.values(channels).find(({ name }) => name === release);
  const problems: Problem[] = [];
  const documents = files.flatMap((file) => {
    const result = readDocument(readGiven(file), file, channel && felixOf(channel));
    if (result.ok) return [result.value];
    problems.push(...result.problems);
    return [];
  });
  if (problems.length > 0) throw new Refusal(problems);
  const networks = networksOf(documents);
  if (documents.length === 0 || Object.keys(networks).length === 0) throw new Refusal([noNetworks(path, documents)]);
  const description = {
    name: 'policy',
    target: { lab: {} },
    release,
    agents: { general: { count: 2, containerizers: ['docker'] } },
    networks,
    policies: [resolve(path)],
  };
  const { cluster, problems: refused } = readDescription(path, JSON.stringify(description));
  if (cluster === undefined) throw new Refusal(refused);
  return { cluster: { ...cluster, policies: files, release: literally(cluster.release, documents) }, documents };
}

/** A folder stands for its files, in the order of their names. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name))
    .filter(isRegular);
}

function noNetworks(path: string, documents: readonly PolicyDocument[]): Problem {
  if (documents.length === 0) {
    return {
      code: 'no-policies',
      what: `${path} holds no policies.`,
      rule: 'a folder stands for its *.yaml and *.json files, in the order of their names.',
      example: 'policies/stars',
    };
  }
  return {
    code: 'no-networks',
    what: `${path} names no networks, so there is nobody to ask about.`,
    rule: 'Networks are those whose profiles are named, and the pods of Kubernetes; a selector names nobody.',
    remedy: 'ask with a cluster (npm run policy check NAME), or add the pods to the file: kind: Pod, with its labels',
  };
}

/**
 * Where files speak of profiles by the names that these have in the datastore, the profile of a network is called like it;
 * else each would be another than the one of the Docker network of that name.
 */
function literally(release: Cluster['release'], documents: readonly PolicyDocument[]): Cluster['release'] {
  const literal = documents.some(({ changes = [] }) =>
    changes.some(({ kind }) => kind === 'command' || kind === 'profile'),
  );
  return literal ? { ...release, docker: { ...release.docker, profileName: 'network name' } } : release;
}

interface Network {
  readonly group?: string;
}

/** Networks by the profiles, tags, pods and expectations that name them. */
function networksOf(documents: readonly PolicyDocument[]): Readonly<Record<string, Network>> {
  const found = new Map<string, Network>();
  const add = (name: string, network: Network = {}) => found.set(name, { ...found.get(name), ...network });
  for (const { profiles, changes = [], expect } of documents) {
    for (const [name, { inbound = [], outbound = [] }] of Object.entries(profiles)) {
      add(name);
      const rules = [...inbound, ...outbound].map((text) => parseRule(text));
      for (const tag of tagsIn(rules.flatMap((rule) => (rule.ok ? [rule.value] : [])))) add(tag);
    }
    for (const change of changes) for (const [name, network] of named(change)) add(name, network);
    for (const { text } of expect) {
      const parsed = parseExpect(text);
      if (parsed.ok) for (const name of [parsed.value.from, parsed.value.to]) add(name);
    }
  }
  return Object.fromEntries(found);
}

function named(change: Change): readonly (readonly [name: string, network?: Network])[] {
  switch (change.kind) {
    case 'command': {
      const { command } = change;
      return [[command.profile], ...tagsIn('rule' in command ? [command.rule] : []).map((tag) => [tag] as const)];
    }
    case 'rules': {
      const { profile, inbound, outbound } = change;
      return [[profile], ...tagsIn([...inbound, ...outbound]).map((tag) => [tag] as const)];
    }
    case 'profile':
      return [[change.profile.name]];
    case 'pod':
      return [[change.pod.name, { group: change.pod.namespace }]];
    case 'policy':
    case 'namespace':
    case 'network policy':
      return [];
  }
}

function tagsIn(rules: readonly Rule[]): readonly string[] {
  return rules.flatMap(({ from, to }) => [from.tag, to.tag].filter((tag) => tag !== undefined));
}
