/** IPv4 addresses and ranges as numbers. */
import type { Value } from './values.ts';

export interface Range {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

export function parseAddress(text: Value | undefined): number | undefined {
  const bytes =
    typeof text === 'string' && /^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) ? text.split('.').map(Number) : [256];
  return bytes.some((byte) => byte > 255) ? undefined : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** Undefined where the text is no range, or has bits set behind its prefix, which the API refuses. */
export function parseRange(text: Value | undefined): Range | undefined {
  if (typeof text !== 'string') return undefined;
  const [, address, digits] = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text) ?? [];
  const first = parseAddress(address);
  const prefix = Number(digits);
  const size = 2 ** (32 - prefix);
  return first === undefined || first % size !== 0 ? undefined : { first, last: first + size - 1, prefix };
}

export const contains = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;
export const overlap = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last;
