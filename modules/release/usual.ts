import type { Channel, ReleaseChannel } from './channel.ts';
import { channels } from './channels.ts';
import { hostOses, hostSoftware, type HostOsName } from './host-os.ts';
import { settled } from './override.ts';

/** A channel where it runs, before a description's overrides: on Flatcar, on a host with packages, or in the lab. */
export function usualRelease(name: Channel['name'], on: 'flatcar' | HostOsName | undefined): ReleaseChannel {
  const { flatcar, ...channel } = channels[name];
  const own = on === 'flatcar' ? flatcar : on && hostSoftware(name, hostOses[on]);
  return settled(channel, { ...channel.software, ...own });
}
