import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Boot } from '../../../modules/node/boot.ts';
import { aws, description, fromCluster, synthesize, type Synthesized } from './synth.ts';

const instances = (stack: Synthesized) => Object.values(stack.of('aws_instance'));
const machines = (stack: Synthesized) => [...instances(stack), ...Object.values(stack.of('aws_launch_template'))];

/** Mesos that knows cgroup v2, so that machines may boot with it. */
const clusterd = { override: { mesos: { version: '1.11.0-0.9.0', image: 'you/mesos:1.11.0-0.9.0' } } };

describe('masters', () => {
  const stack = synthesize(
    description({
      target: { aws: aws({ zones: ['us-west-2a', 'us-west-2b', 'us-west-2c'] }) },
      masters: { count: 5, machine: 'm5.large', disk: 50, dataDisk: 20 },
    }),
  );

  test('go round the zones, each with an interface that has the address that every payload names', () => {
    const ports = stack.of('aws_network_interface');
    expect(Object.values(ports).map((port) => [port['subnet_id'], port['private_ips']])).toEqual([
      ['${aws_subnet.us-west-2a.id}', ['10.0.0.16']],
      ['${aws_subnet.us-west-2b.id}', ['10.0.32.17']],
      ['${aws_subnet.us-west-2c.id}', ['10.0.64.18']],
      ['${aws_subnet.us-west-2a.id}', ['10.0.0.19']],
      ['${aws_subnet.us-west-2b.id}', ['10.0.32.20']],
    ]);
    expect(stack.cluster.nodes.slice(0, 5).map(({ address }) => [address])).toEqual(
      Object.values(ports).map((port) => port['private_ips']),
    );
    for (const [name, one] of Object.entries(stack.of('aws_instance'))) {
      expect(one['network_interface']).toEqual([
        { device_index: 0, network_interface_id: `\${aws_network_interface.${name}.id}` },
      ]);
    }
  });

  test('are changed one after the other', () => {
    const chain = instances(stack).map((one) =>
      (one['depends_on'] as string[]).filter((each) => each.startsWith('aws_instance.')),
    );
    expect(chain).toEqual([[], ...[1, 2, 3, 4].map((number) => [`aws_instance.master-${number}`])]);
  });

  test('have their data on encrypted volumes of their own in their zones', () => {
    const volumes = stack.of('aws_ebs_volume');
    expect(Object.entries(volumes).map(([name, one]) => [name, one['availability_zone']])).toEqual([
      ['master-1-data', 'us-west-2a'],
      ['master-2-data', 'us-west-2b'],
      ['master-3-data', 'us-west-2c'],
      ['master-4-data', 'us-west-2a'],
      ['master-5-data', 'us-west-2b'],
    ]);
    for (const [name, one] of Object.entries(volumes)) {
      expect(one).toMatchObject({ size: 20, type: 'gp3', encrypted: true });
      expect(stack.of('aws_volume_attachment')[name]).toMatchObject({
        volume_id: `\${aws_ebs_volume.${name}.id}`,
        instance_id: `\${aws_instance.${name.replace('-data', '')}.id}`,
        device_name: '/dev/sdf',
        stop_instance_before_detaching: true,
      });
    }
    for (const one of instances(stack))
      expect(one['root_block_device']).toMatchObject({ volume_size: 50, volume_type: 'gp3', encrypted: true });
  });
});

describe('all machines', () => {
  test('give tokens of their metadata to nobody who is more than one hop away, and have no credentials', () => {
    const stack = synthesize(description());
    expect(machines(stack)).toHaveLength(4);
    for (const one of machines(stack)) {
      expect(one['metadata_options']).toEqual({
        http_endpoint: 'enabled',
        http_tokens: 'required',
        http_put_response_hop_limit: 1,
      });
      expect(one).not.toHaveProperty('iam_instance_profile');
      expect(one).not.toHaveProperty('key_name');
    }
  });

  test('have the instance profile that the description names', () => {
    const stack = synthesize(description({ target: { aws: aws({ instanceProfile: 'mesos' }) } }));
    for (const one of instances(stack)) expect(one['iam_instance_profile']).toBe('mesos');
    expect(stack.of('aws_launch_template')['general']).toMatchObject({ iam_instance_profile: { name: 'mesos' } });
  });

  test('have volumes that the key of the description encrypts, by the name that AWS gives back', () => {
    const stack = synthesize(description({ target: { aws: aws({ kmsKey: 'alias/mesos' }) } }));
    const arn = '${data.aws_kms_key.volumes.arn}';
    expect(stack.config['data']).toMatchObject({ aws_kms_key: { volumes: { key_id: 'alias/mesos' } } });
    for (const one of Object.values(stack.of('aws_ebs_volume'))) expect(one['kms_key_id']).toBe(arn);
    for (const one of instances(stack)) expect(one['root_block_device']).toMatchObject({ kms_key_id: arn });
    expect(stack.of('aws_launch_template')['general']).toMatchObject({
      block_device_mappings: [{ ebs: { kms_key_id: arn, encrypted: 'true' } }],
    });
  });

  test.each([
    ['flatcar-stable', 'Flatcar-stable-*-hvm'],
    ['flatcar-beta', 'Flatcar-beta-*-hvm'],
    // The last LTS that can boot with cgroup v1, which is what people take LTS for.
    ['flatcar-lts', 'Flatcar-lts-4081.*-hvm'],
  ])('boot from the newest %s of its own publisher, and no newer one replaces them', (os, name) => {
    const stack = synthesize(
      description({ target: { aws: aws({ os }) }, release: os === 'flatcar-lts' ? 'current' : clusterd }),
    );
    expect(stack.config['data']).toMatchObject({
      aws_ami: {
        flatcar: {
          owners: ['075585003325'],
          most_recent: true,
          filter: expect.arrayContaining([{ name: 'name', values: [name] }]) as unknown,
        },
      },
    });
    for (const one of instances(stack)) {
      expect(one['ami']).toBe('${data.aws_ami.flatcar.id}');
      expect(one['lifecycle']).toMatchObject({ ignore_changes: ['ami'] });
    }
    expect(stack.of('aws_launch_template')['general']!['lifecycle']).toMatchObject({ ignore_changes: ['image_id'] });
  });

  test('boot from an image of the description, and a change of it is made', () => {
    const stack = synthesize(description({ target: { aws: aws({ image: 'ami-0a1b2c3d' }) } }));
    expect(stack.config).not.toHaveProperty('data');
    for (const one of machines(stack)) {
      expect(one['ami'] ?? one['image_id']).toBe('ami-0a1b2c3d');
      expect(one['lifecycle'] ?? {}).not.toHaveProperty('ignore_changes');
    }
  });
});

test.each([true, false])('protect: %s decides whether machines and data can go', (protect) => {
  const stack = synthesize(description({ protect }));
  for (const type of ['aws_instance', 'aws_ebs_volume', 'aws_autoscaling_group']) {
    const all = Object.values(stack.of(type));
    expect(all.length).toBeGreaterThan(0);
    for (const one of all) expect(one['lifecycle'], type).toMatchObject({ prevent_destroy: protect });
  }
  for (const one of instances(stack)) expect(one['disable_api_termination']).toBe(protect);
});

describe('what a machine boots from', () => {
  test('is changed in place where the machine reads it on every boot, else with the machine', () => {
    const replaced = (boot: string) =>
      instances(synthesize(description({ target: { aws: aws({ boot }) }, release: clusterd }))).map(
        (one) => one['user_data_replace_on_change'],
      );
    expect(replaced('cloud-config')).toEqual([false, false, false]);
    expect(replaced('ignition')).toEqual([true, true, true]);
  });

  const text = 'unit: ${HOST_IP} %{x} %h\n';
  const { cluster, boots } = synthesize(description());
  const told = (gzip: Uint8Array | undefined) =>
    fromCluster(
      cluster,
      new Map(
        [...boots].map(([name, boot]): [string, Boot] => [name, { ...boot, payload: { ...boot.payload, text, gzip } }]),
      ),
    );
  const decoded = (base64: unknown) => Buffer.from(String(base64), 'base64');

  test('travels as it is, with what Terraform would evaluate escaped', () => {
    const stack = told(undefined);
    for (const one of instances(stack)) {
      expect(one['user_data']).toBe('unit: $${HOST_IP} %%{x} %h\n');
      expect(one).not.toHaveProperty('user_data_base64');
    }
    expect(decoded(stack.of('aws_launch_template')['general']!['user_data']).toString()).toBe(text);
  });

  test('travels packed where only that fits', () => {
    const stack = told(gzipSync(text));
    for (const one of instances(stack)) {
      expect(one).not.toHaveProperty('user_data');
      expect(gunzipSync(decoded(one['user_data_base64'])).toString()).toBe(text);
    }
    expect(gunzipSync(decoded(stack.of('aws_launch_template')['general']!['user_data'])).toString()).toBe(text);
  });
});

test('a machine that has no payload is a bug of the caller', () => {
  const { cluster, boots } = synthesize(description());
  const without = (name: string) => new Map([...boots].filter(([each]) => each !== name));
  expect(() => fromCluster(cluster, without('master-2'))).toThrow('master-2 is not planned');
  expect(() => fromCluster(cluster, without('general'))).toThrow('the pool general is not planned');
});
