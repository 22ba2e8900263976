/** What Terraform makes, in which order, and what it makes anew. */
import { App, TerraformStack } from 'cdktf';
import { expect, test } from 'vitest';
import { machines, onVagrant, type Machine, type Machines } from '../../../modules/vagrant/machines.ts';
import { made } from '../../../modules/vagrant/made.ts';
import { clusterOf, hostsOf } from '../../scenarios.ts';

const name = 'vagrant-three-masters';
const all = machines(onVagrant(clusterOf(name)), hostsOf(name));

interface Resource {
  readonly depends_on?: readonly string[];
  readonly for_each?: Readonly<Record<string, unknown>>;
  readonly triggers_replace: unknown;
  readonly provisioner: readonly { readonly 'local-exec': Readonly<Record<string, unknown>> }[];
}

function resources(of: Machines): Readonly<Record<string, Resource>> {
  const stack = new TerraformStack(new App({ stackTraces: false }), 'test');
  made(stack, of, '../../..');
  stack.prepareStack();
  return (stack.toTerraform() as { resource: { terraform_data: Record<string, Resource> } }).resource.terraform_data;
}

/** The machines, with one of them changed. */
const changed = (which: string, change: Partial<Machine>): Machines => ({
  ...all,
  machines: all.machines.map((machine) => (machine.name === which ? { ...machine, ...change } : machine)),
});

/** What differs between what was made and what would be. */
const differing = (before: Machines, after: Machines): readonly string[] => {
  const [old, now] = [resources(before), resources(after)];
  return Object.keys(now).flatMap((key) => {
    const [a, b] = [old[key]!, now[key]!];
    if (b.for_each === undefined)
      return JSON.stringify(a.triggers_replace) === JSON.stringify(b.triggers_replace) ? [] : [key];
    const keys = new Set([...Object.keys(a.for_each ?? {}), ...Object.keys(b.for_each)]);
    return [...keys]
      .filter((each) => JSON.stringify(a.for_each?.[each]) !== JSON.stringify(b.for_each?.[each]))
      .map((each) => `${key}.${each}`);
  });
};

test('masters one after the other, then all agents, then the nodes in the same order', () => {
  const found = resources(all);
  const after = Object.fromEntries(Object.entries(found).map(([key, { depends_on: on = [] }]) => [key, on]));
  const of = (key: string): string => `terraform_data.${key}`;
  expect(after).toEqual({
    'master-1': [],
    'master-2': [of('master-1')],
    'master-3': [of('master-2')],
    agents: [of('master-3')],
    'master-1-node': [of('master-1'), of('master-2'), of('master-3'), of('agents')],
    'master-2-node': [of('master-1-node')],
    'master-3-node': [of('master-2-node')],
    'agents-node': [of('master-3-node')],
  });
  expect(Object.keys(found['agents']!.for_each!)).toEqual(['batch-1', 'general-1', 'general-2']);
});

test('a script that differs is run again, on its machine alone, which stays', () => {
  expect(differing(all, changed('general-2', { digest: 'other' }))).toEqual(['agents-node.general-2']);
  expect(differing(all, changed('master-2', { digest: 'other' }))).toEqual(['master-2-node']);
});

test('another size or address makes that machine anew', () => {
  expect(differing(all, changed('batch-1', { memory: 4096 }))).toEqual(['agents.batch-1']);
  expect(differing(all, changed('master-3', { address: '192.168.120.40' }))).toEqual(['master-3']);
});

test.each([
  ['name', { name: 'other' }],
  ['url', { url: 'https://boxes.example.com/other.box' }],
  ['version', { version: '8.11' }],
  ['sha256', { sha256: 'f'.repeat(64) }],
])('another %s of the box makes all machines anew', (_, part) => {
  const found = differing(all, { ...all, box: { ...all.box, ...part } });
  expect(found).toEqual(['master-1', 'master-2', 'master-3', 'agents.batch-1', 'agents.general-1', 'agents.general-2']);
});

test('an agent fewer touches no other', () => {
  const fewer = { ...all, machines: all.machines.filter(({ name: one }) => one !== 'general-1') };
  expect(differing(all, fewer)).toEqual(['agents.general-1', 'agents-node.general-1']);
});

test('a destroy knows its machine from its own resource, and the description that it was made of', () => {
  for (const key of ['master-1', 'agents']) {
    const [up, destroy] = resources(all)[key]!.provisioner.map((one) => one['local-exec']);
    expect(up).toMatchObject({ command: 'vagrant up --no-provision ${self.input.name}' });
    expect(destroy).toMatchObject({ when: 'destroy', command: 'vagrant destroy --force ${self.input.name}' });
    expect(destroy).toMatchObject({ working_dir: '../../..', environment: { CLUSTER: all.file, VAGRANT_CWD: '.' } });
  }
});
