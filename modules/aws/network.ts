/** The VPC that machines stand in: a new one with a subnet for each zone and a way out, or one that exists. */
import { Eip } from '@cdktf/provider-aws/lib/eip/index.js';
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway/index.js';
import { NatGateway } from '@cdktf/provider-aws/lib/nat-gateway/index.js';
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association/index.js';
import { RouteTable } from '@cdktf/provider-aws/lib/route-table/index.js';
import { Route } from '@cdktf/provider-aws/lib/route/index.js';
import { Subnet } from '@cdktf/provider-aws/lib/subnet/index.js';
import { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js';
import type { ITerraformDependable, TerraformStack } from 'cdktf';
import { natSubnet, zoneSubnet } from '../cluster/subnets.ts';
import { add } from '../terraform/add.ts';
import { tagsOf, type AwsCluster } from './names.ts';

export interface Place {
  readonly vpc: string;
  /** Subnet id by zone. */
  readonly subnets: Readonly<Record<string, string>>;
  /**
   * Whether machines have addresses on the internet. undefined in a VPC that exists: masters have none there, and its
   * subnets decide for agents.
   */
  readonly open: boolean | undefined;
  /** What public addresses need before they are given, and can be taken away only after them. */
  readonly gateway: readonly ITerraformDependable[];
}

export function network(stack: TerraformStack, cluster: AwsCluster): Place {
  const { target } = cluster;
  if (target.network.kind === 'existing') {
    return { vpc: target.network.vpc, subnets: target.network.subnets, open: undefined, gateway: [] };
  }
  const { cidr, egress } = target.network;
  const vpc = add(stack, Vpc, 'network', {
    cidrBlock: cidr,
    enableDnsSupport: true,
    enableDnsHostnames: true,
    tags: tagsOf(cluster, 'network'),
  });
  const subnets = new Map(
    target.zones.map((zone) => [
      zone,
      add(stack, Subnet, zone, {
        vpcId: vpc.id,
        availabilityZone: zone,
        cidrBlock: zoneSubnet(cidr, zone),
        mapPublicIpOnLaunch: false,
        tags: tagsOf(cluster, zone),
      }),
    ]),
  );
  const routes = routeTable('zones', 'zones');
  for (const [zone, subnet] of subnets) {
    add(stack, RouteTableAssociation, zone, { subnetId: subnet.id, routeTableId: routes.id });
  }
  return {
    vpc: vpc.id,
    subnets: Object.fromEntries([...subnets].map(([zone, subnet]) => [zone, subnet.id])),
    open: egress === 'public',
    gateway: wayOut(),
  };

  function routeTable(name: string, part: string): RouteTable {
    return add(stack, RouteTable, name, { vpcId: vpc.id, tags: tagsOf(cluster, part) });
  }

  function wayOut(): ITerraformDependable[] {
    if (egress === 'none') return [];
    const gateway = add(stack, InternetGateway, 'network', { vpcId: vpc.id, tags: tagsOf(cluster, 'network') });
    const everywhere = { destinationCidrBlock: '0.0.0.0/0' };
    if (egress === 'public') {
      add(stack, Route, 'zones', { routeTableId: routes.id, ...everywhere, gatewayId: gateway.id });
      return [gateway];
    }
    // One for all zones: a second would cost as much again, and only downloads depend on it.
    const subnet = add(stack, Subnet, 'nat', {
      vpcId: vpc.id,
      availabilityZone: target.zones[0]!,
      cidrBlock: natSubnet(cidr),
      mapPublicIpOnLaunch: false,
      tags: tagsOf(cluster, 'nat'),
    });
    const outer = routeTable('nat', 'nat');
    add(stack, RouteTableAssociation, 'nat', { subnetId: subnet.id, routeTableId: outer.id });
    add(stack, Route, 'nat', { routeTableId: outer.id, ...everywhere, gatewayId: gateway.id });
    const address = add(stack, Eip, 'nat', { domain: 'vpc', tags: tagsOf(cluster, 'nat'), dependsOn: [gateway] });
    const nat = add(stack, NatGateway, 'nat', {
      subnetId: subnet.id,
      allocationId: address.allocationId,
      tags: tagsOf(cluster, 'nat'),
      dependsOn: [gateway],
    });
    add(stack, Route, 'zones', { routeTableId: routes.id, ...everywhere, natGatewayId: nat.id });
    return [gateway];
  }
}
