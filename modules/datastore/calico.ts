/**
 * Calico's v1 data model in etcd: keys, and the JSON under them, both ways.
 *
 * Source: libcalico `pycalico/datastore.py`, `block.py`; Felix 1.3 to 2.6. Only what profiles, endpoints, pools and BGP
 * need; IPv4.
 */
import type { Direction, Peer, PortRange, Profile, Rule } from '../policy/model.ts';

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
  pool: (cidr: string) => `/calico/v1/ipam/v4/pool/${cidr.replace('/', '-')}`,
  affinity: (host: string, block: string) => `/calico/ipam/v2/host/${host}/ipv4/block/${block.replace('/', '-')}`,
  block: (block: string) => `/calico/ipam/v2/assignment/ipv4/block/${block.replace('/', '-')}`,
  bgpGlobal: (name: 'as_num' | 'node_mesh') => `/calico/bgp/v1/global/${name}`,
  bgpHost: (host: string) => `/calico/bgp/v1/host/${host}/ip_addr_v4`,
  felixStatus: (host: string) => `/calico/felix/v1/host/${host}/last_reported_status`,
} as const;

/** Everything of the v1 model that Felix follows. */
export const felixRoot = '/calico/v1';

export function profileWrites(profile: Profile): Write[] {
  const rules = {
    inbound_rules: profile.inbound.map(ruleToJson),
    outbound_rules: profile.outbound.map(ruleToJson),
  };
  return [
    { key: `${keys.profile(profile.name)}/tags`, value: JSON.stringify(profile.tags) },
    { key: `${keys.profile(profile.name)}/rules`, value: JSON.stringify(rules) },
  ];
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

/** What a key of `/calico/v1` is, for whoever follows the tree. */
export type Parsed =
  | { readonly kind: 'endpoint'; readonly host: string }
  | { readonly kind: 'tags' | 'rules'; readonly profile: string }
  | { readonly kind: 'other' };

export function parseKey(key: string): Parsed {
  const profile = /^\/calico\/v1\/policy\/profile\/([^/]+)\/(tags|rules)$/.exec(key);
  if (profile) return { kind: profile[2] as 'tags' | 'rules', profile: profile[1]! };
  const endpoint = /^\/calico\/v1\/host\/([^/]+)\/workload\/[^/]+\/[^/]+\/endpoint\/[^/]+$/.exec(key);
  if (endpoint) return { kind: 'endpoint', host: endpoint[1]! };
  return { kind: 'other' };
}

export interface EndpointValue {
  readonly interface: string;
  readonly mac: string;
  readonly profiles: readonly string[];
  readonly addresses: readonly string[];
}

export function parseEndpoint(value: string): EndpointValue {
  const json = JSON.parse(value) as Record<'name' | 'mac' | 'profile_ids' | 'ipv4_nets', unknown>;
  return {
    interface: word(json.name),
    mac: word(json.mac),
    profiles: list(json.profile_ids).map(word),
    addresses: list(json.ipv4_nets).map((net) => word(net).replace('/32', '')),
  };
}

export const parseTags = (value: string): string[] => list(JSON.parse(value)).map(word);

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${JSON.stringify(value)} is no list`);
  return value;
}

function word(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${JSON.stringify(value)} is no text`);
  return value;
}

export function parseRules(value: string): Pick<Profile, Direction> {
  const json = JSON.parse(value) as { inbound_rules: RuleJson[]; outbound_rules: RuleJson[] };
  return { inbound: json.inbound_rules.map(ruleFromJson), outbound: json.outbound_rules.map(ruleFromJson) };
}

/** A rule as Felix reads it; a port range is a string `N:M`. */
interface RuleJson {
  action?: Rule['action'];
  protocol?: Rule['protocol'];
  src_tag?: string;
  src_net?: string;
  src_ports?: (number | string)[];
  dst_tag?: string;
  dst_net?: string;
  dst_ports?: (number | string)[];
  icmp_type?: number;
  icmp_code?: number;
}

export function ruleToJson(rule: Rule): RuleJson {
  return {
    ...(rule.protocol && { protocol: rule.protocol }),
    ...(rule.icmp && { icmp_type: rule.icmp.type }),
    ...(rule.icmp?.code !== undefined && { icmp_code: rule.icmp.code }),
    ...(rule.from.tag !== undefined && { src_tag: rule.from.tag }),
    ...(rule.from.cidr !== undefined && { src_net: rule.from.cidr }),
    ...(rule.from.ports && { src_ports: rule.from.ports.map(portToJson) }),
    ...(rule.to.tag !== undefined && { dst_tag: rule.to.tag }),
    ...(rule.to.cidr !== undefined && { dst_net: rule.to.cidr }),
    ...(rule.to.ports && { dst_ports: rule.to.ports.map(portToJson) }),
    action: rule.action,
  };
}

export function ruleFromJson(json: RuleJson): Rule {
  return {
    action: json.action ?? 'allow',
    ...(json.protocol && { protocol: json.protocol }),
    ...(json.icmp_type !== undefined && {
      icmp: { type: json.icmp_type, ...(json.icmp_code !== undefined && { code: json.icmp_code }) },
    }),
    from: peer(json.src_tag, json.src_net, json.src_ports),
    to: peer(json.dst_tag, json.dst_net, json.dst_ports),
  };
}

function peer(tag?: string, cidr?: string, ports?: (number | string)[]): Peer {
  return {
    ...(tag !== undefined && { tag }),
    ...(cidr !== undefined && { cidr }),
    ...(ports && { ports: ports.map(portFromJson) }),
  };
}

const portToJson = ({ from, to }: PortRange): number | string => (from === to ? from : `${from}:${to}`);

function portFromJson(port: number | string): PortRange {
  const [from, to] = String(port).split(':').map(Number);
  return { from: from!, to: to ?? from! };
}
