import { describe, expect, test } from 'vitest';
import { subjectText, typeOf } from '../../../modules/terraform/subject.ts';

const pools = ['general', 'general-spot', 'agents', 'network'];
const text = (address: string): string => subjectText(address, pools);

describe('a resource belongs', () => {
  test('to the master whose name it has, alone or with more behind it', () => {
    expect(text('aws_instance.master-1')).toBe('node master-1');
    expect(text('aws_ebs_volume.master-2-data')).toBe('node master-2');
    expect(text('google_compute_instance.master-12')).toBe('node master-12');
    expect(text('module.x[0].aws_instance.master-3["a.b"]')).toBe('node master-3');
  });

  test('to the pool whose name it has; of two, to the one with the longer name', () => {
    expect(text('aws_autoscaling_group.general')).toBe('pool general');
    expect(text('aws_launch_template.general-spot')).toBe('pool general-spot');
    expect(text('google_compute_instance_template.general_6F1A')).toBe('pool general');
  });

  test('to the machine that is its key, where no provider makes machines', () => {
    expect(text('terraform_data.agent["a1"]')).toBe('node a1');
    expect(text('terraform_data.agents["general-1"]')).toBe('node general-1');
    expect(text('terraform_data.master-1')).toBe('node master-1');
    expect(text('terraform_data.install')).toBe('terraform_data.install');
  });

  test('to nobody, where all nodes share it, whatever a pool is called', () => {
    for (const address of [
      'aws_vpc.network',
      'google_compute_network.network',
      'aws_security_group.agents',
      'aws_security_group_rule.agents-bgp-from-masters',
      'google_compute_firewall.agents-ssh',
      'aws_subnet.us-west-2a',
      'aws_security_group.masters',
      'aws_launch_template.generality',
      'aws_instance.master-x',
    ])
      expect(text(address)).toBe(address);
  });

  test('to a pool that is called as a master begins', () => {
    expect(subjectText('aws_autoscaling_group.master-1-like', ['master-1-like'])).toBe('pool master-1-like');
    expect(subjectText('aws_instance.master-1', ['master'])).toBe('node master-1');
  });
});

test('the type of a resource is told whatever its key holds', () => {
  expect(typeOf('aws_instance.master-1')).toBe('aws_instance');
  expect(typeOf('module.m["x.y"].aws_vpc.network[3]')).toBe('aws_vpc');
});
