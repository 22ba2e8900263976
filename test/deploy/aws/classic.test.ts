/** A cluster unlike the quick start: release classic by Ignition, three zones, address translation, spot, a key, odd tags. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aws, description } from '../../unit/aws/synth.ts';
import { amiId, flatcar } from '../ground/amis.ts';
import { has, need } from '../ground/ground.ts';
import type { Plain } from '../ground/plain.ts';
import { needs } from '../needs.ts';
import { reach } from '../reach.ts';
import { openAccount, payloads, region, text, type Account, type Deployment } from './account.ts';
import { rulesOf } from './rules.ts';

/** Nothing of it may be evaluated, by cdktf or by Terraform, or get lost on the way. */
const odd = [
  '${aws_vpc.network.id}',
  '$${x}',
  '$$${x}',
  '%{ if true }x%{ endif }',
  '%%{x}',
  '%%%{',
  '$%{$%${%$',
  '${TfToken[TOKEN.0]}',
  '#{TfToken[TOKEN.0]}',
  '&{TfToken[TOKEN.0]}',
  '-8.109562212591379e+298',
  '${file("/etc/hostname")}',
  '"',
  '\\',
  '\\"${x}\\"',
  '\\n\\u0041',
  '{{name}}',
  '$(id)',
  '`id`',
  "'; --",
  '<b>&amp;</b>',
  '$',
  '%',
  '{',
  '}}',
  'ünïcode \u{1f600} 漢字',
  '',
  'x'.repeat(256),
];
const tags = Object.fromEntries(odd.map((value, index) => [`odd ${index}`, value]));

const cluster = (fields: Record<string, unknown> = {}) =>
  description({
    target: {
      aws: aws({
        zones: ['us-west-2a', 'us-west-2b', 'us-west-2c'],
        network: { egress: 'nat' },
        kmsKey: 'alias/aws/ebs',
        tags,
        ...fields,
      }),
    },
    release: 'classic',
    agents: { general: { count: 1 }, 'general-spot': { count: 2, spot: true, zones: ['us-west-2c'] } },
  });

let account: Account;
let one: Deployment;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  account = await openAccount();
  one = account.open(cluster());
  await one.stack.apply();
});
afterAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  await one.stack.close();
  await account.close();
});

test('it stands, and nothing is left to do', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const again = await one.stack.plan();
  expect(again.changes).toEqual([]);
  expect(again.empty).toBe(true);
});

test('its machines are told their payloads byte for byte', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  expect([...one.synthesized.boots.values()].map(({ payload }) => payload.format)).toEqual(
    Array.from({ length: 5 }, () => 'ignition'),
  );
  expect(await one.userData()).toEqual(payloads(one.synthesized));
});

test('its masters are in three zones, and boot from the LTS that knows cgroup v1', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const instances = Object.values(await one.stack.resources()).filter(({ type }) => type === 'aws_instance');
  expect(instances.map(({ values }) => values['availability_zone']).sort()).toEqual([
    'us-west-2a',
    'us-west-2b',
    'us-west-2c',
  ]);
  const newest = Object.keys(flatcar).find((name) => name.startsWith('Flatcar-lts-4081.3.10'))!;
  expect(instances.map(({ values }) => values['ami'])).toEqual(instances.map(() => amiId(newest)));
});

test('no machine has an address on the internet', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const all = await account.list('ec2', 'DescribeAddresses', 'addressesSet');
  expect(all).toHaveLength(1);
  const [nat] = await account.list('ec2', 'DescribeNatGateways', 'natGatewaySet');
  expect(text(nat!, 'natGatewayAddressSet.0.allocationId')).toBe(text(all[0]!, 'allocationId'));
  expect((await one.stack.outputs())['inventory']).toMatchObject({
    masters: [1, 2, 3].map((number) => ({ name: `master-${number}`, publicAddress: null })),
  });
});

test('tags come back as they were written', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const said = async (resource: string) => {
    const all = await account.list('ec2', 'DescribeTags', 'tagSet', {
      'Filter.1.Name': 'resource-id',
      'Filter.1.Value.1': resource,
    });
    return Object.fromEntries(all.map((tag): [string, string] => [text(tag, 'key'), text(tag, 'value')]));
  };
  const resources = await one.stack.resources();
  const id = (address: string) => String(resources[address]!.values['id']);
  const ours = { ...tags, cluster: 'test' };
  expect(await said(id('aws_vpc.network'))).toEqual({ ...ours, Name: 'test-network' });
  expect(await said(id('aws_instance.master-2'))).toEqual({ ...ours, Name: 'test-master-2', role: 'master' });
  expect(await said(id('aws_ebs_volume.master-2-data'))).toEqual({
    ...ours,
    Name: 'test-master-2-data',
    role: 'master',
  });
  const spot = { ...ours, Name: 'test-general-spot', role: 'agent', pool: 'general-spot' };
  const groups = await account.list(
    'autoscaling',
    'DescribeAutoScalingGroups',
    'DescribeAutoScalingGroupsResult.AutoScalingGroups',
    { 'AutoScalingGroupNames.member.1': 'test-general-spot' },
  );
  const own = (groups[0] as { Tags: Plain[] }).Tags;
  expect(Object.fromEntries(own.map((tag): [string, string] => [text(tag, 'Key'), text(tag, 'Value')]))).toEqual(spot);
  const machine = text(groups[0]!, 'Instances.0.InstanceId');
  expect(await said(machine)).toMatchObject(spot);
});

test('it lets through what its software needs, and nothing else', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { json } = await one.stack.plan();
  expect(reach(rulesOf(json))).toEqual(reach(needs(['203.0.113.7/32'])));
});

test('what Ignition reads only once makes a new machine, with the address and the data of the old one', async ({
  skip,
}) => {
  need(skip, 'terraform', 'aws', 'moto');
  one.edit(cluster().replace('operator"', 'somebody else"'));
  const edited = await one.stack.plan();
  const masters = ['master-1', 'master-2', 'master-3'];
  expect(edited.of('replaced')).toEqual([
    ...masters.map((name) => `aws_instance.${name}`),
    ...masters.map((name) => `aws_volume_attachment.${name}-data`),
  ]);
  expect(edited.of('destroyed')).toEqual([]);
  expect(edited.of('added')).toEqual([]);
});

test('it leaves nothing when it is destroyed', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  await one.stack.destroy();
  expect(await account.aws.moto.holds(region)).toEqual([]);
});
