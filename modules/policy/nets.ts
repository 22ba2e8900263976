/**
 * Lists of networks in one rule, as the last versions of Calico have them. A rule of the model has one network and one
 * negated network for each end, so that one rule there may be several here, which match the same.
 *
 *     sidesOf(peer, nets) -> the end, once for each network that it takes to say it
 */
import { everything, excepting, joined, versionOf, type Part } from './cidrs.ts';
import type { Peer } from './model.ts';

/** What a rule says of the addresses of one end. */
export interface Nets {
  /** Absent: everybody's. */
  readonly any?: readonly string[];
  readonly none?: readonly string[];
}

/** More than this is no policy that anybody could read, and no chain that a kernel should walk. */
export const mostRules = 1000;

/** All networks are of one IP version. */
export function sidesOf(peer: Peer, { any, none = [] }: Nets): readonly Peer[] {
  if (none.length === 0) return any === undefined ? [peer] : any.map((cidr) => ({ ...peer, cidr }));
  const version = versionOf(none[0]!);
  const [hole, ...more] = joined(version, none);
  // One exception is said as it stands, also where it takes nothing or all away.
  const around = (net: string): readonly Part[] =>
    more.length === 0 ? [{ cidr: net, not: hole! }] : excepting(net, [hole!, ...more]);
  return (any ?? [everything(version)]).flatMap(around).map(({ cidr, not }) => ({
    ...peer,
    ...(any === undefined && cidr === everything(version) ? {} : { cidr }),
    ...(not === undefined ? {} : { not: { ...peer.not, cidr: not } }),
  }));
}
