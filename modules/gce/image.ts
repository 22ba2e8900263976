import { DataGoogleComputeImage } from '@cdktf/provider-google/lib/data-google-compute-image/index.js';
import type { TerraformStack } from 'cdktf';
import type { GceTarget } from '../cluster/cluster.ts';
import { flatcarFamily } from '../release/flatcar.ts';
import { add } from '../terraform/add.ts';

export interface BootImage {
  readonly image: string;
  /**
   * Whether the description names it. One that was looked up is that of the day on which a machine was made: a newer one
   * replaces nothing.
   */
  readonly pinned: boolean;
}

export function bootImage(stack: TerraformStack, { image, os }: GceTarget): BootImage {
  if (image !== undefined) return { image: image, pinned: true };
  return { image: add(stack, DataGoogleComputeImage, 'flatcar', flatcarFamily(os)).selfLink, pinned: false };
}
