import { describe, expect, test } from 'vitest';
import { aws, description, synthesize } from './synth.ts';

const on = (fields: Record<string, unknown>) => synthesize(description({ target: { aws: aws(fields) } }));

test('a VPC has a subnet for each zone, by the letter of the zone and not by its place in the list', () => {
  const subnets = on({ zones: ['us-west-2c', 'us-west-2a'] }).of('aws_subnet');
  expect(Object.keys(subnets).sort()).toEqual(['us-west-2a', 'us-west-2c']);
  expect(subnets['us-west-2a']).toMatchObject({ cidr_block: '10.0.0.0/19', availability_zone: 'us-west-2a' });
  expect(subnets['us-west-2c']).toMatchObject({ cidr_block: '10.0.64.0/19', availability_zone: 'us-west-2c' });
  expect(on({}).of('aws_vpc')['network']).toMatchObject({
    cidr_block: '10.0.0.0/16',
    enable_dns_support: true,
    enable_dns_hostnames: true,
  });
});

/** Where packets for the internet go, by the name of the route table; and the tables of the subnets. */
function ways(stack: ReturnType<typeof synthesize>) {
  const routes = Object.values(stack.of('aws_route')).map((route) => [
    /route_table\.([^.]+)/.exec(String(route['route_table_id']))?.[1],
    String(route['gateway_id'] ?? route['nat_gateway_id']),
  ]);
  const tables = Object.entries(stack.of('aws_route_table_association')).map(([name, one]) => [
    name,
    /route_table\.([^.]+)/.exec(String(one['route_table_id']))?.[1],
  ]);
  return { routes: Object.fromEntries(routes) as unknown, tables: Object.fromEntries(tables) as unknown };
}

describe('machines reach the internet', () => {
  test('by addresses of their own', () => {
    const stack = on({});
    expect(ways(stack)).toEqual({
      routes: { zones: '${aws_internet_gateway.network.id}' },
      tables: { 'us-west-2a': 'zones', 'us-west-2b': 'zones' },
    });
    expect(Object.keys(stack.of('aws_eip'))).toEqual(['master-1', 'master-2', 'master-3']);
    expect(stack.of('aws_launch_template')['general']).toMatchObject({
      network_interfaces: [{ associate_public_ip_address: 'true' }],
    });
    // AWS takes a gateway away only when no address is left behind it.
    expect(stack.of('aws_eip')['master-1']!['depends_on']).toEqual(['aws_internet_gateway.network']);
    expect(stack.of('aws_autoscaling_group')['general']!['depends_on']).toContain('aws_internet_gateway.network');
  });

  test('through one NAT gateway in a subnet of its own, without addresses of their own', () => {
    const stack = on({ network: { egress: 'nat' } });
    expect(ways(stack)).toEqual({
      routes: { nat: '${aws_internet_gateway.network.id}', zones: '${aws_nat_gateway.nat.id}' },
      tables: { nat: 'nat', 'us-west-2a': 'zones', 'us-west-2b': 'zones' },
    });
    expect(stack.of('aws_subnet')['nat']).toMatchObject({
      cidr_block: '10.0.224.0/19',
      availability_zone: 'us-west-2a',
    });
    expect(Object.keys(stack.of('aws_eip'))).toEqual(['nat']);
    expect(stack.of('aws_launch_template')['general']).toMatchObject({
      network_interfaces: [{ associate_public_ip_address: 'false' }],
    });
  });

  test('not at all', () => {
    const stack = synthesize(
      description({
        target: { aws: aws({ network: { egress: 'none' } }) },
        release: { registry: 'registry.example.com', mirror: 'https://mirror.example.com' },
      }),
    );
    expect(ways(stack)).toMatchObject({ routes: {} });
    for (const type of ['aws_internet_gateway', 'aws_nat_gateway', 'aws_eip']) expect(stack.of(type)).toEqual({});
  });
});

describe('in a VPC that exists', () => {
  const stack = synthesize(
    description({
      target: {
        aws: aws({
          network: {
            vpc: 'vpc-0a1b2c3d',
            cidr: '10.20.0.0/16',
            subnets: { 'us-west-2a': 'subnet-0000000a', 'us-west-2b': 'subnet-0000000b' },
          },
        }),
      },
      masters: { count: 3, addresses: ['10.20.1.10', '10.20.2.10', '10.20.1.11'] },
    }),
  );

  test('nothing is made or changed but security groups, machines and their volumes', () => {
    expect(Object.keys(stack.config['resource'] as object).sort()).toEqual([
      'aws_autoscaling_group',
      'aws_ebs_volume',
      'aws_instance',
      'aws_launch_template',
      'aws_network_interface',
      'aws_security_group',
      'aws_security_group_rule',
      'aws_volume_attachment',
    ]);
    for (const group of Object.values(stack.of('aws_security_group'))) expect(group['vpc_id']).toBe('vpc-0a1b2c3d');
  });

  test('machines stand in the subnets of their zones, with the addresses that are named', () => {
    expect(
      Object.values(stack.of('aws_network_interface')).map((one) => [one['subnet_id'], one['private_ips']]),
    ).toEqual([
      ['subnet-0000000a', ['10.20.1.10']],
      ['subnet-0000000b', ['10.20.2.10']],
      ['subnet-0000000a', ['10.20.1.11']],
    ]);
    expect(stack.of('aws_autoscaling_group')['general']!['vpc_zone_identifier']).toEqual([
      'subnet-0000000a',
      'subnet-0000000b',
    ]);
  });

  test('its subnets decide whether agents have public addresses', () => {
    const [port] = stack.of('aws_launch_template')['general']!['network_interfaces'] as object[];
    expect(port).not.toHaveProperty('associate_public_ip_address');
  });
});
