/** Policy files without a cluster: a lab with the networks that the files speak of, to ask them what they do. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { readDescription } from '../cluster/read.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { parseExpect } from '../policy/expect.ts';
import { readDocument } from '../policy/read.ts';
import { parseRule } from '../policy/rule.ts';
import { Refusal, type Problem } from '../problem/problem.ts';

/** Two agents: a network then has a task on the same host, and one on another. Throws a Refusal with all problems. */
export function looseCluster(path: string, release: string): Cluster {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.ya?ml$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  const problems: Problem[] = [];
  const documents = files.flatMap((file) => {
    const result = readDocument(readFileSync(file, 'utf8'), file);
    if (result.ok) return [result.value];
    problems.push(...result.problems);
    return [];
  });
  if (problems.length > 0) throw new Refusal(problems);
  if (documents.length === 0) {
    throw new Refusal([
      {
        code: 'no-policies',
        what: `${path} holds no policies.`,
        rule: 'a folder stands for its *.yaml files, in the order of their names.',
        example: 'policies/stars',
      },
    ]);
  }
  const networks = Object.fromEntries([...new Set(documents.flatMap(networksIn))].map((name) => [name, {}]));
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
  return { ...cluster, policies: files };
}

/** Networks by the profiles, tags and expectations that name them. */
function networksIn({ profiles, expect }: PolicyDocument): string[] {
  const rules = Object.values(profiles).flatMap(({ inbound = [], outbound = [] }) => [...inbound, ...outbound]);
  return [
    ...Object.keys(profiles),
    ...rules.flatMap((text) => {
      const rule = parseRule(text);
      return rule.ok ? [rule.value.from.tag, rule.value.to.tag].filter((tag) => tag !== undefined) : [];
    }),
    ...expect.flatMap(({ text }) => {
      const parsed = parseExpect(text);
      return parsed.ok ? [parsed.value.from, parsed.value.to] : [];
    }),
  ];
}
