/** The evaluator that the plans of test/deploy are held to: it must not take for closed what it does not understand. */
import { describe, expect, test } from 'vitest';
import { rulesOf } from '../../deploy/aws/rules.ts';
import { reach } from '../../deploy/reach.ts';

const refers = (address: string) => ({ references: [`${address}.id`, address] });
const is = (value: unknown) => ({ constant_value: value });
const groups = (...names: string[]) => ({ references: names.map((name) => `aws_security_group.${name}`) });
const rule = (fields: object) => ({
  type: 'aws_security_group_rule',
  name: 'one',
  expressions: { type: is('ingress'), security_group_id: groups('masters'), ...fields },
});
const machines = [
  {
    type: 'aws_instance',
    name: 'master-1',
    expressions: { network_interface: [{ network_interface_id: refers('aws_network_interface.master-1') }] },
  },
  { type: 'aws_network_interface', name: 'master-1', expressions: { security_groups: groups('masters', 'all') } },
  {
    type: 'aws_launch_template',
    name: 'general',
    expressions: { network_interfaces: [{ security_groups: groups('agents', 'all') }] },
  },
];
const seen = (...more: object[]) => {
  const json = { configuration: { root_module: { resources: [...machines, ...more] } } };
  return reach(rulesOf(json));
};
const tcp = (from: number, to: number) => ({ protocol: is('tcp'), from_port: is(from), to_port: is(to) });

describe('who reaches what is told by pairs', () => {
  test('and one form says it, however many rules do', () => {
    const to = { security_group_id: groups('all'), cidr_blocks: is(['203.0.113.7/32']) };
    expect(
      seen(rule({ ...to, ...tcp(22, 22) }), rule({ ...to, ...tcp(23, 30) }), rule({ ...to, ...tcp(25, 26) })),
    ).toEqual({ '203.0.113.7/32 -> master': 'tcp 22-30', '203.0.113.7/32 -> agent': 'tcp 22-30' });
  });

  test('and a rule for everybody, or for everything, is seen', () => {
    expect(seen(rule({ ...tcp(5050, 5050), cidr_blocks: is(['0.0.0.0/0']), ipv6_cidr_blocks: is(['::/0']) }))).toEqual({
      '0.0.0.0/0 -> master': 'tcp 5050',
      '::/0 -> master': 'tcp 5050',
    });
    expect(
      seen(rule({ protocol: is('-1'), from_port: is(0), to_port: is(0), source_security_group_id: groups('agents') })),
    ).toEqual({ 'agent -> master': 'all' });
    expect(seen(rule({ ...tcp(2380, 2380), self: is(true) }))).toEqual({ 'master -> master': 'tcp 2380' });
  });

  test('and what goes out is no way in', () => {
    expect(seen(rule({ type: is('egress'), protocol: is('-1'), cidr_blocks: is(['0.0.0.0/0']) }))).toEqual({});
  });
});

describe('what is not understood is not taken for closed:', () => {
  test.each([
    [
      'a rule of another kind',
      { type: 'aws_vpc_security_group_ingress_rule', name: 'x', expressions: {} },
      /ingress_rule/,
    ],
    ['rules within a group', { type: 'aws_security_group', name: 'x', expressions: { ingress: is([]) } }, /of its own/],
    ['a protocol', rule({ protocol: is('47'), cidr_blocks: is(['10.0.0.0/8']) }), /protocol 47/],
    [
      'some types of ICMP',
      rule({ protocol: is('icmp'), from_port: is(3), to_port: is(4), cidr_blocks: is(['10.0.0.0/8']) }),
      /some types/,
    ],
    ['a list of prefixes', rule({ ...tcp(22, 22), prefix_list_ids: refers('aws_ec2_managed_prefix_list.x') }), /lists/],
    ['a rule that lets nobody in', rule(tcp(22, 22)), /nobody/],
    [
      'a machine in the default group',
      { type: 'aws_launch_template', name: 'x', expressions: { network_interfaces: [{}] } },
      /default security group/,
    ],
  ])('%s', (_, resource, message) => {
    expect(() => seen(resource)).toThrow(message);
  });
});
