/** Agents: a pool is a launch template and a group that keeps its number of machines over its zones. */
import { AutoscalingGroup } from '@cdktf/provider-aws/lib/autoscaling-group/index.js';
import { LaunchTemplate } from '@cdktf/provider-aws/lib/launch-template/index.js';
import { Token, type ITerraformDependable, type TerraformStack } from 'cdktf';
import type { Boot } from '../node/boot.ts';
import type { Payload } from '../node/payload.ts';
import { add } from '../terraform/add.ts';
import type { InventoryPool } from '../terraform/handover.ts';
import type { Groups } from './firewall.ts';
import { rootDevice, type BootImage } from './image.ts';
import { metadataOptions, volumeType } from './machine.ts';
import { commonTags, nameOf, tagsOf, type AwsCluster } from './names.ts';
import type { Place } from './network.ts';

/** `before`: what must be there before a machine of a group is given an address. */
export function pools(
  stack: TerraformStack,
  cluster: AwsCluster,
  { place, groups, image, key }: { place: Place; groups: Groups; image: BootImage; key: string | undefined },
  boots: ReadonlyMap<string, Boot>,
  before: readonly ITerraformDependable[],
): readonly InventoryPool[] {
  const { target, protect } = cluster;
  return Object.values(cluster.agents).map(({ name, count, machine }): InventoryPool => {
    const boot = boots.get(name);
    if (boot === undefined || machine.kind !== 'cloud') throw new Error(`the pool ${name} is not planned`);
    const group = nameOf(cluster, name);
    const tags = tagsOf(cluster, name, 'agent', name);
    // The provider's tags are on what it makes itself; what a group makes has those that are said here.
    const all = { ...commonTags(cluster), ...tags };
    const template = add(stack, LaunchTemplate, name, {
      name: group,
      imageId: image.id,
      instanceType: machine.type,
      networkInterfaces: [
        {
          deviceIndex: 0,
          securityGroups: [groups.agent],
          deleteOnTermination: 'true',
          ...(place.open !== undefined && { associatePublicIpAddress: String(place.open) }),
        },
      ],
      blockDeviceMappings: [
        {
          deviceName: rootDevice,
          ebs: {
            volumeType,
            volumeSize: machine.disk,
            encrypted: 'true',
            deleteOnTermination: 'true',
            ...(key !== undefined && { kmsKeyId: key }),
          },
        },
      ],
      metadataOptions,
      ...(target.instanceProfile !== undefined && { iamInstanceProfile: { name: target.instanceProfile } }),
      ...(machine.spot && { instanceMarketOptions: { marketType: 'spot' } }),
      userData: encoded(boot.payload),
      tagSpecifications: ['volume', 'network-interface'].map((resourceType) => ({ resourceType, tags: all })),
      tags,
      lifecycle: image.pinned ? {} : { ignoreChanges: ['image_id'] },
    });
    add(stack, AutoscalingGroup, name, {
      name: group,
      minSize: count,
      maxSize: count,
      desiredCapacity: count,
      vpcZoneIdentifier: machine.zones.map((zone) => place.subnets[zone]!),
      launchTemplate: { id: template.id, version: Token.asString(template.latestVersion) },
      // What a template changes reaches the machines a few at a time.
      instanceRefresh: { strategy: 'Rolling', preferences: { minHealthyPercentage: 90 } },
      // A machine is never taken down only because another zone has one less: tasks run on it.
      suspendedProcesses: ['AZRebalance'],
      tag: Object.entries(all).map(([key, value]) => ({ key, value, propagateAtLaunch: true })),
      lifecycle: { preventDestroy: protect },
      dependsOn: [...before],
    });
    return { name, count, group };
  });
}

const encoded = ({ text, gzip }: Payload): string => Buffer.from(gzip ?? text).toString('base64');
