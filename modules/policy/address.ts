import { Address4 } from 'ip-address';

/** An IPv4 network as numbers: an address is in it when `(address & mask) === base`, all as signed 32-bit. */
export interface Net {
  readonly base: number;
  readonly mask: number;
}

/** An IPv4 address as a signed 32-bit number, so that it compares equal to what `&` yields; undefined if it is none. */
export function addressNumber(text: string): number | undefined {
  if (text.includes('/')) return undefined;
  const address = parse4(text);
  return address?.parsedAddress.reduce((number, part) => (number << 8) | Number(part), 0);
}

/**
 * The canonical form of an IPv4 CIDR, host bits cleared: `10.1.2.3/8` is `10.0.0.0/8`, an address alone is a `/32`.
 * Undefined if the text is neither.
 */
export function canonicalCidr(text: string): string | undefined {
  // Address4 takes /08 for /8; calicoctl's netaddr does too, but nobody means it.
  if (!/^[\d.]+(\/(\d|[12]\d|3[0-2]))?$/.test(text)) return undefined;
  const address = parse4(text);
  return address === undefined ? undefined : `${address.startAddress().correctForm()}/${address.subnetMask}`;
}

export function parseNet(cidr: string): Net | undefined {
  const canonical = canonicalCidr(cidr);
  if (canonical === undefined) return undefined;
  const [address, bits] = canonical.split('/');
  const mask = bits === '0' ? 0 : -1 << (32 - Number(bits));
  return { base: addressNumber(address!)! & mask, mask };
}

/** Four plain decimal numbers: no leading zeros, which some programs read as octal. */
function parse4(text: string): Address4 | undefined {
  const plain = text.split('/')[0]!;
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(plain) || !Address4.isValid(text)) return undefined;
  const address = new Address4(text);
  return address.correctForm() === plain ? address : undefined;
}
