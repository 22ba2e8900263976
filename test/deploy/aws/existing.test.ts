/** A cluster in a VPC that somebody else made, beside what stands there already; by cloud-config. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aws, description } from '../../unit/aws/synth.ts';
import { has, need } from '../ground/ground.ts';
import { needs } from '../needs.ts';
import { reach } from '../reach.ts';
import { openAccount, payloads, region, text as textAt, type Account, type Deployment } from './account.ts';
import { rulesOf } from './rules.ts';

let account: Account;
let one: Deployment;
let vpc: string;
let before: string[];
let text: string;
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  account = await openAccount();
  const { moto } = account.aws;
  vpc = textAt(await moto.call('ec2', 'CreateVpc', { CidrBlock: '10.20.0.0/16' }, region), 'vpc.vpcId');
  const subnet = async (zone: string, cidr: string): Promise<[string, string]> => {
    const asked = { VpcId: vpc, CidrBlock: cidr, AvailabilityZone: zone };
    return [zone, textAt(await moto.call('ec2', 'CreateSubnet', asked, region), 'subnet.subnetId')];
  };
  const subnets = [await subnet('us-west-2a', '10.20.1.0/24'), await subnet('us-west-2b', '10.20.2.0/24')];
  before = await moto.holds(region);
  text = description({
    target: { aws: aws({ network: { vpc, cidr: '10.20.0.0/16', subnets: Object.fromEntries(subnets) } }) },
    // A Mesos that knows cgroup v2, so that machines may boot with cloud-config, which is read on every boot.
    release: { override: { mesos: { version: '1.11.0-0.9.0', image: 'you/mesos:1.11.0-0.9.0' } } },
    masters: { count: 1, addresses: ['10.20.1.10'] },
    agents: { general: { count: 2 } },
  });
  one = account.open(text);
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

test('machines are in the subnets of the VPC, the master with the address that was named', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const reservations = await account.list('ec2', 'DescribeInstances', 'reservationSet');
  const machines = reservations.flatMap((each) => (each as { instancesSet: typeof reservations }).instancesSet);
  expect(machines).toHaveLength(3);
  for (const machine of machines) expect(textAt(machine, 'vpcId')).toBe(vpc);
  expect(machines.map((machine) => textAt(machine, 'privateIpAddress'))).toContain('10.20.1.10');
});

test('it lets through what its software needs, and nothing else', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { json } = await one.stack.plan();
  expect(reach(rulesOf(json))).toEqual(reach(needs(['203.0.113.7/32'])));
});

test('what machines boot from by cloud-config changes in place', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  expect([...one.synthesized.boots.values()].map(({ payload }) => payload.format)).toEqual([
    'cloud-config',
    'cloud-config',
  ]);
  expect(await one.userData()).toEqual(payloads(one.synthesized));
  const edited = one.edit(text.replace('operator"', 'somebody else"'));
  const done = await one.stack.apply();
  expect(done.changes.map(({ kind }) => kind)).toEqual(done.of('changed').map(() => 'changed'));
  expect(done.of('changed')).toEqual([
    'aws_autoscaling_group.general',
    'aws_instance.master-1',
    'aws_launch_template.general',
  ]);
  expect(await one.userData()).toEqual(payloads(edited));
  expect(payloads(edited)).not.toEqual(payloads(one.synthesized));
  expect((await one.stack.plan()).changes).toEqual([]);
});

test('what was there before is there when it is gone, and nothing else', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  expect(before).toHaveLength(3);
  await one.stack.destroy();
  expect(await account.aws.moto.holds(region)).toEqual(before);
});
