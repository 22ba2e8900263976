/** What is fetched, and from where: the release channel's word, with the registry and the mirror of a description before it. */
import { softwareNames, type ReleaseChannel, type Software, type SoftwareName } from './channel.ts';
import type { Sources } from './sources.ts';

/** A file to fetch. */
export interface Download {
  readonly url: string;
  /** 64 hexadecimal digits; undefined where nobody gave one. */
  readonly sha256: string | undefined;
  readonly version: string;
}

type Registry = Pick<Sources, 'registry'>;
type Mirror = Pick<Sources, 'mirror'>;

/**
 * The whole reference of a component's image, as `docker run` takes it: `registry.example.com/hub/calico/node:v2.6.12`.
 * Throws for a component that the channel has no image of, which is a fault of the caller, not of a user.
 */
export function image(release: ReleaseChannel, { registry }: Registry, name: SoftwareName): string {
  const found = component(release, name).image;
  if (found === undefined) throw new Error(`Release ${release.name} has no image of ${name}.`);
  return registry === undefined ? found : `${registry}/${found}`;
}

/** The file of a component. Throws as `image` does. */
export function download(release: ReleaseChannel, { mirror }: Mirror, name: SoftwareName): Download {
  const { url, sha256, version, ownUrl } = component(release, name);
  if (url === undefined) throw new Error(`Release ${release.name} has no download of ${name}.`);
  return { url: ownUrl ? url : mirrored(url, mirror), sha256, version };
}

/** https://github.com/x becomes MIRROR/github.com/x. */
export function mirrored(url: string, mirror: string | undefined): string {
  return mirror === undefined ? url : `${mirror}/${url.replace(/^https?:\/\//, '')}`;
}

function component(release: ReleaseChannel, name: SoftwareName): Software {
  const found = release.software[name];
  if (found === undefined) throw new Error(`Release ${release.name} has no ${name}.`);
  return found;
}

/** What a release takes of the world for one component. */
export interface Artifact {
  readonly name: SoftwareName;
  readonly version: string;
  /** A package comes from where the host's package manager looks, which a release does not know. */
  readonly kind: 'image' | 'file' | 'package';
  /** Image reference or address, with registry or mirror before it; undefined for a package. */
  readonly from: string | undefined;
  readonly sha256: string | undefined;
}

/** Every component of a release, in the order of `softwareNames`. */
export function artifacts(release: ReleaseChannel, sources: Registry & Mirror): readonly Artifact[] {
  return softwareNames.flatMap((name): Artifact[] => {
    const found = release.software[name];
    if (found === undefined) return [];
    const { version } = found;
    if (found.url !== undefined) {
      const { url, sha256 } = download(release, sources, name);
      return [{ name, version, kind: 'file', from: url, sha256 }];
    }
    if (found.image === undefined) return [{ name, version, kind: 'package', from: undefined, sha256: undefined }];
    return [{ name, version, kind: 'image', from: image(release, sources, name), sha256: undefined }];
  });
}
