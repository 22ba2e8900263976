import { expect, test } from 'vitest';
import { aws, description, synthesize, type Block } from './synth.ts';

const stack = synthesize(
  description({
    target: { aws: aws({ tags: { team: 'platform ${x}' } }) },
    agents: {
      general: { count: 3, machine: 'm5.xlarge', disk: 100 },
      'general-spot': { count: 30, spot: true, zones: ['us-west-2b'] },
    },
  }),
);
const groups = stack.of('aws_autoscaling_group');
const templates = stack.of('aws_launch_template');

test('a pool is one template and one group, however many its machines', () => {
  expect(Object.keys(groups)).toEqual(['general', 'general-spot']);
  expect(Object.keys(templates)).toEqual(['general', 'general-spot']);
  expect(groups['general-spot']).toMatchObject({
    name: 'test-general-spot',
    min_size: 30,
    max_size: 30,
    desired_capacity: 30,
    vpc_zone_identifier: ['${aws_subnet.us-west-2b.id}'],
  });
  expect(groups['general']).toMatchObject({
    desired_capacity: 3,
    vpc_zone_identifier: ['${aws_subnet.us-west-2a.id}', '${aws_subnet.us-west-2b.id}'],
  });
  expect(templates['general']).toMatchObject({
    instance_type: 'm5.xlarge',
    block_device_mappings: [
      { device_name: '/dev/xvda', ebs: { volume_size: 100, volume_type: 'gp3', encrypted: 'true' } },
    ],
  });
});

test('what a template changes reaches the machines, a few at a time', () => {
  expect(groups['general']).toMatchObject({
    launch_template: {
      id: '${aws_launch_template.general.id}',
      version: '${aws_launch_template.general.latest_version}',
    },
    instance_refresh: { strategy: 'Rolling', preferences: { min_healthy_percentage: 90 } },
  });
});

test('no machine is taken down to even out zones', () => {
  expect(groups['general']!['suspended_processes']).toEqual(['AZRebalance']);
});

test('no machine is given the address of a master', () => {
  expect(groups['general']!['depends_on']).toEqual(
    expect.arrayContaining([1, 2, 3].map((number) => `aws_network_interface.master-${number}`)),
  );
});

test('only the pool that asks for them has spot machines', () => {
  expect(templates['general-spot']!['instance_market_options']).toEqual({ market_type: 'spot' });
  expect(templates['general']).not.toHaveProperty('instance_market_options');
});

test('tags of the description and of the kit are on machines, volumes and interfaces', () => {
  const tags = { team: 'platform $${x}', cluster: 'test', Name: 'test-general', role: 'agent', pool: 'general' };
  const own = (groups['general']!['tag'] as Block[]).map(({ key, value }) => [key, value] as [string, string]);
  expect(Object.fromEntries(own)).toEqual(tags);
  expect((groups['general']!['tag'] as Block[]).every((tag) => tag['propagate_at_launch'] === true)).toBe(true);
  expect(templates['general']!['tag_specifications']).toEqual([
    { resource_type: 'volume', tags },
    { resource_type: 'network-interface', tags },
  ]);
  expect(stack.config['provider']).toMatchObject({
    aws: [{ default_tags: [{ tags: { team: 'platform $${x}', cluster: 'test' } }] }],
  });
});
