/** Which address the receiver sees: tasks of a masqueraded pool show their host's to whoever is in no pool. */
import { addressNumber, parseNet } from './address.ts';
import { addressNumber6, parseNet6 } from './address6.ts';
import type { Flow } from './chain.ts';
import type { Felix } from './felix.ts';
import type { Address } from './labels.ts';
import type { Host, IpVersion, PolicyState } from './model.ts';

export interface Seen {
  readonly text: string;
  readonly address: Address;
}

/** Undefined for a state without such a pool. The answer is undefined where the task's own address stays. */
export function masquerades(
  { pools = [] }: PolicyState,
  { quirks }: Felix,
): ((host: Host | undefined, flow: Flow, version: IpVersion) => Seen | undefined) | undefined {
  if (!pools.some(({ masquerade }) => masquerade)) return undefined;
  const all = pools.map(({ cidr, masquerade = false }) => ({ holds: holder(cidr), masquerade }));
  return (host, { from, to }, version) => {
    if (version === 6 && quirks.has('ipv6-not-masqueraded')) return undefined;
    if (!all.some(({ holds, masquerade }) => masquerade && holds(from)) || all.some(({ holds }) => holds(to))) {
      return undefined;
    }
    for (const text of host?.addresses ?? []) {
      const address = version === 4 ? addressNumber(text) : addressNumber6(text);
      if (address !== undefined) return { text, address };
    }
    return undefined;
  };
}

function holder(cidr: string): (address: Address) => boolean {
  const net = parseNet(cidr);
  if (net !== undefined) return (address) => typeof address === 'number' && (address & net.mask) === net.base;
  const net6 = parseNet6(cidr)!;
  return (address) => typeof address === 'bigint' && (address & net6.mask) === net6.base;
}
