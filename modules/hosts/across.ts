/** What only shows when hosts are looked at together: one name twice, clocks apart, ranges in each other's way. Pure. */
import type { Cluster, Node } from '../cluster/cluster.ts';
import { contains, overlap, readRange, type Range } from '../cluster/range.ts';
import type { Problem } from '../problem/problem.ts';
import type { Facts, Found } from './found.ts';
import { clockCaution, clockRefusal } from './judge-system.ts';

export interface Surveyed {
  readonly node: Node;
  readonly found: Found;
}

export interface Across {
  readonly refusals: readonly Problem[];
  readonly cautions: readonly Problem[];
}

export function across(cluster: Cluster, hosts: readonly Surveyed[]): Across {
  const clocks = apart(cluster, hosts);
  return {
    refusals: [...names(cluster, hosts), ...clocks.refusals, ...pools(cluster, hosts)],
    cautions: [...machineIds(cluster, hosts), ...clocks.cautions, ...versions(cluster, hosts)],
  };
}

const atMachine = (cluster: Cluster, name: string) => ({ file: cluster.file, path: `target.hosts.machines.${name}` });

/** Hosts that tell the same of a fact, by what they tell. */
function alike(hosts: readonly Surveyed[], fact: keyof Facts): readonly (readonly [string, readonly string[]])[] {
  const by = new Map<string, string[]>();
  for (const { node, found } of hosts) {
    const value = found.facts[fact];
    if (value !== undefined) by.set(value, [...(by.get(value) ?? []), node.name]);
  }
  return [...by].filter(([, all]) => all.length > 1);
}

const names = (cluster: Cluster, hosts: readonly Surveyed[]): Problem[] =>
  alike(hosts, 'hostname').map(([hostname, all]) => ({
    code: 'survey-hostname-twice',
    at: atMachine(cluster, all[1]!),
    what: `${all.join(' and ')} are all called ${hostname}.`,
    rule: 'Calico knows a host by its name: the second silently overwrites the first.',
    remedy: `on ${all[1]!}: hostnamectl set-hostname ${all[1]!}`,
  }));

const machineIds = (cluster: Cluster, hosts: readonly Surveyed[]): Problem[] =>
  alike(hosts, 'machine-id').map(([id, all]) => ({
    code: 'survey-machine-id-twice',
    at: atMachine(cluster, all[1]!),
    what: `${all.join(' and ')} have one machine id, ${id}: they are copies of each other.`,
    rule: 'DHCP servers and systemd take such hosts for one.',
    remedy: 'rm /etc/machine-id && systemd-machine-id-setup, then reboot',
  }));

/** Only how far clocks are certainly apart: the time that asking took is no fault of theirs. */
function apart(cluster: Cluster, hosts: readonly Surveyed[]): Across {
  let most = { by: 0, fast: '', slow: '' };
  for (const fast of hosts) {
    for (const slow of hosts) {
      const by = fast.found.clock.least - slow.found.clock.most;
      if (by > most.by) most = { by, fast: fast.node.name, slow: slow.node.name };
    }
  }
  if (most.by < clockCaution) return { refusals: [], cautions: [] };
  const problem: Problem = {
    code: 'survey-clocks-apart',
    at: atMachine(cluster, most.slow),
    what: `the clock of ${most.fast} is ${most.by.toFixed(1)} s ahead of that of ${most.slow}.`,
    rule: `members of etcd and ZooKeeper bear less than ${clockCaution} s.`,
    remedy: 'one time service for all hosts: chronyd, systemd-timesyncd',
  };
  return most.by >= clockRefusal ? { refusals: [problem], cautions: [] } : { refusals: [], cautions: [problem] };
}

/** Interfaces that Calico makes, and what it routes to them. */
const calicos = /^(cali|tunl|tap)/;

function pools(cluster: Cluster, hosts: readonly Surveyed[]): Problem[] {
  const problems: Problem[] = [];
  for (const pool of cluster.calico.ipPools) {
    const range = readRange(pool.cidr);
    if ('fault' in range) continue;
    for (const { node, found } of hosts) {
      const hit = inTheWay(found, range);
      if (hit === undefined) continue;
      problems.push({
        code: 'survey-pool-overlaps',
        at: { file: cluster.file, path: `calico.ipPools.${pool.name}.cidr` },
        what: `the IP pool ${pool.name} (${pool.cidr}) overlaps ${hit} on ${node.name}.`,
        rule: 'the host would take tasks for its neighbours, or neighbours for tasks.',
        remedy: 'cidr: a range that is free on all hosts and in their network',
      });
    }
  }
  return problems;
}

function inTheWay({ routes, addresses, facts }: Found, pool: Range): string | undefined {
  // Where Calico runs, the blocks of other hosts are routes within the pool, through any interface.
  const runs = facts['calico-node'] !== undefined;
  for (const { range: text, device } of routes) {
    const range = readRange(text);
    if ('fault' in range || calicos.test(device) || range.prefix === 0) continue;
    if (overlap(range, pool) && !(runs && contains(pool, range))) return `the route ${text} (${device})`;
  }
  for (const { device, address } of addresses) {
    const range = readRange(`${address}/32`);
    if (!calicos.test(device) && !('fault' in range) && contains(pool, range))
      return `the address ${address} (${device})`;
  }
  return undefined;
}

function versions(cluster: Cluster, hosts: readonly Surveyed[]): Problem[] {
  const facts = ['mesos', 'docker', 'zookeeper', 'etcd', 'calico-node'] as const;
  return facts.flatMap((fact) => {
    const told = new Map<string, string>();
    for (const { node, found } of hosts) {
      const version = found.facts[fact];
      if (version !== undefined && !told.has(version)) told.set(version, node.name);
    }
    if (told.size < 2) return [];
    return [
      {
        code: 'survey-versions-apart',
        at: atMachine(cluster, [...told.values()][1]!),
        what: `${fact} is ${[...told].map(([version, name]) => `${version} on ${name}`).join(', ')}.`,
        rule: 'a cluster of mixed versions works for the time of an upgrade; longer, nobody tests it.',
        remedy: 'upgrade the older ones',
      },
    ];
  });
}
