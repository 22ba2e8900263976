/** Agents: a pool is a template and a group that keeps its number of machines over its zones. */
import type { ComputeAddress } from '@cdktf/provider-google/lib/compute-address/index.js';
import { ComputeInstanceTemplate } from '@cdktf/provider-google/lib/compute-instance-template/index.js';
import { ComputeRegionInstanceGroupManager } from '@cdktf/provider-google/lib/compute-region-instance-group-manager/index.js';
import type { TerraformStack } from 'cdktf';
import type { Boot } from '../node/boot.ts';
import { add } from '../terraform/add.ts';
import type { InventoryPool } from '../terraform/handover.ts';
import type { BootImage } from './image.ts';
import { metadata, rootDiskType, serviceAccount, shielded } from './machine.ts';
import { labelsOf, nameOf, tagsOf, templatePrefix, type GceCluster } from './names.ts';
import type { Place } from './network.ts';

/** `taken`: addresses of masters, which a machine of a group could be given if they were not reserved before. */
export function pools(
  stack: TerraformStack,
  cluster: GceCluster,
  place: Place,
  { image, pinned }: BootImage,
  boots: ReadonlyMap<string, Boot>,
  taken: readonly ComputeAddress[],
): readonly InventoryPool[] {
  const { target, protect } = cluster;
  return Object.values(cluster.agents).map(({ name, count, machine }): InventoryPool => {
    const boot = boots.get(name);
    if (boot === undefined || machine.kind !== 'cloud') throw new Error(`the pool ${name} is not planned`);
    const group = nameOf(cluster, name);
    const template = add(stack, ComputeInstanceTemplate, name, {
      namePrefix: templatePrefix(cluster, name),
      machineType: machine.type,
      tags: tagsOf(cluster, 'agent'),
      labels: labelsOf(cluster, 'agent', name),
      metadata: metadata(boot.payload),
      networkInterface: [
        { subnetwork: place.subnetwork, ...(place.open && { accessConfig: [{ networkTier: 'PREMIUM' }] }) },
      ],
      disk: [
        {
          boot: true,
          autoDelete: true,
          sourceImage: image,
          diskSizeGb: machine.disk,
          diskType: rootDiskType,
          ...(target.kmsKey !== undefined && { diskEncryptionKey: { kmsKeySelfLink: target.kmsKey } }),
        },
      ],
      canIpForward: false,
      shieldedInstanceConfig: shielded,
      ...serviceAccount(target),
      ...(machine.spot && {
        scheduling: {
          provisioningModel: 'SPOT',
          preemptible: true,
          automaticRestart: false,
          instanceTerminationAction: 'STOP',
        },
      }),
      lifecycle: {
        // The group lets go of the old one only when it has the new one.
        createBeforeDestroy: true,
        ...(!pinned && { ignoreChanges: ['disk[0].source_image'] }),
      },
    });
    add(stack, ComputeRegionInstanceGroupManager, name, {
      name: group,
      baseInstanceName: group,
      region: target.region,
      distributionPolicyZones: [...machine.zones],
      distributionPolicyTargetShape: 'EVEN',
      targetSize: count,
      version: [{ instanceTemplate: template.selfLink }],
      updatePolicy: {
        type: 'PROACTIVE',
        minimalAction: 'REPLACE',
        // A machine is never taken down only because another zone has one less: tasks run on it.
        instanceRedistributionType: 'NONE',
        // New ones first. In a region both are 0 or at least the number of zones.
        maxSurgeFixed: machine.zones.length,
        maxUnavailableFixed: 0,
      },
      lifecycle: { preventDestroy: protect },
      dependsOn: [...taken],
    });
    return { name, count, group };
  });
}
