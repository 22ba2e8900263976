/**
 * Sets of addresses as lists of networks. What comes out is canonical: the fewest networks that do, lowest first.
 *
 *     subtract(net, holes)     -> the networks that hold the addresses of `net` that are in none of the holes
 *     excepting(net, holes)    -> the same addresses in parts of a network without at most one other: what a rule can say
 *     joined(version, nets)    -> the networks that hold the addresses of that IP version that are in any of these
 *     everything(version)      -> 0.0.0.0/0 or ::/0
 *
 * Networks of the other IP version have no address in common with a network. What is no network at all is a mistake of
 * the caller.
 */
import { Address6 } from 'ip-address';
import { addressNumber } from './address.ts';
import { addressNumber6, canonicalNet } from './address6.ts';
import type { IpVersion } from './model.ts';

/** The addresses of `cidr` that are not in `not`. */
export interface Part {
  readonly cidr: string;
  readonly not?: string;
}

/** The `length` highest bits of an address, which all addresses of the network share; the bits below are zero. */
interface Prefix {
  readonly version: IpVersion;
  readonly base: bigint;
  readonly length: number;
}

export function subtract(net: string, holes: readonly string[]): readonly string[] {
  const whole = prefixOf(net);
  return without(whole, holes.map(prefixOf)).map(text);
}

/** No address is in two parts. There are fewer than three for each hole, where `subtract` may need one for each bit. */
export function excepting(net: string, holes: readonly string[]): readonly Part[] {
  const whole = prefixOf(net);
  return parts(whole, joined(whole.version, holes).map(prefixOf));
}

export function joined(version: IpVersion, nets: readonly string[]): readonly string[] {
  const all = everything(version);
  return subtract(all, subtract(all, nets));
}

export function everything(version: IpVersion): string {
  return version === 4 ? '0.0.0.0/0' : '::/0';
}

export function versionOf(net: string): IpVersion {
  return net.includes(':') ? 6 : 4;
}

/** Cut in half until a half is wholly in a hole or wholly outside of all: at most as deep as an address has bits. */
function without(prefix: Prefix, holes: readonly Prefix[]): readonly Prefix[] {
  const touching = holes.filter((hole) => contains(hole, prefix) || contains(prefix, hole));
  if (touching.length === 0) return [prefix];
  if (touching.some((hole) => contains(hole, prefix))) return [];
  return halves(prefix).flatMap((half) => without(half, touching));
}

/** `holes` have no address in common, and no two of them are together one network. */
function parts(prefix: Prefix, holes: readonly Prefix[]): readonly Part[] {
  if (holes.some((hole) => contains(hole, prefix))) return [];
  const [first, ...rest] = holes.filter((hole) => contains(prefix, hole));
  const cidr = text(prefix);
  if (first === undefined) return [{ cidr }];
  if (rest.length === 0) return [{ cidr, not: text(first) }];
  const around = rest.reduce(smallestAround, first);
  if (around.length > prefix.length) return [{ cidr, not: text(around) }, ...parts(around, holes)];
  return halves(prefix).flatMap((half) => parts(half, holes));
}

/** The smallest network that has both in it. */
function smallestAround(one: Prefix, other: Prefix): Prefix {
  let around = one;
  while (!contains(around, other)) {
    const below = BigInt(bits(around) - around.length + 1);
    around = { ...around, base: (around.base >> below) << below, length: around.length - 1 };
  }
  return around;
}

function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.version !== inner.version || outer.length > inner.length) return false;
  const below = BigInt(bits(outer) - outer.length);
  return outer.base >> below === inner.base >> below;
}

function halves({ version, base, length }: Prefix): readonly Prefix[] {
  const upper = base | (1n << BigInt(bits({ version }) - length - 1));
  return [base, upper].map((one) => ({ version, base: one, length: length + 1 }));
}

function bits({ version }: Pick<Prefix, 'version'>): number {
  return version === 4 ? 32 : 128;
}

function prefixOf(net: string): Prefix {
  const [address, length] = canonicalNet(net)?.split('/') ?? [];
  if (address === undefined) throw new RangeError(`${JSON.stringify(net)} is no network`);
  const version = versionOf(net);
  // The number of an IPv4 address is signed.
  const base = version === 4 ? BigInt(addressNumber(address)! >>> 0) : addressNumber6(address)!;
  return { version, base, length: Number(length) };
}

function text({ version, base, length }: Prefix): string {
  if (version === 6) return `${Address6.fromBigInt(base).correctForm()}/${length}`;
  const parts = [24n, 16n, 8n, 0n].map((shift) => (base >> shift) & 255n);
  return `${parts.join('.')}/${length}`;
}
