/** Where an account keeps what a stack can leave behind: which call lists it, and what every account has of its own. */
import { itemsAt, textAt, type Plain } from './plain.ts';

/** Services whose protocol is AWS's query API, and the version of it that they want. */
export const versions = {
  ec2: '2016-11-15',
  autoscaling: '2011-01-01',
  elasticloadbalancing: '2015-12-01',
  iam: '2010-05-08',
} as const;
export type Service = keyof typeof versions;

interface Shelf {
  readonly kind: string;
  readonly service: Service;
  readonly action: string;
  /** Where in the answer the list is. */
  readonly list: string;
  readonly id: string;
  /** False for what every account has, and for what is gone. */
  readonly standing?: (item: Plain) => boolean;
}

const notDefault = (item: Plain): boolean => textAt(item, 'isDefault') !== 'true';
const differs = (item: Plain, name: string, value: string): boolean => textAt(item, name) !== value;

/** What can be left behind, with what every account has left out. */
export const shelves: readonly Shelf[] = [
  {
    kind: 'instance',
    service: 'ec2',
    action: 'DescribeInstances',
    list: 'reservationSet.instancesSet',
    id: 'instanceId',
    standing: (item) => textAt(item, 'instanceState.name') !== 'terminated',
  },
  { kind: 'vpc', service: 'ec2', action: 'DescribeVpcs', list: 'vpcSet', id: 'vpcId', standing: notDefault },
  {
    kind: 'subnet',
    service: 'ec2',
    action: 'DescribeSubnets',
    list: 'subnetSet',
    id: 'subnetId',
    standing: (item) => differs(item, 'defaultForAz', 'true'),
  },
  {
    kind: 'security-group',
    service: 'ec2',
    action: 'DescribeSecurityGroups',
    list: 'securityGroupInfo',
    id: 'groupId',
    standing: (item) => differs(item, 'groupName', 'default'),
  },
  {
    kind: 'route-table',
    service: 'ec2',
    action: 'DescribeRouteTables',
    list: 'routeTableSet',
    id: 'routeTableId',
    standing: (item) => !itemsAt(item, 'associationSet').some((one) => textAt(one, 'main') === 'true'),
  },
  {
    kind: 'internet-gateway',
    service: 'ec2',
    action: 'DescribeInternetGateways',
    list: 'internetGatewaySet',
    id: 'internetGatewayId',
  },
  {
    kind: 'nat-gateway',
    service: 'ec2',
    action: 'DescribeNatGateways',
    list: 'natGatewaySet',
    id: 'natGatewayId',
    standing: (item) => differs(item, 'state', 'deleted'),
  },
  { kind: 'volume', service: 'ec2', action: 'DescribeVolumes', list: 'volumeSet', id: 'volumeId' },
  { kind: 'address', service: 'ec2', action: 'DescribeAddresses', list: 'addressesSet', id: 'allocationId' },
  {
    kind: 'network-interface',
    service: 'ec2',
    action: 'DescribeNetworkInterfaces',
    list: 'networkInterfaceSet',
    id: 'networkInterfaceId',
  },
  { kind: 'key-pair', service: 'ec2', action: 'DescribeKeyPairs', list: 'keySet', id: 'keyName' },
  {
    kind: 'launch-template',
    service: 'ec2',
    action: 'DescribeLaunchTemplates',
    list: 'launchTemplates',
    id: 'launchTemplateId',
  },
  {
    kind: 'placement-group',
    service: 'ec2',
    action: 'DescribePlacementGroups',
    list: 'placementGroupSet',
    id: 'groupName',
  },
  { kind: 'vpc-endpoint', service: 'ec2', action: 'DescribeVpcEndpoints', list: 'vpcEndpointSet', id: 'vpcEndpointId' },
  {
    kind: 'auto-scaling-group',
    service: 'autoscaling',
    action: 'DescribeAutoScalingGroups',
    list: 'DescribeAutoScalingGroupsResult.AutoScalingGroups',
    id: 'AutoScalingGroupName',
  },
  {
    kind: 'load-balancer',
    service: 'elasticloadbalancing',
    action: 'DescribeLoadBalancers',
    list: 'DescribeLoadBalancersResult.LoadBalancers',
    id: 'LoadBalancerArn',
  },
  {
    kind: 'target-group',
    service: 'elasticloadbalancing',
    action: 'DescribeTargetGroups',
    list: 'DescribeTargetGroupsResult.TargetGroups',
    id: 'TargetGroupArn',
  },
  // AWS has made these for itself in every account; ours have no path of that kind.
  {
    kind: 'role',
    service: 'iam',
    action: 'ListRoles',
    list: 'ListRolesResult.Roles',
    id: 'RoleName',
    standing: (item) => !textAt(item, 'Path').startsWith('/aws-service-role/'),
  },
  {
    kind: 'instance-profile',
    service: 'iam',
    action: 'ListInstanceProfiles',
    list: 'ListInstanceProfilesResult.InstanceProfiles',
    id: 'InstanceProfileName',
  },
];
