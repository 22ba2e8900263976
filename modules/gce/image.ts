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
  const family = image === undefined ? flatcarFamily(os) : familyIn(image);
  if (family === undefined) return { image: image!, pinned: true };
  const found = add(stack, DataGoogleComputeImage, 'boot', {
    ...family,
    ...(image === undefined && os === 'flatcar-lts' && { lifecycle: { postcondition: [knownLts] } }),
  });
  return { image: found.selfLink, pinned: false };
}

/** A family is not an image: whoever names one takes the newest of the day, as with Flatcar's own. */
function familyIn(image: string): { readonly project: string; readonly family: string } | undefined {
  const [, project, family] = /projects\/([^/]+)\/global\/images\/family\/([^/]+)$/.exec(image) ?? [];
  return project === undefined || family === undefined ? undefined : { project, family };
}

/** LTS-2024 is the last with cgroup v1; Google's family moves on with Flatcar. */
const knownLts = {
  condition: '${startswith(self.name, "flatcar-lts-4081-")}',
  errorMessage:
    'The family flatcar-lts is not LTS-2024 (4081) any more, which this cluster needs: name an image of it.',
};
