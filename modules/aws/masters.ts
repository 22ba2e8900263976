/** Masters: each a machine of its own, with an address and a volume that outlive it. */
import { EbsVolume } from '@cdktf/provider-aws/lib/ebs-volume/index.js';
import { Eip } from '@cdktf/provider-aws/lib/eip/index.js';
import { Instance } from '@cdktf/provider-aws/lib/instance/index.js';
import { NetworkInterface } from '@cdktf/provider-aws/lib/network-interface/index.js';
import { VolumeAttachment } from '@cdktf/provider-aws/lib/volume-attachment/index.js';
import type { TerraformStack } from 'cdktf';
import type { Boot } from '../node/boot.ts';
import type { Payload } from '../node/payload.ts';
import { add } from '../terraform/add.ts';
import type { InventoryMaster } from '../terraform/handover.ts';
import { literal } from '../terraform/literal.ts';
import type { Groups } from './firewall.ts';
import type { BootImage } from './image.ts';
import { metadataOptions, volume, volumeType } from './machine.ts';
import { tagsOf, type AwsCluster } from './names.ts';
import type { Place } from './network.ts';

/** Where AWS is told that the data volume is; the kernel of a Nitro machine calls it /dev/nvme1n1. */
const dataDevice = '/dev/sdf';

export interface Masters {
  /** What holds their addresses, so that an agent is not given one of them. */
  readonly interfaces: readonly NetworkInterface[];
  readonly inventory: readonly InventoryMaster[];
}

export function masters(
  stack: TerraformStack,
  cluster: AwsCluster,
  { place, groups, image, key }: { place: Place; groups: Groups; image: BootImage; key: string | undefined },
  boots: ReadonlyMap<string, Boot>,
): Masters {
  const { target, protect } = cluster;
  const { machine } = cluster.masters;
  if (machine.kind !== 'cloud') throw new Error('masters on AWS have a machine type');
  const interfaces: NetworkInterface[] = [];
  const inventory: InventoryMaster[] = [];
  let before: Instance | undefined;
  for (const { name, address, zone } of cluster.nodes.filter(({ role }) => role === 'master')) {
    const boot = boots.get(name);
    if (boot === undefined || address === undefined || zone === undefined) throw new Error(`${name} is not planned`);
    const tags = tagsOf(cluster, name, 'master');
    const port = add(stack, NetworkInterface, name, {
      subnetId: place.subnets[zone]!,
      privateIps: [address],
      securityGroups: [groups.master],
      // Packets between tasks are wrapped, and the outer addresses are those of the machines.
      sourceDestCheck: true,
      description: `${name} of the mesos-calico cluster ${cluster.name}`,
      tags,
    });
    // AWS gives an interface that outlives its machine no address of its own accord.
    const outer = place.open
      ? add(stack, Eip, name, { domain: 'vpc', networkInterface: port.id, tags, dependsOn: [...place.gateway] })
      : undefined;
    const instance = add(stack, Instance, name, {
      ami: image.id,
      instanceType: machine.type,
      networkInterface: [{ deviceIndex: 0, networkInterfaceId: port.id }],
      rootBlockDevice: { volumeType, volumeSize: machine.disk, ...volume(key), deleteOnTermination: true, tags },
      metadataOptions,
      ...(target.instanceProfile !== undefined && { iamInstanceProfile: target.instanceProfile }),
      ...userData(boot.payload),
      disableApiTermination: protect,
      monitoring: false,
      tags,
      lifecycle: { preventDestroy: protect, ...(!image.pinned && { ignoreChanges: ['ami'] }) },
      // One after the other, so that what stops a machine leaves the others their quorum.
      dependsOn: [...(before ? [before] : []), ...(outer ? [outer] : [])],
    });
    const data = add(stack, EbsVolume, `${name}-data`, {
      availabilityZone: zone,
      type: volumeType,
      size: machine.dataDisk,
      ...volume(key),
      tags: tagsOf(cluster, `${name}-data`, 'master'),
      lifecycle: { preventDestroy: protect },
    });
    add(stack, VolumeAttachment, `${name}-data`, {
      deviceName: dataDevice,
      instanceId: instance.id,
      volumeId: data.id,
      // A volume that is mounted does not let go.
      stopInstanceBeforeDetaching: true,
    });
    before = instance;
    interfaces.push(port);
    inventory.push({ name, zone, address, publicAddress: outer?.publicIp ?? null });
  }
  return { interfaces, inventory };
}

/**
 * coreos-cloudinit reads it on every boot, so that a new one only needs a restart; Ignition reads it on the first boot only,
 * so that a new one needs a new machine.
 */
function userData({ format, text, gzip }: Payload) {
  return {
    ...(gzip === undefined ? { userData: literal(text) } : { userDataBase64: Buffer.from(gzip).toString('base64') }),
    userDataReplaceOnChange: format === 'ignition',
  };
}
