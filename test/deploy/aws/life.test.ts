/** The life of the quick start's cluster: it is made, edited and destroyed. One apply serves all tests of the file. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aws, description } from '../../unit/aws/synth.ts';
import { amiId } from '../ground/amis.ts';
import { has, need } from '../ground/ground.ts';
import type { Plan } from '../ground/stack.ts';
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

/** Plans an edit, and forgets it. */
async function plan(blocks: Record<string, unknown>): Promise<Plan> {
  one.edit(description(blocks));
  try {
    return await one.stack.plan();
  } finally {
    one.edit(description());
  }
}

/** What each machine of a group was told. */
async function agentsTold(name: string): Promise<string[]> {
  const path = 'DescribeAutoScalingGroupsResult.AutoScalingGroups.0.Instances';
  const machines = await account.list('autoscaling', 'DescribeAutoScalingGroups', path, {
    'AutoScalingGroupNames.member.1': name,
  });
  return Promise.all(machines.map((each) => account.told(text(each, 'InstanceId'))));
}

const group = (name: string) => `aws_autoscaling_group.${name}`;
const template = (name: string) => `aws_launch_template.${name}`;
const masters = ['master-1', 'master-2', 'master-3'].map((name) => `aws_instance.${name}`);
/** What goes with a master that is made anew: neither its interface nor its volume. */
const remade = [
  ...masters,
  ...['master-1', 'master-2', 'master-3'].map((name) => `aws_volume_attachment.${name}-data`),
];
/** Of the channel that the quick start takes. */
const image = { older: 'Flatcar-lts-4081.3.6-hvm', newest: 'Flatcar-lts-4081.3.10-hvm' };

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
    const { json } = await plan({ access: { ...access, adminCidrs: admins } });
    expect(reach(rulesOf(json))).toEqual(reach(needs(admins)));
  });
});

const { access, networks } = JSON.parse(description()) as { access: object; networks: object };

describe('an edit does no more than it must', () => {
  test('one more agent changes one group in place', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { changes } = await plan({ agents: { general: { count: 4 } } });
    expect(changes.map(({ address, kind }) => [kind, address])).toEqual([['changed', group('general')]]);
  });

  test('a pool more only adds', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const { changes } = await plan({ agents: { general: { count: 3 }, spare: { count: 2, spot: true } } });
    expect(changes.map(({ address, kind }) => [kind, address]).sort()).toEqual([
      ['added', group('spare')],
      ['added', template('spare')],
    ]);
  });

  test('a network more replaces and destroys nothing', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({ networks: { ...networks, backend: {} } });
    expect(edited.of('replaced')).toEqual([]);
    expect(edited.of('destroyed')).toEqual([]);
    expect(edited.of('added')).toEqual([]);
    expect(edited.of('changed')).toContain(template('general'));
    expect(edited.of('changed')).toContain(group('general'));
  });

  test('two masters more make the others anew, who read their names once; addresses and data stay', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({ masters: { count: 5 } });
    expect(edited.of('replaced')).toEqual(remade);
    expect(edited.of('destroyed')).toEqual([]);
    expect(edited.of('added').filter((address) => address.startsWith('aws_instance.'))).toEqual([
      'aws_instance.master-4',
      'aws_instance.master-5',
    ]);
    expect(edited.of('changed')).toEqual([group('general'), template('general')]);
  });

  test('a range of administrators more only adds rules', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({ access: { ...access, adminCidrs: ['203.0.113.7/32', '198.51.100.0/24'] } });
    expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('added').map(() => 'added'));
    expect(edited.of('added').every((address) => address.endsWith('-from-198-51-100-0_24'))).toBe(true);
  });

  test('another machine type changes masters and the template in place', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({
      masters: { count: 3, machine: 'm5.large' },
      agents: { general: { count: 3, machine: 'm5.xlarge' } },
    });
    expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('changed').map(() => 'changed'));
    expect(edited.of('changed')).toEqual([group('general'), ...masters, template('general')]);
  });

  test('another tag, or protection, changes in place', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({ target: { aws: aws({ tags: { team: 'platform' } }) }, protect: true });
    expect(edited.changes.map(({ kind }) => kind)).toEqual(edited.of('changed').map(() => 'changed'));
    expect(edited.of('changed')).toContain('aws_instance.master-1');
  });

  test('a newer image of Flatcar changes nothing', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const name = 'Flatcar-lts-4081.3.12-hvm';
    account.aws.moto.publish(name, '2027-01-05T10:00:00.000Z');
    const again = await one.stack.plan();
    // The look-up finds it.
    expect(JSON.stringify(again.json['prior_state'])).toContain(amiId(name));
    expect(again.changes).toEqual([]);
    expect(again.empty).toBe(true);
  });

  test('an image that the description names replaces masters, not their addresses and data, and is for new agents', async ({
    skip,
  }) => {
    need(skip, 'terraform', 'aws', 'moto');
    const edited = await plan({ target: { aws: aws({ image: amiId(image.older) }) } });
    expect(edited.of('replaced')).toEqual(remade);
    expect(edited.changes.find(({ address }) => address === masters[0])?.because).toEqual(['ami']);
    expect(edited.of('changed')).toEqual([group('general'), template('general')]);
    expect(edited.of('added')).toEqual([]);
    expect(edited.of('destroyed')).toEqual([]);
  });

  test('the image that machines have already, named, changes nothing', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    expect((await plan({ target: { aws: aws({ image: amiId(image.newest) }) } })).changes).toEqual([]);
  });

  test('a protected cluster cannot lose a master', async ({ skip }) => {
    need(skip, 'terraform', 'aws', 'moto');
    await expect(plan({ target: { aws: aws({ image: amiId(image.older) }) }, protect: true })).rejects.toThrow(
      'prevent_destroy',
    );
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
