import { Address6 } from 'ip-address';
import { canonicalCidr } from './address.ts';

/** An IPv6 network as numbers: an address is in it when `(address & mask) === base`. */
export interface Net6 {
  readonly base: bigint;
  readonly mask: bigint;
}

const all = (1n << 128n) - 1n;

/** An IPv6 address as a number; undefined if the text is none, or has a prefix length or a zone. */
export function addressNumber6(text: string): bigint | undefined {
  // Address6 also takes zones, prefix lengths and URLs.
  if (!/^[\da-fA-F:.]+$/.test(text) || !text.includes(':') || !Address6.isValid(text)) return undefined;
  return new Address6(text).bigInt();
}

/** As `canonicalCidr`, in the short form of RFC 5952: `FD00:0::1/64` is `fd00::/64`. Undefined if it is none. */
export function canonicalCidr6(text: string): string | undefined {
  const net = parseNet6(text);
  if (net === undefined) return undefined;
  return `${Address6.fromBigInt(net.base).correctForm()}/${text.split('/')[1] ?? '128'}`;
}

/** The canonical form of a network of either version. */
export function canonicalNet(text: string): string | undefined {
  return text.includes(':') ? canonicalCidr6(text) : canonicalCidr(text);
}

export function parseNet6(cidr: string): Net6 | undefined {
  const match = /^([^/]+)(?:\/(\d|[1-9]\d|1[01]\d|12[0-8]))?$/.exec(cidr);
  const address = match === null ? undefined : addressNumber6(match[1]!);
  if (address === undefined) return undefined;
  const mask = (all << BigInt(128 - Number(match![2] ?? 128))) & all;
  return { base: address & mask, mask };
}
