/** Where Flatcar publishes its machine images. Source: Flatcar's pages on AWS and Google Cloud, typhoon and kops. */

export type FlatcarOs = 'flatcar-stable' | 'flatcar-beta' | 'flatcar-alpha' | 'flatcar-lts';

/** LTS-2024: a later LTS boots with cgroup v2 only. */
const amis = {
  'flatcar-stable': 'Flatcar-stable-*-hvm',
  'flatcar-beta': 'Flatcar-beta-*-hvm',
  'flatcar-alpha': 'Flatcar-alpha-*-hvm',
  'flatcar-lts': 'Flatcar-lts-4081.*-hvm',
} as const;

/** Flatcar's account, and its names. Whoever looks an image up by its name alone gets the one that somebody else called so. */
export function flatcarAmi(os: FlatcarOs): { readonly owner: string; readonly name: string } {
  return { owner: '075585003325', name: amis[os] };
}

/** Nobody may list the images of this project, so that only their families can be asked for. */
export function flatcarFamily(os: FlatcarOs): { readonly project: string; readonly family: string } {
  return { project: 'kinvolk-public', family: os };
}
