/** Which addresses of a subnetwork are to be had. */
import { contains, formatAddress, parseAddress, parseRange } from './address.ts';
import { Denied } from './denied.ts';
import { find, idIn, type Store, type Thing } from './store.ts';
import { isFields, isText, text, type Fields, type Value } from './values.ts';

export const interfaces = (attributes: Fields): Fields[] => {
  const value = attributes['network_interface'];
  return Array.isArray(value) ? value.filter(isFields) : [];
};

const sameThing = (one: Value | undefined, other: Value | undefined): boolean =>
  isText(one) && isText(other) && (idIn(one) ?? one) === (idIn(other) ?? other);

export const subnetworks = (store: Store, network: Value | undefined): Thing[] =>
  store.things.filter(
    ({ type, attributes }) => type === 'google_compute_subnetwork' && sameThing(attributes['network'], network),
  );

/** An address that was asked for: in its subnetwork's range, not one of the four that Google keeps, and nobody else's. */
export function allowAddress(
  store: Store,
  own: string,
  subnetwork: Value | undefined,
  address: Value | undefined,
): void {
  const wanted = parseAddress(address);
  const range = isText(subnetwork) ? rangeOf(store, subnetwork) : undefined;
  if (wanted === undefined || range === undefined) return;
  if (!contains(range, { first: wanted, last: wanted, prefix: 32 }))
    throw new Denied(`Error 400: The IP address ${text(address)} is outside the range of ${text(subnetwork)}, invalid`);
  if (wanted < range.first + 2 || wanted > range.last - 2)
    throw new Denied(`Error 400: The IP address ${text(address)} is reserved in ${text(subnetwork)}, invalid`);
  const holder = holders(store, subnetwork).find(
    (other) => other.address === wanted && other.machine && other.id !== own,
  );
  if (holder && !own.includes('/addresses/'))
    throw new Denied(
      `Error 400: IP address ${text(address)} is in use by '${holder.id}', IP_IN_USE_BY_ANOTHER_RESOURCE`,
    );
}

const rangeOf = (store: Store, subnetwork: string): ReturnType<typeof parseRange> =>
  parseRange(find(store, idIn(subnetwork) ?? subnetwork)?.attributes['ip_cidr_range']);

interface Holder {
  readonly id: string;
  readonly address: number;
  /** False for a reserved address, which a machine may then take. */
  readonly machine: boolean;
}

function holders(store: Store, subnetwork: Value | undefined): Holder[] {
  return store.things.flatMap(({ type, id, attributes }) => {
    const reserved =
      type === 'google_compute_address' ? [{ subnetwork: attributes['subnetwork'], ip: attributes['address'] }] : [];
    const used =
      type === 'google_compute_instance'
        ? interfaces(attributes).map((one) => ({ subnetwork: one['subnetwork'], ip: one['network_ip'] }))
        : [];
    return [...reserved, ...used].flatMap(({ subnetwork: other, ip }) => {
      const address = parseAddress(ip);
      return address === undefined || !sameThing(other, subnetwork) ? [] : [{ id, address, machine: used.length > 0 }];
    });
  });
}

/** A free address of a subnetwork: from the third up, as Google gives them. */
export function freeAddress(store: Store, subnetwork: Value | undefined): string {
  const range = isText(subnetwork) ? rangeOf(store, subnetwork) : undefined;
  if (range === undefined) return formatAddress(parseAddress('10.128.0.0')! + 2 + ++store.serial);
  const taken = new Set(holders(store, subnetwork).map(({ address }) => address));
  for (let address = range.first + 2; address <= range.last - 2; address++)
    if (!taken.has(address)) return formatAddress(address);
  throw new Denied(`Error 400: IP space of '${text(subnetwork)}' is exhausted, IP_SPACE_EXHAUSTED`);
}

/** From 198.18.0.0/15, which is for benchmarks and nobody's. */
export const publicAddress = (store: Store): string => formatAddress(parseAddress('198.18.0.0')! + ++store.serial);
