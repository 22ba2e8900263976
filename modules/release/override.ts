import type { ReleaseChannel, Software, SoftwareName } from './channel.ts';

/** What a description may say of one component. */
export type Override = { readonly [K in keyof Software]?: Software[K] | undefined };

/** The channel with a description's overrides in it. An image keeps its repository and takes the version as its tag. */
export function override(
  channel: ReleaseChannel,
  changes: Readonly<Partial<Record<SoftwareName, Override>>>,
): ReleaseChannel {
  const software: Partial<Record<SoftwareName, Software>> = { ...channel.software };
  for (const [name, change] of Object.entries(changes) as [SoftwareName, Override][]) {
    software[name] = merge(software[name], change);
  }
  return {
    ...channel,
    software,
    calico: software['calico-node']?.version ?? channel.calico,
    mesos: software.mesos?.version ?? channel.mesos,
    docker: { ...channel.docker, version: software.docker?.version ?? channel.docker.version },
  };
}

function merge(before: Software | undefined, change: Override): Software {
  const version = change.version ?? before?.version ?? 'unknown';
  const same = version === before?.version;
  const image = change.image ?? (same ? before.image : retag(before?.image, version));
  const url = change.url ?? (same ? before.url : before?.url?.replaceAll(before.version, version));
  // A checksum belongs to one download: it never outlives a change of it.
  const sha256 = change.sha256 ?? (same && change.url === undefined ? before.sha256 : undefined);
  return { version, ...(image && { image }), ...(url && { url }), ...(sha256 && { sha256 }) };
}

function retag(image: string | undefined, version: string): string | undefined {
  return image?.replace(/:(v?)[^:/]*$/, (_, v: string) => `:${v}${version.replace(/^v/, '')}`);
}
