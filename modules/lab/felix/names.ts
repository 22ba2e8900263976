/** What Felix calls its sets and chains in the kernel. Source: Felix 1.4 `ipsets.py`, `futils.py`, `fiptgenerator.py`. */
import { createHash } from 'node:crypto';
import type { Direction, IpVersion } from '../../policy/model.ts';

/** An ipset's name holds 31 characters, and the one built aside, which no tag may be able to spell, is four longer. */
export const setName = (tag: string, version: IpVersion = 4): string => `felix-v${version}-${short(tag, 18)}`;

/** No tag has a blank in it, so no tag has this name. */
export const selectorSetName = (selector: string, version: IpVersion = 4): string =>
  `felix-v${version}-${hashed(`selector ${selector}`, 18)}`;

/** Of the set that is built aside and then swapped in. */
export const asideName = (set: string): string => set.replace(/^felix-v/, 'felix-tmp-v');

/** Whether a set is one of IPv6. */
export const isSix = (set: string): boolean => set.startsWith('felix-v6-');

/** A chain's name holds 28 characters. */
export const profileChain = (profile: string, direction: Direction): string =>
  `felix-p-${short(profile, 16)}-${direction === 'inbound' ? 'i' : 'o'}`;

/** No profile has a slash in its name. */
export const policyChain = (tier: string, policy: string, direction: Direction): string =>
  profileChain(`${tier}/${policy}`, direction);

/** Felix's `uniquely_shorten`: the name itself if it fits, else an underscore and the start of its hash. */
const short = (name: string, length: number): string => (name.length <= length ? name : hashed(name, length));

const hashed = (text: string, length: number): string =>
  `_${createHash('sha1')
    .update(text)
    .digest('hex')
    .slice(0, length - 1)}`;
