/**
 * What the bindings do not say of google's resources: which attributes cannot change in place, and defaults.
 * This is OUR model, written down from the public source of the provider (google/services/compute/*.go, versions around 6.x)
 * and from Google's documentation. It is not Google's code, it knows no more types and attributes than are listed, and two
 * spellings of one link (a name, an id, a URL), which the provider takes for the same, are a change to it.
 */
import { contains, parseRange } from './address.ts';
import type { Change } from './change.ts';

const place = ['name', 'project', 'region', 'zone'];

/** Attributes, or whole blocks (`params.*`), that cannot change in place. A list of blocks alone: its length. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  google_compute_network: [
    ...place,
    'auto_create_subnetworks',
    'description',
    'internal_ipv6_range',
    'network_profile',
    'params.*',
  ],
  google_compute_subnetwork: [
    ...place,
    'network',
    'description',
    'purpose',
    'reserved_internal_range',
    'ip_collection',
    'params.*',
  ],
  google_compute_firewall: [...place, 'direction', 'params.*'],
  google_compute_disk: [
    ...place,
    'type',
    'image',
    'snapshot',
    'source_disk',
    'source_instant_snapshot',
    'source_storage_object',
    'storage_pool',
    'architecture',
    'description',
    'enable_confidential_compute',
    'licenses',
    'physical_block_size_bytes',
    'guest_os_features',
    'async_primary_disk.*',
    'disk_encryption_key.*',
    'source_image_encryption_key.*',
    'source_snapshot_encryption_key.*',
    'params.*',
  ],
  google_compute_instance: [
    ...place,
    'description',
    'hostname',
    'metadata_startup_script',
    'boot_disk.*',
    'network_interface',
    'network_interface.network_ip',
    'network_interface.nic_type',
    'network_interface.queue_count',
    'network_performance_config.*',
    'guest_accelerator.*',
    'scratch_disk.*',
    'scheduling.preemptible',
    'scheduling.provisioning_model',
    'scheduling.local_ssd_recovery_timeout.*',
    'scheduling.max_run_duration.*',
    'confidential_instance_config.*',
    'instance_encryption_key.*',
    'reservation_affinity.*',
    'params.*',
  ],
  google_compute_region_instance_group_manager: [
    ...place,
    'base_instance_name',
    'description',
    'distribution_policy_zones',
    'distribution_policy_target_shape',
  ],
  google_compute_instance_group_manager: [...place, 'base_instance_name', 'description'],
  google_compute_instance_group: [...place, 'network', 'description'],
  google_compute_router: [...place, 'network', 'encrypted_interconnect_router'],
  google_compute_router_nat: [...place, 'router', 'endpoint_types', 'type'],
};

/** Types of which nothing can change in place but this. */
const immutable: Readonly<Record<string, readonly string[]>> = {
  google_compute_address: ['labels'],
  google_compute_global_address: ['labels'],
  google_compute_attached_disk: [],
  google_compute_instance_template: [],
  google_compute_region_instance_template: [],
  google_compute_resource_policy: [],
};

/** Terraform's own, and what follows from others: they never make a replacement by themselves. */
const follows = /^(?:timeouts|terraform_labels|effective_labels)\b/;

/** `all`: all that changes with it. */
export function forcesNew(type: string, change: Change, all: readonly Change[]): boolean {
  const { name } = change;
  if (follows.test(name)) return false;
  const free = immutable[type];
  if (free) return !free.includes(name);
  if (type === 'google_compute_disk' && name === 'size') return Number(change.after) < Number(change.before);
  if (type === 'google_compute_subnetwork' && name === 'ip_cidr_range') return !grows(change);
  if (type === 'google_compute_instance' && name === 'network_interface.network_ip') return !moves(change, all);
  return (fixed[type] ?? place).some((one) =>
    one.endsWith('.*') ? `${name}.`.startsWith(one.slice(0, -1)) : one === name,
  );
}

/** A subnetwork's range may be widened. */
function grows({ before, after }: Change): boolean {
  const [old, wide] = [parseRange(before), parseRange(after)];
  return old !== undefined && wide !== undefined && contains(wide, old);
}

/** An instance's address changes in place only together with its network, which the update also moves. */
const moves = ({ steps }: Change, all: readonly Change[]): boolean =>
  all.some(
    (other) =>
      other.steps[1] === steps[1] && /^network_interface\.(?:subnetwork_project|(?:sub)?network)$/.test(other.name),
  );

/** Values that the provider itself puts where nothing is said. */
export const defaults: Readonly<Record<string, Readonly<Record<string, boolean | number | string>>>> = {
  google_compute_network: {
    auto_create_subnetworks: true,
    delete_default_routes_on_create: false,
    network_firewall_policy_enforcement_order: 'AFTER_CLASSIC_FIREWALL',
  },
  google_compute_firewall: { priority: 1000 },
  google_compute_address: { address_type: 'EXTERNAL' },
  google_compute_disk: { type: 'pd-standard' },
  google_compute_attached_disk: { mode: 'READ_WRITE' },
  google_compute_instance: {
    can_ip_forward: false,
    deletion_protection: false,
    'boot_disk.auto_delete': true,
    'boot_disk.mode': 'READ_WRITE',
    'attached_disk.mode': 'READ_WRITE',
    'scheduling.automatic_restart': true,
    'scheduling.preemptible': false,
    'shielded_instance_config.enable_secure_boot': false,
    'shielded_instance_config.enable_vtpm': true,
    'shielded_instance_config.enable_integrity_monitoring': true,
  },
  ...Object.fromEntries(
    ['google_compute_instance_template', 'google_compute_region_instance_template'].map((type) => [
      type,
      {
        can_ip_forward: false,
        'disk.auto_delete': true,
        'scheduling.automatic_restart': true,
        'scheduling.preemptible': false,
        'shielded_instance_config.enable_secure_boot': false,
        'shielded_instance_config.enable_vtpm': true,
        'shielded_instance_config.enable_integrity_monitoring': true,
      },
    ]),
  ),
  google_compute_region_instance_group_manager: {
    list_managed_instances_results: 'PAGELESS',
    wait_for_instances: false,
    wait_for_instances_status: 'STABLE',
  },
  google_compute_router_nat: {
    icmp_idle_timeout_sec: 30,
    tcp_established_idle_timeout_sec: 1200,
    tcp_time_wait_timeout_sec: 120,
    tcp_transitory_idle_timeout_sec: 30,
    udp_idle_timeout_sec: 30,
  },
};
