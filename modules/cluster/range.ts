/** Address ranges in CIDR form, IPv4 and IPv6. The arithmetic is ip-address'; this file only says what we ask of it. */
import { Address4, Address6 } from 'ip-address';

export interface Range {
  /** Canonical form: `10.0.0.0/8`, `fd00::/48`. */
  readonly cidr: string;
  readonly family: 4 | 6;
  /** Prefix length. */
  readonly prefix: number;
  /** First and last address, both included. */
  readonly first: bigint;
  readonly last: bigint;
}

/** Why a text is no range: not an address at all, no prefix length, or bits set behind the prefix. */
export type NoRange =
  { readonly fault: 'form' | 'no prefix' } | { readonly fault: 'host bits'; readonly meant: string };

const before = new Map<string, Range | NoRange>();

/** Reads `10.0.0.0/8`. A range that begins elsewhere than at its network address is refused: it is mostly a slip. */
export function readRange(text: string): Range | NoRange {
  let found = before.get(text);
  if (found === undefined) {
    // Checks ask for the same few ranges over and over; a map that only grew would be a leak in a long-lived process.
    if (before.size > 10_000) before.clear();
    found = parse(text);
    before.set(text, found);
  }
  return found;
}

function parse(text: string): Range | NoRange {
  const [address = '', prefix, more] = text.split('/');
  if (more !== undefined || (prefix !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(prefix))) return { fault: 'form' };
  const parsed = address4(text) ?? address6(text);
  if (parsed === undefined || address.includes('%')) return { fault: 'form' };
  if (prefix === undefined) return { fault: 'no prefix' };
  const first = parsed.startAddress();
  const cidr = `${first.correctForm()}/${parsed.subnetMask}`;
  if (first.bigInt() !== parsed.bigInt()) return { fault: 'host bits', meant: cidr };
  return {
    cidr,
    family: parsed instanceof Address4 ? 4 : 6,
    prefix: parsed.subnetMask,
    first: first.bigInt(),
    last: parsed.endAddress().bigInt(),
  };
}

/** The range of a text that the schema has let through. */
export function range(cidr: string): Range {
  const found = readRange(cidr);
  if ('fault' in found) throw new TypeError(`not a range: ${cidr}`);
  return found;
}

/** Whether a text is one IPv4 address, without a prefix length. */
export function isAddress4(text: string): boolean {
  return !text.includes('/') && address4(text) !== undefined;
}

export function isAddress6(text: string): boolean {
  return !text.includes('/') && !text.includes('%') && address6(text) !== undefined;
}

export function overlap(a: Range, b: Range): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Range, inner: Range): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** How many addresses. */
export function size(of: Range): bigint {
  return of.last - of.first + 1n;
}

/** One of the 2^bits equal parts of an IPv4 range, counted from 0: `part('10.0.0.0/16', 3, 1)` is 10.0.32.0/19. */
export function part(cidr: string, bits: number, index: number): string {
  const { first, prefix } = range(cidr);
  const inner = prefix + bits;
  return `${text4(first + (BigInt(index) << BigInt(32 - inner)))}/${inner}`;
}

/** An address of an IPv4 range, counted from 0. Past the last address of all it goes on at 0.0.0.0, for checks to refuse. */
export const addressAt = (cidr: string, index: number): string => text4(range(cidr).first + BigInt(index));

const text4 = (address: bigint): string => Address4.fromBigInt(BigInt.asUintN(32, address)).correctForm();

/** ip-address takes 010.0.0.1 and reads it as decimal, where others read it as octal; nobody means it. */
function address4(text: string): Address4 | undefined {
  if (!Address4.isValid(text) || /(^|\.)0[0-9]/.test(text)) return undefined;
  return new Address4(text);
}

function address6(text: string): Address6 | undefined {
  return text.includes(':') && Address6.isValid(text) ? new Address6(text) : undefined;
}
