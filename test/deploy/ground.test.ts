/** The ground itself: plugins are found where Terraform itself would find them, and the real provider on moto, which answers as AWS does where Terraform reads back. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { startAws, type Aws } from './ground/aws.ts';
import { amiId } from './ground/amis.ts';
import { has, need } from './ground/ground.ts';
import { findMirror, platform } from './ground/mirror.ts';
import { startMoto } from './ground/moto.ts';
import { textAt } from './ground/plain.ts';
import { openStack, type Config } from './ground/stack.ts';

let aws: Aws | undefined;
beforeAll(async () => {
  if (has('terraform', 'aws', 'moto')) aws = await startAws();
});
afterEach(() => aws?.moto.reset());
afterAll(() => aws?.close());

/** All that the shim mends has its place here. */
const small: Config = {
  terraform: { required_providers: { aws: { source: 'aws', version: '5.100.0' } } },
  provider: { aws: [{ region: 'us-east-1' }] },
  data: {
    aws_ami: {
      image: {
        most_recent: true,
        owners: ['075585003325'],
        filter: [{ name: 'name', values: ['Flatcar-stable-*-hvm'] }],
      },
    },
  },
  resource: {
    aws_vpc: { network: { cidr_block: '10.0.0.0/16' } },
    aws_subnet: {
      zone: { vpc_id: '${aws_vpc.network.id}', cidr_block: '10.0.1.0/24', availability_zone: 'us-east-1a' },
    },
    aws_placement_group: { spread: { name: 'spread', strategy: 'spread' } },
    aws_security_group: { masters: { name: 'masters', vpc_id: '${aws_vpc.network.id}' } },
    aws_vpc_security_group_ingress_rule: {
      ipip: {
        security_group_id: '${aws_security_group.masters.id}',
        ip_protocol: '4',
        referenced_security_group_id: '${aws_security_group.masters.id}',
        description: 'IP in IP',
      },
    },
    aws_instance: {
      'master-1': {
        ami: '${data.aws_ami.image.id}',
        instance_type: 't3.medium',
        subnet_id: '${aws_subnet.zone.id}',
        vpc_security_group_ids: ['${aws_security_group.masters.id}'],
        placement_group: '${aws_placement_group.spread.name}',
        root_block_device: [{ volume_type: 'gp3', volume_size: 20, encrypted: true, throughput: 200, iops: 3500 }],
        user_data: '#cloud-config\n',
      },
    },
  },
};

test('a small stack is applied, found as it was described, and destroyed without a trace', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { moto, env } = aws!;
  const stack = openStack({ name: 'small', config: small, env });
  try {
    expect(await stack.validate()).toEqual([]);
    await stack.apply();
    const { values } = (await stack.resources())['aws_instance.master-1']!;
    expect(values['ami']).toBe(amiId('Flatcar-stable-4593.2.5-hvm'));
    const sent = { InstanceId: String(values['id']), Attribute: 'userData' };
    const userData = textAt(await moto.call('ec2', 'DescribeInstanceAttribute', sent), 'userData.value');
    expect(Buffer.from(userData, 'base64').toString()).toBe('#cloud-config\n');
    expect((await moto.holds()).map((one) => one.split(' ')[0])).toEqual([
      'instance',
      'network-interface',
      'placement-group',
      'security-group',
      'subnet',
      'volume',
      'vpc',
    ]);
    expect(await stack.plan()).toMatchObject({ empty: true, changes: [] });
    await stack.destroy();
    expect(await moto.holds(), moto.log()).toEqual([]);
  } finally {
    await stack.close();
  }
});

test('an image that is not there is refused, and the node is named', async ({ skip }) => {
  need(skip, 'terraform', 'aws', 'moto');
  const { env } = aws!;
  const instance = { ami: 'ami-0123456789abcdef0', instance_type: 't3.medium' };
  const stack = openStack({
    config: { ...small, resource: { aws_instance: { 'master-2': instance } } },
    env,
  });
  try {
    await expect(stack.apply()).rejects.toMatchObject({
      problems: [{ at: { path: 'aws_instance.master-2' }, what: expect.stringMatching(/^node master-2: /) as string }],
    });
  } finally {
    await stack.close();
  }
});

test('a mirror is found by its variable, in the configuration of Terraform, and where Terraform looks unasked', () => {
  const wanted = { source: 'somebody/thing', version: '1.2.3' };
  const root = mkdtempSync(join(inject('ground').folder, 'mirror-'));
  const mirror = join(root, 'mirror/terraform/plugins');
  const place = join(mirror, 'registry.terraform.io/somebody/thing');
  const rc = join(root, 'terraform.rc');
  writeFileSync(rc, `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`);
  const ways = [
    { TF_PLUGIN_MIRROR: mirror },
    { TF_PLUGIN_CACHE_DIR: mirror },
    { TF_CLI_CONFIG_FILE: rc },
    { XDG_DATA_HOME: join(root, 'mirror') },
    { XDG_DATA_DIRS: `/nowhere:${join(root, 'mirror')}` },
  ];
  mkdirSync(place, { recursive: true });
  for (const env of ways) expect(findMirror(wanted, env)).toBeUndefined();
  const unpacked = join(place, wanted.version, platform);
  mkdirSync(unpacked, { recursive: true });
  for (const env of ways) expect(findMirror(wanted, env), JSON.stringify(env)).toBe(mirror);
  rmSync(unpacked, { recursive: true });
  writeFileSync(join(place, `terraform-provider-thing_1.2.3_${platform}.zip`), '');
  for (const env of ways) expect(findMirror(wanted, env), JSON.stringify(env)).toBe(mirror);
});

test('a new image of a publisher is found at once, and a reset account knows it no more', async ({ skip }) => {
  need(skip, 'moto');
  const moto = await startMoto();
  try {
    const names = async (): Promise<string> =>
      JSON.stringify(await moto.call('ec2', 'DescribeImages', {}, 'eu-west-1'));
    const fresh = await names();
    expect(fresh).toContain('Flatcar-stable-4593.2.5-hvm');
    moto.publish('Flatcar-stable-9999.0.0-hvm', '2027-01-01T00:00:00.000Z');
    expect(await names()).toContain('Flatcar-stable-9999.0.0-hvm');
    await moto.reset();
    expect(await names()).not.toContain('9999');
    await expect(moto.call('ec2', 'DescribeTrunkInterfaceAssociations')).rejects.toThrow(/400.*UnsupportedOperation/s);
  } finally {
    await moto.close();
  }
});
