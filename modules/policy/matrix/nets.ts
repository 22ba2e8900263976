/**
 * Endpoints sorted by their addresses of one IP version, so that a network is a range of them.
 *
 *     addressOrder(endpoints, version) -> AddressOrder
 *     inNet(order, cidr)               -> the endpoints in the network, as a part of the order
 *     smallestNets(order, cidrs)       -> by endpoint: the smallest of the networks that holds it; -1 for none
 *
 * Networks nest, so the smallest one decides all the others.
 */
import { addressNumber, parseNet } from '../address.ts';
import { addressNumber6, parseNet6 } from '../address6.ts';
import type { Endpoint, IpVersion } from '../model.ts';

export interface AddressOrder {
  readonly version: IpVersion;
  /** Endpoints that have an address, by address. */
  readonly endpoints: Int32Array;
  /** Their addresses, ascending; IPv4 as unsigned numbers. */
  readonly addresses: readonly (number | bigint)[];
}

export function addressOrder(endpoints: readonly Endpoint[], version: IpVersion): AddressOrder {
  const addresses = endpoints.map(({ address, address6 }) => {
    if (version === 4) return addressNumber(address)! >>> 0;
    return address6 === undefined ? undefined : addressNumber6(address6)!;
  });
  const order = Int32Array.from([...addresses.keys()].filter((index) => addresses[index] !== undefined));
  order.sort((a, b) => (addresses[a]! < addresses[b]! ? -1 : 1));
  return { version, endpoints: order, addresses: Array.from(order, (index) => addresses[index]!) };
}

/** A CIDR of the other IP version holds nobody. */
export function inNet(order: AddressOrder, cidr: string): Int32Array {
  const [first, last] = bounds(cidr, order.version);
  return order.endpoints.subarray(firstFrom(order.addresses, first), firstAfter(order.addresses, last));
}

export function smallestNets(order: AddressOrder, cidrs: readonly string[], amount: number): Int32Array {
  const result = new Int32Array(amount).fill(-1);
  const nets = cidrs.map((cidr) => inNet(order, cidr)).sort((a, b) => b.length - a.length);
  for (const [number, net] of nets.entries()) for (const endpoint of net) result[endpoint] = number;
  return result;
}

/** The first and the last address; a first one above the last for what is no network of this version. */
function bounds(cidr: string, version: IpVersion): readonly [first: number | bigint, last: number | bigint] {
  if (version === 4) {
    const net = parseNet(cidr);
    return net === undefined ? [1, 0] : [net.base >>> 0, (net.base | ~net.mask) >>> 0];
  }
  const net = parseNet6(cidr);
  return net === undefined ? [1n, 0n] : [net.base, net.base | (~net.mask & ((1n << 128n) - 1n))];
}

function firstFrom(sorted: AddressOrder['addresses'], least: number | bigint): number {
  return search(sorted, (address) => address >= least);
}

function firstAfter(sorted: AddressOrder['addresses'], last: number | bigint): number {
  return search(sorted, (address) => address > last);
}

/** The first index from which on it holds. */
function search(sorted: AddressOrder['addresses'], holds: (address: number | bigint) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
