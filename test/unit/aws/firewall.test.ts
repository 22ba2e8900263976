import { expect, test } from 'vitest';
import { description, synthesize, type Block } from './synth.ts';

const rules = (adminCidrs: readonly string[]) => {
  const { access } = JSON.parse(description()) as { access: object };
  return synthesize(description({ access: { ...access, adminCidrs } })).of('aws_security_group_rule');
};
const inbound = (all: Readonly<Record<string, Block>>, group: string) =>
  Object.values(all).filter(
    (rule) => rule['type'] === 'ingress' && rule['security_group_id'] === `\${aws_security_group.${group}.id}`,
  );

test('a range of administrators more only adds rules, named after it', () => {
  const [one, two] = [rules(['203.0.113.7/32']), rules(['2001:db8::/48', '203.0.113.7/32'])];
  for (const [name, rule] of Object.entries(one)) expect(two[name], name).toEqual(rule);
  const added = Object.keys(two).filter((name) => !(name in one));
  expect(added.sort()).toEqual([
    'agents-mesos-agent-from-2001-db8--_48',
    'agents-ssh-from-2001-db8--_48',
    'masters-marathon-from-2001-db8--_48',
    'masters-mesos-master-from-2001-db8--_48',
    'masters-ssh-from-2001-db8--_48',
  ]);
  expect(two['masters-ssh-from-2001-db8--_48']).toMatchObject({ ipv6_cidr_blocks: ['2001:db8::/48'] });
  expect(two['masters-ssh-from-2001-db8--_48']).not.toHaveProperty('cidr_blocks');
});

test('a range that is written in two ways is one rule', () => {
  const own = '203.0.113.7/32';
  expect(rules([own, '2001:DB8:0::/48', '2001:db8::/48'])).toEqual(rules([own, '2001:db8::/48']));
});

test('as many ranges as preflight takes without a word have room in a security group', () => {
  const ranges = (count: number) => Array.from({ length: count }, (_, index) => `198.51.100.${index}/32`);
  expect(inbound(rules(ranges(12)), 'masters')).toHaveLength(60);
  expect(inbound(rules(ranges(13)), 'masters').length).toBeGreaterThan(60);
});

test('IP-in-IP is protocol 4 with ports of 0, as AWS has it for protocols without ports', () => {
  expect(rules(['203.0.113.7/32'])['agents-ipip-from-masters']).toMatchObject({
    protocol: '4',
    from_port: 0,
    to_port: 0,
    source_security_group_id: '${aws_security_group.masters.id}',
  });
});

test('a cluster whose name begins as an id of AWS does has security groups all the same', () => {
  const groups = synthesize(description({ name: 'sg-one' })).of('aws_security_group');
  expect(Object.values(groups).map((group) => group['name'])).toEqual(['masters-sg-one', 'agents-sg-one']);
});
