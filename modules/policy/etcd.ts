/**
 * Policy as it stands in etcd, read as a Felix reads it: what that Felix finds invalid is missing, and told.
 *
 *     readEtcd(objects, felix?) -> { state, faults }: parsed JSON by key, as `etcdctl` lists it; other keys are passed over
 *     toEtcd(state)             -> objects by key; readEtcd gives the state again
 *
 * Source: calico-containers v0.22 `docs/etcdStructure.md`; felix `calico/common.py`, libcalico-go `lib/backend/model`.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../problem/problem.ts';
import { addressNumber, parseNet } from './address.ts';
import { addressNumber6, parseNet6 } from './address6.ts';
import { deepest, isDeep } from './deep.ts';
import { plainFelix, type Felix } from './felix.ts';
import type { Endpoint, Host, HostAction, Labels, Policy, PolicyState, Pool, Profile, Tier } from './model.ts';
import { isName } from './name.ts';
import { inboundAndOutbound, rulesToEtcd, type Told } from './etcdrules.ts';
import { policyFault, profileFault } from './valid.ts';

/** What is wrong under a key. */
export interface Fault {
  readonly key: string;
  /** `missing`: Felix takes the object for missing. `ignored`: it reads past it. `not shown`: the state cannot say it. */
  readonly effect: 'missing' | 'ignored' | 'not shown';
  readonly reason: string;
}

type Objects = Readonly<Record<string, unknown>>;

/** Ends the reading of one object. */
class Invalid extends Error {}

const tooDeep = `it is nested in more than ${deepest} levels`;

export function readEtcd(
  objects: Objects,
  felix: Felix = plainFelix,
): { readonly state: PolicyState; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const told = (key: string, effect: Fault['effect']) => (reason: string) => void faults.push({ key, effect, reason });
  /** What is read from the key, or `otherwise` if there is nothing that Felix would take. */
  const read = <T>(key: string, otherwise: T, reader: (value: unknown) => T): T => {
    if (!Object.hasOwn(objects, key)) return otherwise;
    try {
      if (isDeep(objects[key])) throw new Invalid(tooDeep);
      return reader(objects[key]);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      told(key, 'missing')(error.message);
      return otherwise;
    }
  };
  const keys = Object.keys(objects);
  const under = (pattern: RegExp) => keys.map((key) => pattern.exec(key)?.[1]).filter((part) => part !== undefined);

  const profiles = unique(under(/^\/calico\/v1\/policy\/profile\/([^/]+)\/(?:tags|rules|labels)$/)).map(
    (name): Profile => {
      const folder = `/calico/v1/policy/profile/${name}`;
      const labels = read(`${folder}/labels`, undefined, readLabels);
      const base = {
        name,
        tags: read(`${folder}/tags`, [], readTags),
        ...(labels === undefined ? {} : { labels }),
        inbound: [],
        outbound: [],
      };
      const key = `${folder}/rules`;
      if (!Object.hasOwn(objects, key)) return { ...base, fault: 'it has no rules in etcd' };
      const tell: Told = (effect, reason) => told(key, effect)(reason);
      const rules = isDeep(objects[key]) ? tooDeep : inboundAndOutbound(objects[key], felix, tell);
      const whole: Profile = typeof rules === 'string' ? { ...base, fault: rules } : { ...base, ...rules };
      const fault = profileFault(whole, felix);
      if (fault === undefined) return whole;
      told(key, 'missing')(fault);
      return { ...base, fault };
    },
  );

  const policyKeys = new Map<string, string[]>();
  for (const key of keys) {
    const tier = /^\/calico\/v1\/policy\/tier\/([^/]+)\/policy\//.exec(key)?.[1];
    if (tier !== undefined && policyKeys.get(tier)?.push(key) === undefined) policyKeys.set(tier, [key]);
  }
  const tierKeys = /^\/calico\/v1\/policy\/tier\/([^/]+)\/(?:metadata|policy\/[^/]+)$/;
  const tiers = unique(under(tierKeys)).map((name): Tier => {
    const folder = `/calico/v1/policy/tier/${name}`;
    const policies = (policyKeys.get(name) ?? []).flatMap((key): readonly Policy[] => {
      const id = key.slice(`${folder}/policy/`.length);
      const tell: Told = (effect, reason) => told(key, effect)(reason);
      return read(key, [], (value) => [readPolicy(id, value, felix, tell)]);
    });
    return { name, ...read(`${folder}/metadata`, {}, (value) => readOrder(record(value)['order'], felix)), policies };
  });

  const config = (key: string) => read<HostAction | undefined>(key, undefined, readAction);
  const everywhere = config('/calico/v1/config/DefaultEndpointToHostAction');
  const hosts = unique(under(/^\/calico\/v1\/host\/([^/]+)\/.+$/)).map((name): Host => {
    const folder = `/calico/v1/host/${name}`;
    const addresses = [`${folder}/bird_ip`, `${folder}/config/IpInIpTunnelAddr`].flatMap((key) =>
      read(key, [], readAddress),
    );
    // Felix' own default, where libcalico has not written its own.
    return {
      name,
      addresses,
      endpointToHost: config(`${folder}/config/DefaultEndpointToHostAction`) ?? everywhere ?? 'DROP',
    };
  });

  for (const key of keys.filter((one) => felix.knows.log && /^\/calico\/v1\/host\/[^/]+\/endpoint\/[^/]+$/.test(one))) {
    told(
      key,
      'not shown',
    )('it is an endpoint of the host itself: policy of hosts is not decided here, nor is it in any tag');
  }
  const endpointKeys = keys.flatMap((key) => {
    const parts = /^\/calico\/v1\/host\/([^/]+)\/workload\/([^/]+)\/([^/]+)\/endpoint\/([^/]+)$/.exec(key);
    return parts === null ? [] : [{ key, host: parts[1]!, path: parts.slice(1).join('/'), id: parts[4]! }];
  });
  const once = new Map<string, boolean>();
  for (const { id } of endpointKeys) once.set(id, !once.has(id));
  const endpoints = endpointKeys.flatMap(({ key, host, path, id }): readonly Endpoint[] => {
    // Ids are unique in a cluster as a rule; where they are not, the whole way to them is.
    const name = once.get(id) === true ? id : path;
    return read(key, [], (value) =>
      readEndpoint(value, { id: name, host, endpoint: id }, felix, told(key, 'not shown')),
    );
  });
  const pools = keys
    .filter((key) => /^\/calico\/v1\/ipam\/v[46]\/pool\/[^/]+$/.test(key))
    .flatMap((key) => read(key, [], readPool));

  const state: PolicyState = {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints,
    ...(tiers.length === 0 ? {} : { tiers }),
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(pools.length === 0 ? {} : { pools }),
  };
  return { state, faults };
}

export function toEtcd(state: PolicyState): Record<string, unknown> {
  const objects: Record<string, unknown> = {};
  for (const { name, tags, labels, fault, ...rules } of state.profiles.values()) {
    const folder = `/calico/v1/policy/profile/${name}`;
    objects[`${folder}/tags`] = tags;
    if (labels !== undefined) objects[`${folder}/labels`] = labels;
    if (fault === undefined) objects[`${folder}/rules`] = rulesToEtcd(rules);
  }
  for (const { name, order, policies } of state.tiers ?? []) {
    const folder = `/calico/v1/policy/tier/${name}`;
    // Python's Felix also takes "default" for no order, Go's does not.
    objects[`${folder}/metadata`] = order === undefined ? {} : { order };
    for (const policy of policies) {
      const { name: id, selector, order: place, directions, ...rules } = policy;
      objects[`${folder}/policy/${id}`] = {
        selector,
        ...(place === undefined ? {} : { order: place }),
        ...rulesToEtcd(rules),
        ...(directions && { types: directions.map((one) => (one === 'inbound' ? 'ingress' : 'egress')) }),
      };
    }
  }
  for (const { name, addresses, endpointToHost = 'RETURN' } of state.hosts ?? []) {
    const folder = `/calico/v1/host/${name}`;
    const [first, tunnel] = addresses.filter((address) => addressNumber(address) !== undefined);
    if (first !== undefined) objects[`${folder}/bird_ip`] = first;
    if (tunnel !== undefined) objects[`${folder}/config/IpInIpTunnelAddr`] = tunnel;
    objects[`${folder}/config/DefaultEndpointToHostAction`] = endpointToHost;
  }
  for (const endpoint of state.endpoints) objects[endpointKey(endpoint)] = endpointToEtcd(endpoint);
  for (const { cidr, masquerade } of state.pools ?? []) {
    const version = cidr.includes(':') ? 6 : 4;
    const pool = { cidr, ...(masquerade === undefined ? {} : { masquerade }) };
    objects[`/calico/v1/ipam/v${version}/pool/${cidr.replace('/', '-')}`] = pool;
  }
  return objects;
}

function endpointKey({ id, host }: Endpoint): string {
  if (host !== undefined && isName(id)) return `/calico/v1/host/${host}/workload/mesos/${id}/endpoint/${id}`;
  throw new Refusal([
    {
      code: 'not-for-etcd',
      what:
        host === undefined ? `It is not said on which host "${id}" runs.` : `"${id}" cannot be the id of an endpoint.`,
      rule: 'In etcd the key of an endpoint has its host and its id, of letters, digits, "_", "." and "-".',
    },
  ]);
}

function endpointToEtcd({ id, address, address6, profiles, labels, state = 'active' }: Endpoint): unknown {
  return {
    state,
    name: `cali${createHash('sha1').update(id).digest('hex').slice(0, 11)}`,
    profile_ids: profiles,
    ...(labels === undefined ? {} : { labels }),
    ipv4_nets: [`${address}/32`],
    ipv6_nets: address6 === undefined ? [] : [`${address6}/128`],
  };
}

function readEndpoint(
  value: unknown,
  at: { readonly id: string; readonly host: string; readonly endpoint: string },
  felix: Felix,
  notShown: (reason: string) => void,
): readonly Endpoint[] {
  const json = record(value);
  if (!isName(at.endpoint)) throw new Invalid(`"${at.endpoint}" cannot be the id of an endpoint`);
  if (typeof json['name'] !== 'string' || !/^[\w-]{1,15}$/.test(json['name'])) {
    throw new Invalid(`${shown(json['name'])} is no name of an interface`);
  }
  const { state } = json;
  // Go takes a missing state for one that is not "active".
  const power = state === undefined && felix.quirks.has('lenient-json') ? 'inactive' : state;
  if (power !== 'active' && power !== 'inactive')
    throw new Invalid(`the state is ${shown(state)}, not active or inactive`);
  const ids = json['profile_ids'] ?? (json['profile_id'] === undefined ? [] : [json['profile_id']]);
  const profiles = names(ids, 'a profile');
  const labels = json['labels'] === undefined ? undefined : readLabels(json['labels']);
  const four = nets(json['ipv4_nets'], '/32', (text) => parseNet(text) !== undefined);
  const six = nets(json['ipv6_nets'], '/128', (text) => parseNet6(text) !== undefined);
  if (four.length > 1 || six.length > 1)
    notShown('it has several addresses, of which the first of each IP version is kept');
  const [address] = four;
  if (address === undefined || addressNumber(address) === undefined) {
    notShown('it has no single IPv4 address');
    return [];
  }
  const [address6] = six;
  return [
    {
      id: at.id,
      address,
      ...(address6 === undefined || addressNumber6(address6) === undefined ? {} : { address6 }),
      profiles,
      ...(labels === undefined ? {} : { labels }),
      host: at.host,
      ...(power === 'inactive' ? { state: power } : {}),
    },
  ];
}

function nets(value: unknown, suffix: string, good: (text: string) => boolean): readonly string[] {
  return list(value ?? []).map((net) => {
    if (typeof net !== 'string' || !good(net)) throw new Invalid(`${shown(net)} is no network`);
    return net.endsWith(suffix) ? net.slice(0, -suffix.length) : net;
  });
}

/** What later versions of Go's Felix read of a policy, and the model has not: places other than FORWARD. */
const laterKeys = ['untracked', 'pre_dnat', 'apply_on_forward'];

function readPolicy(name: string, value: unknown, felix: Felix, told: Told): Policy {
  const json = record(value);
  for (const key of laterKeys) {
    if (Object.hasOwn(json, key) && felix.quirks.has('lenient-json')) {
      told('not shown', `"${key}" is of later versions of Felix, and not read`);
    }
  }
  const { selector } = json;
  // Go reads a missing selector as an empty one, which is all().
  const chosen = selector === undefined && felix.quirks.has('lenient-json') ? '' : selector;
  if (typeof chosen !== 'string') throw new Invalid('a policy needs a selector');
  const rules = inboundAndOutbound(json, felix, told);
  if (typeof rules === 'string') throw new Invalid(rules);
  const directions = readTypes(json['types'], felix, told);
  const policy: Policy = { name, ...readOrder(json['order'], felix), selector: chosen, ...directions, ...rules };
  const fault = policyFault(policy, felix);
  if (fault !== undefined) throw new Invalid(fault);
  return policy;
}

/** None, or an empty list, means both. */
function readTypes(types: unknown, felix: Felix, told: Told): Pick<Policy, 'directions'> {
  if (types === undefined) return {};
  if (!felix.knows.directions) {
    if (felix.quirks.has('lenient-json')) told('ignored', 'the key "types" is of Felix 2.6, and not seen');
    return {};
  }
  const words = list(types).map((word) => {
    if (word === 'ingress' || word === 'egress') return word === 'ingress' ? 'inbound' : 'outbound';
    throw new Invalid(`${shown(word)} is none of ingress and egress`);
  });
  return words.length === 0 ? {} : { directions: unique(words) };
}

function readOrder(order: unknown, { quirks }: Felix): { readonly order?: number } {
  const go = quirks.has('lenient-json');
  if (order === undefined || order === (go ? null : 'default')) return {};
  if (typeof order === 'number') return { order };
  throw new Invalid(`the order is ${shown(order)}, not a number${go ? '' : ' or "default"'}`);
}

function readPool(value: unknown): readonly Pool[] {
  const { cidr, masquerade } = record(value);
  if (typeof cidr !== 'string' || (parseNet(cidr) ?? parseNet6(cidr)) === undefined) {
    throw new Invalid(`${shown(cidr)} is no network`);
  }
  return [{ cidr, ...(typeof masquerade === 'boolean' ? { masquerade } : {}) }];
}

function readAction(value: unknown): HostAction {
  const action = typeof value === 'string' ? value.toUpperCase() : undefined;
  if (action === 'DROP' || action === 'RETURN' || action === 'ACCEPT') return action;
  throw new Invalid(`${shown(value)} is none of DROP, RETURN and ACCEPT`);
}

function readAddress(value: unknown): readonly string[] {
  if (typeof value === 'string' && (addressNumber(value) ?? addressNumber6(value)) !== undefined) return [value];
  throw new Invalid(`${shown(value)} is no address`);
}

function readTags(value: unknown): readonly string[] {
  return names(value, 'a tag');
}

function readLabels(value: unknown): Labels {
  const json = record(value);
  for (const [key, text] of Object.entries(json)) {
    if (!/^[a-zA-Z0-9_./-]+$/.test(key)) throw new Invalid(`"${key}" cannot be a label`);
    if (typeof text !== 'string') throw new Invalid(`the label "${key}" is ${shown(text)}, which is no text`);
  }
  return json as Labels;
}

function names(value: unknown, what: string): readonly string[] {
  return list(value).map((name) => {
    if (typeof name !== 'string' || !isName(name)) throw new Invalid(`${shown(name)} cannot be ${what}`);
    return name;
  });
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Invalid(`${shown(value)} is no list`);
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Invalid(`${shown(value)} is no object`);
  }
  return value as Record<string, unknown>;
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
