/**
 * Calico's v1 data model in etcd: keys, and what the lab writes under them and reads there. Policy itself is read and
 * written by modules/policy/etcd.ts, here as everywhere.
 *
 * Source: libcalico `pycalico/datastore.py`, `block.py`; Felix 1.3 to 2.6.
 */
import { readEtcd, toEtcd } from '../policy/etcd.ts';
import type { Endpoint, Profile, Tier } from '../policy/model.ts';

export interface Write {
  readonly key: string;
  readonly value: string;
}

/** One endpoint as the datastore holds it. */
export interface WorkloadEndpoint {
  readonly host: string;
  readonly orchestrator: 'libnetwork' | 'mesos' | 'cni';
  readonly workload: string;
  readonly id: string;
  /** Of the host's side: `cali` and 11 characters. */
  readonly interface: string;
  readonly mac: string;
  readonly profiles: readonly string[];
  /** IPv4 address without prefix length. */
  readonly address: string;
}

export const keys = {
  ready: '/calico/v1/Ready',
  config: (name: string) => `/calico/v1/config/${name}`,
  host: (host: string) => `/calico/v1/host/${host}`,
  hostConfig: (host: string, name: string) => `/calico/v1/host/${host}/config/${name}`,
  birdIp: (host: string) => `/calico/v1/host/${host}/bird_ip`,
  endpoint: (at: Pick<WorkloadEndpoint, 'host' | 'orchestrator' | 'workload' | 'id'>) =>
    `/calico/v1/host/${at.host}/workload/${at.orchestrator}/${at.workload}/endpoint/${at.id}`,
  profile: (name: string) => `/calico/v1/policy/profile/${name}`,
  tier: (name: string) => `/calico/v1/policy/tier/${name}`,
  pool: (cidr: string) => `/calico/v1/ipam/v4/pool/${cidr.replace('/', '-')}`,
  affinity: (host: string, block: string) => `/calico/ipam/v2/host/${host}/ipv4/block/${block.replace('/', '-')}`,
  block: (block: string) => `/calico/ipam/v2/assignment/ipv4/block/${block.replace('/', '-')}`,
  bgpGlobal: (name: 'as_num' | 'node_mesh') => `/calico/bgp/v1/global/${name}`,
  bgpHost: (host: string) => `/calico/bgp/v1/host/${host}/ip_addr_v4`,
  /** Nothing of Calico's: who verifies the cluster. */
  verifyLease: '/mesos-calico/verify',
  felixStatus: (host: string) => `/calico/felix/v1/host/${host}/last_reported_status`,
} as const;

/** Everything of the v1 model that Felix follows. */
export const felixRoot = '/calico/v1';

export function profileWrites(profile: Profile): Write[] {
  const objects = toEtcd({ profiles: new Map([[profile.name, profile]]), endpoints: [] });
  return Object.entries(objects).map(([key, value]) => ({ key, value: JSON.stringify(value) }));
}

export function tierWrites(tier: Tier): Write[] {
  const objects = toEtcd({ profiles: new Map(), tiers: [tier], endpoints: [] });
  return Object.entries(objects).map(([key, value]) => ({ key, value: JSON.stringify(value) }));
}

export function endpointWrite(endpoint: WorkloadEndpoint): Write {
  return {
    key: keys.endpoint(endpoint),
    value: JSON.stringify({
      state: 'active',
      name: endpoint.interface,
      mac: endpoint.mac,
      profile_ids: endpoint.profiles,
      ipv4_nets: [`${endpoint.address}/32`],
      ipv6_nets: [],
    }),
  };
}

export const isEndpointKey = (key: string): boolean =>
  /^\/calico\/v1\/host\/[^/]+\/workload\/[^/]+\/[^/]+\/endpoint\/[^/]+$/.test(key);

/** One endpoint as Felix needs it: what policy asks of it, and where it is plugged in. Its id is its key. */
export interface PluggedEndpoint extends Endpoint {
  readonly interface: string;
  /** Whatever leaves the endpoint has to carry it. */
  readonly mac?: string;
}

/** Undefined for what Felix takes for missing. */
export function readEndpoint(key: string, value: unknown): PluggedEndpoint | undefined {
  const [endpoint] = readEtcd({ [key]: value }).state.endpoints;
  if (endpoint === undefined) return undefined;
  const { name, mac } = value as { readonly name: string; readonly mac?: unknown };
  return { ...endpoint, id: key, interface: name, ...(typeof mac === 'string' ? { mac } : {}) };
}

/** A value of etcd: JSON as a rule, else (addresses, settings) the text that it is. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
