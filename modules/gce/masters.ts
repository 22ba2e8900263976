/** Masters: each a machine of its own, with an address and a data disk that outlive it. */
import { createHash } from 'node:crypto';
import { ComputeAddress } from '@cdktf/provider-google/lib/compute-address/index.js';
import { ComputeDisk } from '@cdktf/provider-google/lib/compute-disk/index.js';
import { ComputeInstance } from '@cdktf/provider-google/lib/compute-instance/index.js';
import { DataResource, type TerraformStack } from 'cdktf';
import type { Boot } from '../node/boot.ts';
import type { Payload } from '../node/payload.ts';
import { add } from '../terraform/add.ts';
import type { InventoryMaster } from '../terraform/handover.ts';
import type { BootImage } from './image.ts';
import { dataDiskType, metadata, rootDiskType, serviceAccount, shielded } from './machine.ts';
import { labelsOf, nameOf, tagsOf, type GceCluster } from './names.ts';
import type { Place } from './network.ts';

export interface Masters {
  /** The internal addresses, which agents must not take before them. */
  readonly addresses: readonly ComputeAddress[];
  readonly inventory: readonly InventoryMaster[];
}

export function masters(
  stack: TerraformStack,
  cluster: GceCluster,
  place: Place,
  { image, pinned }: BootImage,
  boots: ReadonlyMap<string, Boot>,
): Masters {
  const { target, protect } = cluster;
  const { machine } = cluster.masters;
  if (machine.kind !== 'cloud') throw new Error('masters on Google Cloud have a machine type');
  const labels = labelsOf(cluster, 'master');
  const { kmsKey: key } = target;
  const addresses: ComputeAddress[] = [];
  const inventory: InventoryMaster[] = [];
  let before: ComputeInstance | undefined;
  for (const { name, address, zone } of cluster.nodes.filter(({ role }) => role === 'master')) {
    const boot = boots.get(name);
    if (boot === undefined || address === undefined || zone === undefined) throw new Error(`${name} is not planned`);
    const inner = add(stack, ComputeAddress, name, {
      name: nameOf(cluster, name),
      region: target.region,
      addressType: 'INTERNAL',
      subnetwork: place.subnetwork,
      address,
      labels,
    });
    const outer = place.open
      ? add(stack, ComputeAddress, `${name}-public`, {
          name: nameOf(cluster, `${name}-public`),
          region: target.region,
          addressType: 'EXTERNAL',
          labels,
          // So that it goes only when its machine has let go of it, which Google insists on.
          lifecycle: { createBeforeDestroy: true },
        })
      : undefined;
    const data = add(stack, ComputeDisk, `${name}-data`, {
      name: nameOf(cluster, `${name}-data`),
      zone,
      type: dataDiskType,
      size: machine.dataDisk,
      ...(key !== undefined && { diskEncryptionKey: { kmsKeySelfLink: key } }),
      labels,
      lifecycle: { preventDestroy: protect },
    });
    const remake = firstBootOnly(stack, name, boot.payload);
    before = add(stack, ComputeInstance, name, {
      name: nameOf(cluster, name),
      zone,
      machineType: machine.type,
      tags: tagsOf(cluster, 'master'),
      labels,
      metadata: metadata(boot.payload),
      networkInterface: [
        {
          subnetwork: place.subnetwork,
          networkIp: inner.address,
          ...(outer && { accessConfig: [{ natIp: outer.address }] }),
        },
      ],
      bootDisk: {
        autoDelete: true,
        initializeParams: { image, size: machine.disk, type: rootDiskType },
        ...(key !== undefined && { kmsKeySelfLink: key }),
      },
      // A disk of its own that is attached, not made with the machine: it is there before the first boot, and stays after
      // the machine.
      attachedDisk: [{ source: data.id, deviceName: 'data' }],
      canIpForward: false,
      shieldedInstanceConfig: shielded,
      ...serviceAccount(target),
      deletionProtection: protect,
      allowStoppingForUpdate: true,
      lifecycle: {
        preventDestroy: protect,
        ...(!pinned && { ignoreChanges: ['boot_disk[0].initialize_params[0].image'] }),
        ...(remake !== undefined && { replaceTriggeredBy: [remake] }),
      },
      // One after the other, so that what stops a machine leaves the others their quorum.
      ...(before && { dependsOn: [before] }),
    });
    addresses.push(inner);
    inventory.push({ name, zone, address, publicAddress: outer?.address ?? null });
  }
  return { addresses, inventory };
}

/**
 * coreos-cloudinit reads metadata on every boot, so that a new payload only needs a restart; Ignition reads it on the first
 * boot only, so that a new one needs a new machine. Metadata by themselves change in place.
 */
function firstBootOnly(stack: TerraformStack, name: string, { format, text }: Payload): string | undefined {
  if (format !== 'ignition') return undefined;
  const sum = createHash('sha256').update(text).digest('hex');
  add(stack, DataResource, `${name}-payload`, { triggersReplace: { sha256: sum } });
  // As Terraform wants it here: a plain reference, where cdktf would write a template for the construct.
  return `${DataResource.tfResourceType}.${name}-payload`;
}
