/** What only the API knows of a thing: its ids, links, fingerprints, addresses. */
import { createHash } from 'node:crypto';
import { formatAddress, parseRange } from './address.ts';
import { freeAddress, interfaces, publicAddress } from './addresses.ts';
import type { Attribute, Block } from './schema.ts';
import { find, idIn, selfLink, type Store } from './store.ts';
import { isFields, isText, text, Unknown, zero, type Fields, type Value } from './values.ts';
import { zonesOf } from './zones.ts';

/** Fills in all that only the API knows. */
export function answer(store: Store, type: string, block: Block, made: Fields, id: string): void {
  (specific[type] ?? (() => undefined))(store, made);
  let own: number | undefined;
  const number = (): number => (own ??= firstNumber + ++store.serial);
  const common: Record<string, () => Value> = {
    self_link: () => selfLink(id),
    self_link_unique: () => `${selfLink(id)}?uniqueId=${number()}`,
    creation_timestamp: () => new Date().toISOString(),
    current_status: () => 'RUNNING',
    instance_group: () => selfLink(id.replace('/instanceGroupManagers/', '/instanceGroups/')),
  };
  fill(block, made, (name, { type: wanted }) => {
    if (common[name]) return common[name]();
    if (name.endsWith('fingerprint'))
      return createHash('sha256').update(`${id} ${++store.serial}`).digest('base64url').slice(0, 11) + '=';
    // Numeric ids of the thing itself; links to others, such as source_image_id, stay empty.
    if (/^(?!source_).*_id$/.test(name))
      return wanted === 'number' ? number() : wanted === 'string' ? `${number()}` : null;
    return null;
  });
}

/** Numeric ids are long, like Google's, but small enough for a JSON number. */
const firstNumber = 4_000_000_000_000_000;

function fill({ attributes, blocks }: Block, made: Fields, say: (name: string, attribute: Attribute) => Value): void {
  for (const [name, attribute] of Object.entries(attributes)) {
    const value = made[name] ?? null;
    if (value instanceof Unknown || (value === null && attribute.computed))
      made[name] = say(name, attribute) ?? zero(attribute.type);
  }
  for (const [name, { block }] of Object.entries(blocks)) {
    const inner = made[name] ?? null;
    // Numbers and links are the thing's own; those inside its blocks stay empty.
    for (const one of Array.isArray(inner) ? inner : [inner]) if (isFields(one)) fill(block, one, () => null);
  }
}

const unsaid = (value: Value | undefined): boolean => value === undefined || value === null || value instanceof Unknown;

function put(made: Fields, values: Fields): void {
  for (const [name, value] of Object.entries(values)) if (name in made && unsaid(made[name])) made[name] = value;
}

/** Computed attributes that a reader of the state may look at, by type. */
const specific: Readonly<Record<string, (store: Store, made: Fields) => void>> = {
  google_compute_network: (_, made) => {
    put(made, { mtu: 1460, routing_mode: 'REGIONAL' });
  },
  google_compute_subnetwork: (_, made) => {
    const range = parseRange(made['ip_cidr_range']);
    put(made, {
      gateway_address: range ? formatAddress(range.first + 1) : '',
      purpose: 'PRIVATE',
      stack_type: 'IPV4_ONLY',
      private_ip_google_access: false,
      private_ipv6_google_access: 'DISABLE_GOOGLE_ACCESS',
    });
  },
  google_compute_firewall: (_, made) => {
    put(made, { direction: 'INGRESS' });
  },
  google_compute_address: (store, made) => {
    const internal = made['address_type'] === 'INTERNAL';
    put(made, {
      address: internal ? freeAddress(store, made['subnetwork']) : publicAddress(store),
      network_tier: internal ? '' : 'PREMIUM',
      purpose: internal ? 'GCE_ENDPOINT' : '',
    });
  },
  google_compute_disk: (_, made) => {
    put(made, { size: 10, physical_block_size_bytes: 4096 });
  },
  google_compute_instance: (store, made) => {
    for (const [index, one] of interfaces(made).entries()) {
      const subnetwork = one['subnetwork'];
      const owner = isText(subnetwork) ? find(store, idIn(subnetwork) ?? subnetwork) : undefined;
      put(one, {
        name: `nic${index}`,
        network: owner?.attributes['network'] ?? '',
        network_ip: freeAddress(store, subnetwork),
        stack_type: 'IPV4_ONLY',
        subnetwork_project: made['project'] ?? '',
      });
      const access = one['access_config'];
      for (const config of Array.isArray(access) ? access : [])
        if (isFields(config)) put(config, { nat_ip: publicAddress(store), network_tier: 'PREMIUM' });
    }
    const disks = [made['boot_disk'], made['attached_disk']].flatMap((value) => (Array.isArray(value) ? value : []));
    for (const [index, disk] of disks.entries())
      if (isFields(disk)) put(disk, { device_name: `persistent-disk-${index}` });
    put(made, { cpu_platform: 'Intel Broadwell' });
  },
  google_compute_region_instance_group_manager: (_, made) => {
    put(made, {
      target_size: 0,
      distribution_policy_zones: zonesOf(text(made['region'])),
      distribution_policy_target_shape: 'EVEN',
    });
  },
};
