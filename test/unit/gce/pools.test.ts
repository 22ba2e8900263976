import { describe, expect, test } from 'vitest';
import { description, gce, synthesize, type Block } from './synth.ts';

const agents = {
  general: { count: 4 },
  spare: { count: 2, spot: true, zones: ['us-central1-b'], machine: 'n2-standard-4', disk: 100 },
};
const stack = synthesize(description({ agents }));
const managers = stack.of('google_compute_region_instance_group_manager');
const templates = stack.of('google_compute_instance_template');

describe('a pool', () => {
  test('is a group over its own zones, of as many machines as it counts', () => {
    expect(managers['general']).toMatchObject({
      name: 'test-general',
      base_instance_name: 'test-general',
      region: 'us-central1',
      distribution_policy_zones: ['us-central1-a', 'us-central1-b', 'us-central1-c'],
      target_size: 4,
      version: [{ instance_template: '${google_compute_instance_template.general.self_link}' }],
    });
    expect(managers['spare']).toMatchObject({ distribution_policy_zones: ['us-central1-b'], target_size: 2 });
  });

  // Google refuses anything between: https://cloud.google.com/compute/docs/instance-groups/updating-migs
  test('is renewed a zone-full at a time, never fewer than there are zones', () => {
    for (const one of Object.values(managers)) {
      const policy = one['update_policy'] as Record<string, number>;
      const zones = (one['distribution_policy_zones'] as string[]).length;
      const limits = [policy['max_surge_fixed']!, policy['max_unavailable_fixed']!];
      expect(limits.every((limit) => limit === 0 || limit >= zones)).toBe(true);
      expect(Math.max(...limits)).toBeGreaterThan(0);
      expect(policy).toMatchObject({
        type: 'PROACTIVE',
        minimal_action: 'REPLACE',
        instance_redistribution_type: 'NONE',
      });
    }
  });

  test('gets no machine before the addresses of masters are reserved', () => {
    for (const one of Object.values(managers))
      expect(one['depends_on']).toEqual([1, 2, 3].map((number) => `google_compute_address.master-${number}`));
  });

  test('has a new template before the old one goes', () => {
    for (const one of Object.values(templates)) expect(one['lifecycle']).toMatchObject({ create_before_destroy: true });
  });

  test('has machines of its own kind', () => {
    expect(templates['spare']).toMatchObject({ machine_type: 'n2-standard-4', disk: [{ disk_size_gb: 100 }] });
    expect(templates['general']).toMatchObject({ machine_type: 'e2-standard-2', disk: [{ disk_size_gb: 40 }] });
  });

  test('of spare machines says so in both words that Google has for them; others say nothing', () => {
    expect(templates['spare']!['scheduling']).toEqual({
      provisioning_model: 'SPOT',
      preemptible: true,
      automatic_restart: false,
      instance_termination_action: 'STOP',
    });
    expect(templates['general']).not.toHaveProperty('scheduling');
  });
});

test('machines bear the labels of the description, and who they are', () => {
  const labelled = synthesize(description({ target: { gce: gce({ labels: { team: 'platform', cost: '' } }) } }));
  const own = { team: 'platform', cost: '', cluster: 'test' };
  expect(labelled.of('google_compute_instance')['master-1']!['labels']).toEqual({ ...own, role: 'master' });
  expect(labelled.of('google_compute_disk')['master-1-data']!['labels']).toEqual({ ...own, role: 'master' });
  expect(labelled.of('google_compute_instance_template')['general']!['labels']).toEqual({
    ...own,
    role: 'agent',
    pool: 'general',
  });
});

test('two thousand agents are no more resources than three', () => {
  const count = (agents: Block) => {
    const large = synthesize(
      description({
        agents,
        calico: { ipPools: { default: { cidr: '10.64.0.0/12' } } },
      }),
    );
    return Object.values(large.config['resource'] as Record<string, object>).flatMap(Object.keys).length;
  };
  expect(count({ general: { count: 2000 } })).toBe(count({ general: { count: 3 } }));
});
