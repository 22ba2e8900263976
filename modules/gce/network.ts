/** The VPC network that machines stand in: a new one with a subnetwork and a way out, or one that exists. */
import { ComputeNetwork } from '@cdktf/provider-google/lib/compute-network/index.js';
import { ComputeRouterNat } from '@cdktf/provider-google/lib/compute-router-nat/index.js';
import { ComputeRouter } from '@cdktf/provider-google/lib/compute-router/index.js';
import { ComputeSubnetwork } from '@cdktf/provider-google/lib/compute-subnetwork/index.js';
import type { TerraformStack } from 'cdktf';
import { add } from '../terraform/add.ts';
import type { GceCluster } from './names.ts';

export interface Place {
  readonly network: string;
  readonly subnetwork: string;
  /** The project that the network is of, and its firewall rules: with a shared VPC not that of the machines. */
  readonly project: string;
  /** Whether machines have addresses on the internet. In a network that exists they have none: its routes are its owner's. */
  readonly open: boolean;
}

export function network(stack: TerraformStack, { name, target }: GceCluster): Place {
  const { project, region } = target;
  if (target.network.kind === 'existing') {
    const { name: network, subnetwork } = target.network;
    const host = /^projects\/([^/]+)\//.exec(network)?.[1] ?? project;
    return {
      network: network.includes('/') ? network : `projects/${project}/global/networks/${network}`,
      subnetwork: subnetwork.includes('/')
        ? subnetwork
        : `projects/${project}/regions/${region}/subnetworks/${subnetwork}`,
      project: host,
      open: false,
    };
  }
  const { cidr, egress } = target.network;
  const made = add(stack, ComputeNetwork, 'network', {
    name,
    description: `mesos-calico cluster ${name}`,
    autoCreateSubnetworks: false,
    routingMode: 'REGIONAL',
    mtu: target.mtu,
  });
  const subnetwork = add(stack, ComputeSubnetwork, 'subnetwork', {
    name,
    region,
    network: made.id,
    ipCidrRange: cidr,
    // Google's own services, registries among them, are reached without an address on the internet.
    privateIpGoogleAccess: true,
  });
  if (egress === 'nat') {
    const router = add(stack, ComputeRouter, 'nat', { name: `${name}-nat`, region, network: made.id });
    add(stack, ComputeRouterNat, 'nat', {
      name: `${name}-nat`,
      region,
      router: router.name,
      natIpAllocateOption: 'AUTO_ONLY',
      sourceSubnetworkIpRangesToNat: 'LIST_OF_SUBNETWORKS',
      subnetwork: [{ name: subnetwork.id, sourceIpRangesToNat: ['ALL_IP_RANGES'] }],
    });
  }
  return { network: made.id, subnetwork: subnetwork.id, project, open: egress === 'public' };
}
