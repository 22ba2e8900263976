import type { Channel, ReleaseChannel } from './channel.ts';
import { channels } from './channels.ts';
import { settled } from './override.ts';

/** A channel where it runs, before a description's overrides: on Flatcar, or on a host with packages. */
export function usualRelease(name: Channel['name'], onFlatcar: boolean): ReleaseChannel {
  const { flatcar, ...channel } = channels[name];
  return settled(channel, { ...channel.software, ...(onFlatcar && flatcar) });
}
