/** How a Mesos agent keeps the tasks of its own containerizer apart. Docker's containerizer leaves that to Docker. */
import type { Containerizer, ReleaseChannel } from './channel.ts';
import { compare } from './version.ts';

export interface Isolation {
  readonly launcher: string;
  /** The whole list: Mesos adds nothing to what it is given, so what is missing here is not isolated. */
  readonly isolators: readonly string[];
}

/** What net-modules calls its two modules. Source: its README. */
export const netModules = {
  isolator: 'com_mesosphere_mesos_NetworkIsolator',
  hook: 'com_mesosphere_mesos_NetworkHook',
} as const;

/** docker/runtime (ENTRYPOINT and the like of an image) came with 0.28; before, an image gave only its files. */
const dockerRuntime = '0.28';

/** Launcher and isolators of an agent. */
export function isolation(release: ReleaseChannel, containerizers: readonly Containerizer[]): Isolation {
  const limits = ['cgroups/cpu', 'cgroups/mem'];
  if (!containerizers.includes('mesos')) return { launcher: 'linux', isolators: limits };
  return {
    launcher: 'linux',
    isolators: [
      ...limits,
      'filesystem/linux',
      ...(compare(release.mesos, dockerRuntime) < 0 ? [] : ['docker/runtime']),
      release.unified.via === 'cni' ? 'network/cni' : netModules.isolator,
    ],
  };
}
