/** The Terraform JSON of every scenario, beside the payloads that it carries. */
import { createHash } from 'node:crypto';
import { App } from 'cdktf';
import { describe, expect, test } from 'vitest';
import type { Boot } from '../../../modules/node/boot.ts';
import { literal } from '../../../modules/terraform/literal.ts';
import { AwsStack } from '../../../stacks/aws.ts';
import { GceStack } from '../../../stacks/gce.ts';
import { HostsStack } from '../../../stacks/hosts.ts';
import { expectFolder } from '../../golden-folder.ts';
import { bootsOf, clusterOf, hostScenarios, hostsOf, scenarios, treeOf } from '../../scenarios.ts';

test('there are at least 12 scenarios, of both clouds and both channels', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(12);
  const kinds = scenarios.map((name) => `${clusterOf(name).target.kind} ${clusterOf(name).release.name}`);
  expect(new Set(kinds)).toEqual(new Set(['aws classic', 'aws current', 'gce classic', 'gce current']));
});

describe('the stack is as it was', () => {
  test.each(scenarios)('%s', async (name) => {
    const cluster = clusterOf(name);
    const boots = bootsOf(name);
    const Stack = cluster.target.kind === 'aws' ? AwsStack : GceStack;
    const stack = new Stack(new App({ stackTraces: false }), cluster, boots);
    stack.prepareStack();
    const carried = new Set<string>();
    const text = JSON.stringify(stack.toTerraform(), withoutPayloads(boots, carried), 2);
    // Each group's payload is in the stack, whole and unchanged; as a text it is a golden of its own.
    expect([...carried].sort()).toEqual([...boots.keys()].sort());
    const files = new Map([['terraform/cdk.tf.json', `${text}\n`]]);
    await expectFolder(treeOf(name), files, (path) => path.startsWith('terraform/'));
  });
});

describe('the stack of hosts is as it was', () => {
  test.each(hostScenarios.filter((name) => clusterOf(name).target.kind === 'hosts'))('%s', async (name) => {
    const scripts = hostsOf(name);
    const ways = { folder: '../../..', program: 'dist/verbs/provision.js', file: 'cluster.yaml' };
    const stack = new HostsStack(new App({ stackTraces: false }), clusterOf(name), scripts, ways);
    stack.prepareStack();
    const digests = new Map([...scripts].map(([node, { script }]) => [sha256(script), node]));
    const told = (_: string, value: unknown): unknown =>
      typeof value === 'string' && digests.has(value) ? `SHA-256 of the script of ${digests.get(value)}` : value;
    const text = JSON.stringify(stack.toTerraform(), told, 2);
    for (const node of digests.values()) expect(text).toContain(`"SHA-256 of the script of ${node}"`);
    const files = new Map([['terraform/cdk.tf.json', `${text}\n`]]);
    await expectFolder(treeOf(name), files, (path) => path.startsWith('terraform/'));
  });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Puts the name of its file in the place of a payload, in whatever form it travels. */
function withoutPayloads(boots: ReadonlyMap<string, Boot>, carried: Set<string>) {
  const names = new Map<string, string>();
  for (const [group, { payload }] of boots) {
    const bytes = Buffer.from(payload.gzip ?? payload.text);
    for (const form of [literal(payload.text), bytes.toString('base64')]) names.set(form, group);
  }
  return (_: string, value: unknown): unknown => {
    const group = typeof value === 'string' ? names.get(value) : undefined;
    if (group === undefined) return value;
    carried.add(group);
    return `the payload of ${group}, which lies beside this folder`;
  };
}
