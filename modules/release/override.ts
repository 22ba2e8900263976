import { netGroupPrefix } from './calico.ts';
import { pluginNames } from './docker.ts';
import type { ReleaseChannel, Software, SoftwareName } from './channel.ts';

/** What a description may say of one component. */
export type Override = Readonly<Partial<Record<'version' | 'image' | 'url' | 'sha256', string | undefined>>>;

/** The channel with a description's overrides in it. An image keeps its repository and takes the version as its tag. */
export function override(
  channel: ReleaseChannel,
  changes: Readonly<Partial<Record<SoftwareName, Override>>>,
): ReleaseChannel {
  const software: Partial<Record<SoftwareName, Software>> = { ...channel.software };
  for (const [name, change] of Object.entries(changes) as [SoftwareName, Override][]) {
    software[name] = merge(software[name], change);
  }
  return settled(channel, software);
}

/** The short names, and what single versions call things, follow the components. */
export function settled(channel: ReleaseChannel, software: ReleaseChannel['software']): ReleaseChannel {
  const plugin = software['docker-plugin']?.version;
  const groups = software['calico-mesos']?.version;
  return {
    ...channel,
    software,
    calico: software['calico-node']?.version ?? channel.calico,
    mesos: software.mesos?.version ?? channel.mesos,
    docker: {
      ...channel.docker,
      ...(software.docker && { version: software.docker.version }),
      // Where no plugin is named it is the one in calico/node, and the channel knows its names.
      ...(plugin && pluginNames(plugin)),
    },
    unified: { ...channel.unified, ...(groups && { profilePrefix: netGroupPrefix(groups) }) },
  };
}

function merge(before: Software | undefined, change: Override): Software {
  const version = change.version ?? before?.version ?? 'unknown';
  const same = version === before?.version;
  const image = change.image ?? (same ? before.image : retag(before?.image, version));
  const url = change.url ?? (same ? before.url : before?.url?.replaceAll(bare(before.version), bare(version)));
  const ownUrl = change.url !== undefined || before?.ownUrl;
  // A checksum belongs to one download: it never outlives a change of it.
  const sha256 = change.sha256 ?? (same && change.url === undefined ? before.sha256 : undefined);
  const why = same && change.image === undefined ? before.why : undefined;
  return {
    version,
    ...(image && { image }),
    ...(url && { url }),
    ...(ownUrl && { ownUrl }),
    ...(sha256 && { sha256 }),
    ...(why && { why }),
  };
}

const bare = (version: string) => version.replace(/^v/, '');

function retag(image: string | undefined, version: string): string | undefined {
  return image?.replace(/:(v?)[^:/]*$/, (_, v: string) => `:${v}${bare(version)}`);
}
