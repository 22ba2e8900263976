import { describe, expect, test } from 'vitest';
import { description, gce, synthesize, type Block } from './synth.ts';

const shared = {
  name: 'projects/host-project-1/global/networks/shared',
  subnetwork: 'projects/host-project-1/regions/us-central1/subnetworks/mesos',
  cidr: '10.20.0.0/20',
};
const addresses = ['10.20.0.20', '10.20.0.21', '10.20.0.22'];

const within = (network: Block, more: Block = {}) =>
  synthesize(description({ target: { gce: gce({ network, ...more }) } }));
const inside = (network: Block) =>
  synthesize(description({ target: { gce: gce({ network }) }, masters: { count: 3, addresses } }));

const interfaces = (stack: ReturnType<typeof synthesize>) =>
  ['google_compute_instance', 'google_compute_instance_template'].flatMap((type) =>
    Object.values(stack.of(type)).map((one) => (one['network_interface'] as Block[])[0]!),
  );

describe('a network that the kit makes', () => {
  test('has one subnetwork, which is ours, and the MTU of the description', () => {
    const stack = within({ cidr: '10.40.0.0/22' }, { mtu: 8896 });
    expect(stack.of('google_compute_network')['network']).toMatchObject({
      name: 'test',
      auto_create_subnetworks: false,
      routing_mode: 'REGIONAL',
      mtu: 8896,
    });
    expect(stack.of('google_compute_subnetwork')['subnetwork']).toMatchObject({
      name: 'test',
      region: 'us-central1',
      ip_cidr_range: '10.40.0.0/22',
      private_ip_google_access: true,
    });
  });

  test('with egress public gives masters addresses that stay, agents such as come', () => {
    const stack = within({ egress: 'public' });
    expect(stack.of('google_compute_address')['master-2-public']).toMatchObject({ address_type: 'EXTERNAL' });
    expect(interfaces(stack).map((one) => one['access_config'])).toEqual([
      [{ nat_ip: '${google_compute_address.master-1-public.address}' }],
      [{ nat_ip: '${google_compute_address.master-2-public.address}' }],
      [{ nat_ip: '${google_compute_address.master-3-public.address}' }],
      [{ network_tier: 'PREMIUM' }],
    ]);
    expect(stack.of('google_compute_router')).toEqual({});
  });

  test('with egress nat translates for the one subnetwork, and no machine has an address outside', () => {
    const stack = within({ egress: 'nat' });
    expect(stack.of('google_compute_router_nat')['nat']).toMatchObject({
      nat_ip_allocate_option: 'AUTO_ONLY',
      source_subnetwork_ip_ranges_to_nat: 'LIST_OF_SUBNETWORKS',
      subnetwork: [{ name: '${google_compute_subnetwork.subnetwork.id}', source_ip_ranges_to_nat: ['ALL_IP_RANGES'] }],
    });
    expect(interfaces(stack).some((one) => 'access_config' in one)).toBe(false);
    expect(Object.keys(stack.of('google_compute_address'))).toEqual(['master-1', 'master-2', 'master-3']);
  });

  test('with egress none has no way out', () => {
    const stack = synthesize(
      description({
        target: { gce: gce({ network: { egress: 'none' } }) },
        release: { mirror: 'https://mirror.example.com', registry: 'registry.example.com' },
      }),
    );
    expect(stack.of('google_compute_router')).toEqual({});
    expect(interfaces(stack).some((one) => 'access_config' in one)).toBe(false);
  });
});

describe('in a network that exists', () => {
  test('nothing of it is made or changed, and no machine has an address outside', () => {
    const stack = inside({ name: 'default', subnetwork: 'mesos', cidr: '10.20.0.0/20' });
    for (const type of ['network', 'subnetwork', 'router', 'router_nat'])
      expect(stack.of(`google_compute_${type}`), type).toEqual({});
    expect(interfaces(stack).some((one) => 'access_config' in one)).toBe(false);
    expect(interfaces(stack).map((one) => one['subnetwork'])).toEqual(
      Array(4).fill('projects/my-project-123456/regions/us-central1/subnetworks/mesos'),
    );
    expect(stack.of('google_compute_firewall')['ssh']).toMatchObject({
      project: 'my-project-123456',
      network: 'projects/my-project-123456/global/networks/default',
    });
  });

  test('masters have the addresses that the description names', () => {
    const stack = inside({ name: 'default', subnetwork: 'default', cidr: '10.20.0.0/20' });
    const given = ['master-1', 'master-2', 'master-3'].map((name) => stack.of('google_compute_address')[name]!);
    expect(given.map((one) => one['address'])).toEqual(addresses);
  });

  test('of another project, rules are of that project and machines are not', () => {
    const stack = inside(shared);
    const rules = Object.values(stack.of('google_compute_firewall'));
    expect(new Set(rules.map((one) => one['project']))).toEqual(new Set(['host-project-1']));
    expect(new Set(rules.map((one) => one['network']))).toEqual(new Set([shared.name]));
    expect(interfaces(stack).map((one) => one['subnetwork'])).toEqual(Array(4).fill(shared.subnetwork));
    expect(Object.values(stack.of('google_compute_instance')).some((one) => 'project' in one)).toBe(false);
  });
});
