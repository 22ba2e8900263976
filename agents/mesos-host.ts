/** Mesos as a package, with a file per flag, as its packages have had it from the beginning. */
import type { Cluster } from '../modules/cluster/cluster.ts';
import type { FileSpec } from '../modules/node/fragment.ts';
import type { PackageSpec } from '../modules/node/host.ts';
import { download } from '../modules/release/artifact.ts';

/** The package: a file where the release or the description has one, else whatever the host's repositories know. */
export function mesosPackage({ release, sources }: Cluster): PackageSpec {
  if (release.software.mesos?.url === undefined) return { name: 'mesos', version: release.mesos, hold: true };
  const file = download(release, sources, 'mesos');
  // aventer-mesos_1.11.0-0.7.1.debian12_amd64.deb, mesos-1.11.1-0.1.el8.x86_64.rpm
  const name = /\/([a-z][a-z-]*?)[-_]\d[^/]*$/.exec(file.url)?.[1] ?? 'mesos';
  return { name, file, hold: true };
}

/** What starts it: reads the files, as the wrapper in the packages does, of which nobody knows whether a fork has it. */
export const mesosStart: FileSpec = {
  path: '/opt/mesos-calico/mesos-start',
  mode: 0o755,
  content: { template: 'mesos-host/start.sh' },
};

/** Lists that others may have begun. A word of theirs goes only where Mesos would refuse the two of them together. */
const lists: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  containerizers: {},
  image_providers: {},
  isolation: {
    'filesystem/linux': 'filesystem/posix',
    'cgroups/cpu': 'posix/cpu',
    'cgroups/mem': 'posix/mem',
  },
  hooks: {},
};

export const flagFiles = (
  folder: string,
  restarts: readonly string[],
  flags: readonly (readonly [flag: string, value: string])[],
  theirs?: string,
): readonly FileSpec[] =>
  flags.map(([flag, value]) => {
    const instead = lists[flag];
    return {
      path: `${folder}/${flag}`,
      restarts,
      content: { lines: [value] },
      ...(instead && { merge: { kind: 'list', instead, ...(theirs !== undefined && { theirs }) } }),
    };
  });
