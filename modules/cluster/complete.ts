/** From what a person writes to what every other module takes: fills in defaults, counts nodes, resolves names. */
import type { Containerizer, ReleaseChannel } from '../release/channel.ts';
import { override } from '../release/override.ts';
import type { Sources } from '../release/sources.ts';
import { usualRelease } from '../release/usual.ts';
import { Choice, type Default } from './choose.ts';
import type { Access, AgentPool, Cluster, Machine, Network, Node, Target } from './cluster.ts';
import { completeCalico } from './complete-calico.ts';
import { completeTarget } from './complete-target.ts';
import { givenHostOs } from './host-os.ts';
import type { Description } from './schema/schema.ts';
import { masterAddress, masterZone, vagrantAddress } from './subnets.ts';

export interface Completed {
  readonly cluster: Cluster;
  readonly defaults: readonly Default[];
}

/** Fills in what the description leaves open. Total: what makes no sense is completed all the same, for preflight to tell. */
export function complete(description: Description, file: string, policies: readonly string[]): Completed {
  const choice = new Choice();
  const { release, sources } = completeRelease(description, choice);
  const target = completeTarget(description, release, choice);
  const counts = hostCounts(target);
  const masters = {
    count: counts?.get('masters') ?? completeMasterCount(description, target, choice),
    machine: machine('masters', description.masters ?? {}, ['masters'], target, choice),
  };
  const agents = Object.fromEntries(
    Object.entries(description.agents).map(([name, pool]): [string, AgentPool] => {
      const path = ['agents', name];
      const large = target.kind === 'aws' || target.kind === 'gce';
      return [
        name,
        {
          name,
          count: counts
            ? (counts.get(name) ?? 0)
            : choice.of(
                [...path, 'count'],
                pool.count,
                large ? 3 : 2,
                large ? 'three agents' : 'two agents are the least that show a network',
              ),
          containerizers: choice.of(
            [...path, 'containerizers'],
            pool.containerizers,
            ['docker'],
            'the containerizer that runs on every host',
          ),
          machine: machine('agents', pool, path, target, choice),
        },
      ];
    }),
  );
  const networks = completeNetworks(description, agents, choice);
  return {
    cluster: {
      name: description.name,
      file,
      target,
      release,
      sources,
      masters,
      agents,
      nodes:
        target.kind === 'hosts'
          ? hostNodes(target.machines, agents)
          : countedNodes(masters, agents, completeAddresses(description, masters, target, choice), target),
      networks,
      calico: completeCalico(description, target, release, choice),
      access: completeAccess(description),
      policies,
      expect: description.expect ?? [],
      protect: choice.of(['protect'], description.protect, false, 'nothing is protected unless said'),
    },
    defaults: choice.defaults,
  };
}

function completeRelease(description: Description, choice: Choice): { release: ReleaseChannel; sources: Sources } {
  const given = description.release;
  const details = typeof given === 'object' ? given : {};
  const name =
    typeof given === 'string'
      ? given
      : choice.of(
          given === undefined ? ['release'] : ['release', 'channel'],
          details.channel,
          'current',
          'the channel that still runs',
        );
  const proxy = details.proxy;
  const { aws, gce } = description.target;
  const on = (aws ?? gce) === undefined ? givenHostOs(description, name) : 'flatcar';
  return {
    release: override(usualRelease(name, on), details.override ?? {}),
    sources: {
      registry: details.registry,
      mirror: details.mirror?.replace(/\/+$/, ''),
      offline: details.offline ?? false,
      proxy: proxy && { http: proxy.http, https: proxy.https, except: proxy.except ?? [] },
      caBundle: details.caBundle,
    },
  };
}

function completeAccess(description: Description): Access {
  return { adminCidrs: description.access?.adminCidrs ?? [], sshPublicKey: description.access?.sshPublicKey };
}

function completeMasterCount(description: Description, target: Target, choice: Choice): number {
  const cloud = target.kind === 'aws' || target.kind === 'gce';
  return choice.of(
    ['masters', 'count'],
    description.masters?.count,
    cloud ? 3 : 1,
    cloud ? 'three masters outlive the loss of one' : 'one master is enough to try things on',
  );
}

/** Addresses of masters on a cloud; in a network that exists, only those that are named. */
function completeAddresses(
  description: Description,
  { count, machine }: Cluster['masters'],
  target: Target,
  choice: Choice,
): readonly string[] {
  const given = description.masters?.addresses;
  if ((target.kind !== 'aws' && target.kind !== 'gce') || target.network.kind === 'existing') return given ?? [];
  const { cidr } = target.network;
  const ours = Array.from({ length: count }, (_, index) =>
    masterAddress(target.kind, cidr, zoneOf(machine, index) ?? target.zones[0]!, index),
  );
  const why =
    target.kind === 'aws' ? "the 17th of the zone's subnet and those after it" : 'the last 16 but agents get the first';
  return choice.of(['masters', 'addresses'], given, ours, why);
}

/** The zone of a master; undefined where there are none. */
const zoneOf = (machine: Machine, index: number): string | undefined =>
  machine.kind === 'cloud' ? masterZone(machine.zones, index) : undefined;

type Size = NonNullable<Description['masters']> & Description['agents'][string];

function machine(
  role: 'masters' | 'agents',
  given: Size,
  path: readonly string[],
  target: Target,
  choice: Choice,
): Machine {
  switch (target.kind) {
    case 'aws':
    case 'gce': {
      const types = {
        aws: { masters: 't3.medium', agents: 't3.large' },
        gce: { masters: 'e2-medium', agents: 'e2-standard-2' },
      };
      const type = types[target.kind][role];
      return {
        kind: 'cloud',
        type: choice.of([...path, 'machine'], given.machine, type, `2 CPUs and ${role === 'masters' ? 4 : 8} GiB`),
        disk: choice.of([...path, 'disk'], given.disk, 40, 'GiB, room for images and logs'),
        dataDisk:
          role === 'agents' ? 0 : choice.of([...path, 'dataDisk'], given.dataDisk, 10, 'GiB for etcd and ZooKeeper'),
        spot: role === 'agents' && choice.of([...path, 'spot'], given.spot, false, 'machines that stay'),
        zones: choice.of([...path, 'zones'], given.zones, [...target.zones], 'all zones of the target'),
      };
    }
    case 'vagrant':
      return {
        kind: 'virtual',
        cpus: choice.of([...path, 'cpus'], given.cpus, 2, 'as the guides of 2016'),
        memory: choice.of([...path, 'memory'], given.memory, 2048, 'MiB, as the guides of 2016'),
      };
    case 'hosts':
    case 'lab':
      return { kind: 'given' };
    default:
      return target satisfies never;
  }
}

/** How many machines each pool has on `hosts`, where they are listed. */
function hostCounts(target: Target): ReadonlyMap<string, number> | undefined {
  if (target.kind !== 'hosts') return undefined;
  const counts = new Map<string, number>([['masters', 0]]);
  for (const { pool } of Object.values(target.machines)) counts.set(pool, (counts.get(pool) ?? 0) + 1);
  return counts;
}

function countedNodes(
  masters: Cluster['masters'],
  agents: Readonly<Record<string, AgentPool>>,
  addresses: readonly string[],
  target: Target,
): Node[] {
  const master = (index: number): Node => ({
    name: `master-${index + 1}`,
    role: 'master',
    pool: 'masters',
    containerizers: [],
    address: addresses[index],
    zone: zoneOf(masters.machine, index),
  });
  const agent = (pool: AgentPool, index: number): Node => ({
    name: `${pool.name}-${index + 1}`,
    role: 'agent',
    pool: pool.name,
    containerizers: pool.containerizers,
    address: undefined,
    zone: undefined,
  });
  const nodes = [
    ...Array.from({ length: masters.count }, (_, index) => master(index)),
    ...Object.values(agents).flatMap((pool) => Array.from({ length: pool.count }, (_, index) => agent(pool, index))),
  ];
  if (target.kind !== 'vagrant') return nodes;
  return nodes.map((node, index) => ({
    ...node,
    address: vagrantAddress(target.network, masters.count, index),
  }));
}

function hostNodes(
  machines: Extract<Target, { kind: 'hosts' }>['machines'],
  agents: Readonly<Record<string, AgentPool>>,
): Node[] {
  const nodes = Object.entries(machines).map(([name, { role, pool, address }]): Node => {
    const known = Object.hasOwn(agents, pool) ? agents[pool] : undefined;
    return { name, role, pool, containerizers: known?.containerizers ?? [], address, zone: undefined };
  });
  const order = ['masters', ...Object.keys(agents)];
  return nodes.sort((a, b) => order.indexOf(a.pool) - order.indexOf(b.pool));
}

function completeNetworks(
  description: Description,
  agents: Readonly<Record<string, AgentPool>>,
  choice: Choice,
): Readonly<Record<string, Network>> {
  const offered = new Set(Object.values(agents).flatMap((pool) => pool.containerizers));
  const only: Containerizer = offered.has('docker') ? 'docker' : 'mesos';
  return Object.fromEntries(
    Object.entries(description.networks ?? {}).map(([name, network]): [string, Network] => {
      const containerizer =
        offered.size > 1
          ? (network.containerizer ?? only)
          : choice.of(
              ['networks', name, 'containerizer'],
              network.containerizer,
              only,
              'the only one that the pools offer',
            );
      const { labels = {}, proxies } = network;
      const group = choice.of(['networks', name, 'group'], network.group, 'default', 'as Kubernetes calls it');
      return [name, { name, containerizer, group, labels, ...(proxies === undefined ? {} : { proxies }) }];
    }),
  );
}
