import { DataAwsAmi } from '@cdktf/provider-aws/lib/data-aws-ami/index.js';
import type { TerraformStack } from 'cdktf';
import type { AwsTarget } from '../cluster/cluster.ts';
import { flatcarAmi } from '../release/flatcar.ts';
import { add } from '../terraform/add.ts';

export interface BootImage {
  readonly id: string;
  /**
   * Whether the description names it. One that was looked up is that of the day on which a machine was made: a newer one
   * replaces nothing.
   */
  readonly pinned: boolean;
}

/** What Flatcar's images, and those that are made from them, call their first volume. */
export const rootDevice = '/dev/xvda';

export function bootImage(stack: TerraformStack, { image, os }: AwsTarget): BootImage {
  if (image !== undefined) return { id: image, pinned: true };
  const { owner, name } = flatcarAmi(os);
  const found = add(stack, DataAwsAmi, 'flatcar', {
    owners: [owner],
    mostRecent: true,
    filter: [
      { name: 'name', values: [name] },
      { name: 'architecture', values: ['x86_64'] },
      { name: 'virtualization-type', values: ['hvm'] },
    ],
  });
  return { id: found.id, pinned: false };
}
