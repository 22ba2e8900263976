/** The life of the quick start's cluster: it is made, changed and destroyed. One apply serves all tests of the file. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { description } from '../../unit/aws/synth.ts';
import { has, need } from '../ground/ground.ts';
import { needs } from '../needs.ts';
import { reach } from '../reach.ts';
import { openAccount, payloads, region, text, type Account, type Deployment } from './account.ts';
import { rulesOf } from './rules.ts';

let account: Account;
let one: Deployment;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  account = await openAccount();
  one = account.open(description());
  await one.stack.apply();
});
afterAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  await one.stack.close();
  await account.close();
});

/** What each machine of a group was told. */
async function agentsTold(name: string): Promise<string[]> {
  const path = 'DescribeAutoScalingGroupsResult.AutoScalingGroups.0.Instances';
  const machines = await account.list('autoscaling', 'DescribeAutoScalingGroups', path, {
    'AutoScalingGroupNames.member.1': name,
  });
  return Promise.all(machines.map((each) => account.told(text(each, 'InstanceId'))));
}

const { access, networks } = JSON.parse(description()) as { access: object; networks: object };

describe('the quick start stands', () => {
  test('and nothing is left to do', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    expect(await one.stack.validate()).toEqual([]);
    const again = await one.stack.plan();
    expect(again.changes).toEqual([]);
    expect(again.empty).toBe(true);
    expect(again.drifted).toEqual([]);
  });

  test('and what somebody changes behind its back is named, and nothing else', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { id, tags } = (await one.stack.resources())['aws_vpc.network']!.values as {
      id: string;
      tags: { Name: string };
    };
    const tag = { 'ResourceId.1': id, 'Tag.1.Key': 'Name' };
    await account.aws.moto.call('ec2', 'CreateTags', { ...tag, 'Tag.1.Value': 'mine now' }, region);
    try {
      const again = await one.stack.plan();
      expect(again.drifted).toEqual([{ address: 'aws_vpc.network', attributes: ['tags', 'tags_all'] }]);
      expect(again.of('changed')).toEqual(['aws_vpc.network']);
    } finally {
      await account.aws.moto.call('ec2', 'CreateTags', { ...tag, 'Tag.1.Value': tags.Name }, region);
    }
  });

  test('and its machines are told their payloads byte for byte', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    expect(payloads(one.synthesized).size).toBe(4);
    expect(await one.userData()).toEqual(payloads(one.synthesized));
  });

  test('and its masters have the addresses that every payload names', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const resources = await one.stack.resources();
    for (const { name, address } of one.synthesized.cluster.nodes.filter(({ role }) => role === 'master')) {
      const port = String(resources[`aws_network_interface.${name}`]!.values['id']);
      const [said] = await account.list('ec2', 'DescribeNetworkInterfaces', 'networkInterfaceSet', {
        'NetworkInterfaceId.1': port,
      });
      expect(text(said!, 'privateIpAddress')).toBe(address);
      expect(text(said!, 'attachment.instanceId')).toBe(resources[`aws_instance.${name}`]!.values['id']);
    }
  });

  test('and its outputs name addresses that are there', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { ssh, inventory } = (await one.stack.outputs()) as {
      ssh: Record<string, string>;
      inventory: { masters: { name: string; publicAddress: string }[]; pools: { group: string }[] };
    };
    const addresses = await account.list('ec2', 'DescribeAddresses', 'addressesSet');
    const known = addresses.map((each) => text(each, 'publicIp')).sort();
    expect(inventory.masters.map(({ publicAddress }) => publicAddress).sort()).toEqual(known);
    expect(Object.values(ssh)).toEqual(inventory.masters.map((master) => `ssh core@${master.publicAddress}`));
    const [made] = await account.list(
      'autoscaling',
      'DescribeAutoScalingGroups',
      'DescribeAutoScalingGroupsResult.AutoScalingGroups',
      { 'AutoScalingGroupNames.member.1': inventory.pools[0]!.group },
    );
    expect(text(made!, 'DesiredCapacity')).toBe('3');
  });

  test('and lets through what its software needs, and nothing else', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const admins = ['203.0.113.7/32', '2001:db8::/48'];
    one.edit(description({ access: { ...access, adminCidrs: admins } }));
    try {
      expect(reach(rulesOf((await one.stack.plan()).json))).toEqual(reach(needs(admins)));
    } finally {
      one.edit(description());
    }
  });
});

test('an agent and a network more are made in place, and nothing is left to do', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const before = await one.stack.resources();
  const edited = one.edit(description({ agents: { general: { count: 4 } }, networks: { ...networks, backend: {} } }));
  await one.stack.apply();
  expect((await one.stack.plan()).changes).toEqual([]);
  const after = await one.stack.resources();
  const ids = (of: typeof before) =>
    Object.fromEntries(Object.values(of).map((each) => [each.address, each.values['id']]));
  expect(ids(after)).toEqual(ids(before));
  expect(await one.userData()).toEqual(payloads(edited));
  expect(await agentsTold('test-general')).toEqual(Array.from({ length: 4 }, () => payloads(edited).get('general')));
});

test('it leaves nothing when it is destroyed', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  await one.stack.destroy();
  expect(await account.aws.moto.holds(region)).toEqual([]);
});
