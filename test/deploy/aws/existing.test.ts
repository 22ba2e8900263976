/** A cluster in a VPC that somebody else made, beside what stands there already. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aws, description } from '../../unit/aws/synth.ts';
import { has, need } from '../ground/ground.ts';
import { needs } from '../needs.ts';
import { reach } from '../reach.ts';
import { openAccount, region, text, type Account, type Deployment } from './account.ts';
import { rulesOf } from './rules.ts';

let account: Account;
let one: Deployment;
let vpc: string;
let before: string[];
beforeAll(async () => {
  if (!has('terraform', 'aws', 'moto')) return;
  account = await openAccount();
  const { moto } = account.aws;
  vpc = text(await moto.call('ec2', 'CreateVpc', { CidrBlock: '10.20.0.0/16' }, region), 'vpc.vpcId');
  const subnet = async (zone: string, cidr: string): Promise<[string, string]> => {
    const asked = { VpcId: vpc, CidrBlock: cidr, AvailabilityZone: zone };
    return [zone, text(await moto.call('ec2', 'CreateSubnet', asked, region), 'subnet.subnetId')];
  };
  const subnets = [await subnet('us-west-2a', '10.20.1.0/24'), await subnet('us-west-2b', '10.20.2.0/24')];
  before = await moto.holds(region);
  one = account.open(
    description({
      target: { aws: aws({ network: { vpc, cidr: '10.20.0.0/16', subnets: Object.fromEntries(subnets) } }) },
      masters: { count: 1, addresses: ['10.20.1.10'] },
      agents: { general: { count: 2 } },
    }),
  );
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
  for (const machine of machines) expect(text(machine, 'vpcId')).toBe(vpc);
  expect(machines.map((machine) => text(machine, 'privateIpAddress'))).toContain('10.20.1.10');
});

test('it lets through what its software needs, and nothing else', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { json } = await one.stack.plan();
  expect(reach(rulesOf(json))).toEqual(reach(needs(['203.0.113.7/32'])));
});

test('what was there before is there when it is gone, and nothing else', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  expect(before).toHaveLength(3);
  await one.stack.destroy();
  expect(await account.aws.moto.holds(region)).toEqual(before);
});
