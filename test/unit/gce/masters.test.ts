import { describe, expect, test } from 'vitest';
import { description, gce, synthesize, type Block } from './synth.ts';

const instances = (stack: ReturnType<typeof synthesize>) => Object.values(stack.of('google_compute_instance'));

describe('masters', () => {
  const stack = synthesize(description({ masters: { count: 5, machine: 'e2-standard-2', disk: 50, dataDisk: 20 } }));

  test('go round the zones, each with the address that every payload names', () => {
    expect(instances(stack).map((one) => [one['name'], one['zone']])).toEqual([
      ['test-master-1', 'us-central1-a'],
      ['test-master-2', 'us-central1-b'],
      ['test-master-3', 'us-central1-c'],
      ['test-master-4', 'us-central1-a'],
      ['test-master-5', 'us-central1-b'],
    ]);
    const addresses = stack.cluster.nodes.flatMap(({ role, address }) => (role === 'master' ? [address] : []));
    expect(addresses).toEqual(['10.0.15.240', '10.0.15.241', '10.0.15.242', '10.0.15.243', '10.0.15.244']);
    for (const [index, one] of instances(stack).entries()) {
      const name = `master-${index + 1}`;
      expect(stack.of('google_compute_address')[name]).toMatchObject({
        address_type: 'INTERNAL',
        address: addresses[index],
      });
      expect((one['network_interface'] as Block[])[0]).toMatchObject({
        network_ip: `\${google_compute_address.${name}.address}`,
      });
    }
  });

  test('are changed one after the other', () => {
    expect(instances(stack).map((one) => one['depends_on'])).toEqual([
      undefined,
      ...[1, 2, 3, 4].map((number) => [`google_compute_instance.master-${number}`]),
    ]);
    expect(instances(stack).every((one) => one['allow_stopping_for_update'] === true)).toBe(true);
  });

  test('have their data on disks of their own in their zones, which units find as `data`', () => {
    for (const [index, one] of instances(stack).entries()) {
      const name = `master-${index + 1}-data`;
      expect(stack.of('google_compute_disk')[name]).toMatchObject({ zone: one['zone'], size: 20, type: 'pd-ssd' });
      expect(one['attached_disk']).toEqual([{ source: `\${google_compute_disk.${name}.id}`, device_name: 'data' }]);
      expect(one['boot_disk']).toMatchObject({
        auto_delete: true,
        initialize_params: { size: 50, type: 'pd-balanced' },
      });
    }
  });

  test('are Shielded VMs without Secure Boot, without credentials, and let in by keys of the description only', () => {
    for (const one of instances(stack)) {
      expect(one['shielded_instance_config']).toEqual({
        enable_secure_boot: false,
        enable_vtpm: true,
        enable_integrity_monitoring: true,
      });
      expect(one).not.toHaveProperty('service_account');
      expect(one['can_ip_forward']).toBe(false);
      expect(one['metadata']).toMatchObject({
        'block-project-ssh-keys': 'TRUE',
        'enable-oslogin': 'FALSE',
        'serial-port-enable': 'FALSE',
      });
    }
  });

  test('boot from the newest of their family, and no newer one replaces them', () => {
    expect(stack.config['data']).toMatchObject({
      google_compute_image: { boot: { project: 'kinvolk-public', family: 'flatcar-lts' } },
    });
    for (const one of instances(stack)) {
      expect(one['boot_disk']).toMatchObject({
        initialize_params: { image: '${data.google_compute_image.boot.self_link}' },
      });
      expect(one['lifecycle']).toMatchObject({ ignore_changes: ['boot_disk[0].initialize_params[0].image'] });
    }
  });
});

test('an image of the description is what machines boot from, and a change of it is made', () => {
  const image = 'projects/mine-1/global/images/flatcar-4593';
  const stack = synthesize(description({ target: { gce: gce({ image }) } }));
  expect(stack.config).not.toHaveProperty('data');
  for (const one of instances(stack)) {
    expect(one['boot_disk']).toMatchObject({ initialize_params: { image } });
    expect(one['lifecycle']).not.toHaveProperty('ignore_changes');
  }
  const template = stack.of('google_compute_instance_template')['general']!;
  expect((template['disk'] as Block[])[0]).toMatchObject({ source_image: image });
  expect(template['lifecycle']).not.toHaveProperty('ignore_changes');
});

test('a key of the description encrypts every disk', () => {
  const kmsKey = 'projects/p/locations/us-central1/keyRings/r/cryptoKeys/k';
  const stack = synthesize(description({ target: { gce: gce({ kmsKey }) } }));
  const disks = Object.values(stack.of('google_compute_disk'));
  expect(disks).toHaveLength(3);
  for (const one of disks) expect(one['disk_encryption_key']).toEqual({ kms_key_self_link: kmsKey });
  for (const one of instances(stack)) expect(one['boot_disk']).toMatchObject({ kms_key_self_link: kmsKey });
  const template = stack.of('google_compute_instance_template')['general']!;
  expect((template['disk'] as Block[])[0]).toMatchObject({ disk_encryption_key: { kms_key_self_link: kmsKey } });
});

test('a service account is given where the description names one, to be held by its roles', () => {
  const serviceAccount = 'mesos@my-project-123456.iam.gserviceaccount.com';
  const stack = synthesize(description({ target: { gce: gce({ serviceAccount }) } }));
  const machines = [...instances(stack), ...Object.values(stack.of('google_compute_instance_template'))];
  expect(machines).toHaveLength(4);
  for (const one of machines)
    expect(one['service_account']).toEqual({ email: serviceAccount, scopes: ['cloud-platform'] });
});

describe('protect', () => {
  const kept = ['google_compute_instance', 'google_compute_disk', 'google_compute_region_instance_group_manager'];

  test.each([true, false])('%s decides whether machines and data can go', (protect) => {
    const stack = synthesize(description({ protect }));
    for (const type of kept)
      for (const one of Object.values(stack.of(type)))
        expect(one['lifecycle'], type).toMatchObject({ prevent_destroy: protect });
    for (const one of instances(stack)) expect(one['deletion_protection']).toBe(protect);
  });
});
