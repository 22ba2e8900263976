/** Address ranges that get into each other's way. */
import type { Cluster } from '../cluster.ts';
import type { Path } from '../path.ts';
import { contains, overlap, range, type Range } from '../range.ts';
import type { Check } from './check.ts';

interface Named {
  /** As a sentence names it: `the IP pool default`. */
  readonly name: string;
  readonly path: Path;
  readonly range: Range;
}

/** Docker puts its bridge there unless another interface has it. */
const docker = range('172.17.0.0/16');

const special: readonly { readonly range: Range; readonly what: string }[] = [
  { range: range('0.0.0.0/8'), what: '"this network"' },
  { range: range('127.0.0.0/8'), what: 'loopback' },
  { range: range('169.254.0.0/16'), what: 'link-local; 169.254.1.1 is the gateway of every task' },
  { range: range('224.0.0.0/4'), what: 'multicast' },
  { range: range('240.0.0.0/4'), what: 'reserved' },
  { range: range('::/127'), what: 'loopback' },
  { range: range('fe80::/10'), what: 'link-local' },
  { range: range('ff00::/8'), what: 'multicast' },
];

/** IPv4 space that nobody meets on the internet: private, carrier, benchmark and documentation ranges. */
const inner = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
].map(range);

function poolRanges({ calico }: Cluster): Named[] {
  return calico.ipPools.map((pool) => ({
    name: `the IP pool ${pool.name}`,
    path: ['calico', 'ipPools', pool.name, 'cidr'],
    range: range(pool.cidr),
  }));
}

/** The network that the machines themselves are in, where it is known. */
function machineRange({ target }: Cluster): Named | undefined {
  switch (target.kind) {
    case 'aws':
    case 'gce': {
      const { cidr } = target.network;
      const name = target.kind === 'aws' ? 'the VPC' : 'the subnetwork';
      return cidr === undefined
        ? undefined
        : { name, path: ['target', target.kind, 'network', 'cidr'], range: range(cidr) };
    }
    case 'vagrant':
      return { name: "Vagrant's network", path: ['target', 'vagrant', 'network'], range: range(target.network) };
    case 'lab':
      return { name: "the lab's fabric", path: ['target', 'lab', 'fabric'], range: range(target.fabric) };
    case 'hosts':
      return undefined;
    default:
      return target satisfies never;
  }
}

function allRanges(cluster: Cluster): Named[] {
  const machines = machineRange(cluster);
  return [...poolRanges(cluster), ...(machines ? [machines] : [])];
}

const show = (named: Named) => `${named.name} (${named.range.cidr})`;
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export const ranges: readonly Check[] = [
  {
    code: 'ip-pools-overlap',
    severity: 'error',
    rule: 'Calico refuses pools that overlap: it could not tell which one an address is of.',
    remedy: 'calico: { ipPools: { one: { cidr: 10.65.0.0/16 }, two: { cidr: 10.66.0.0/16 } } }',
    *find({ cluster }) {
      const pools = poolRanges(cluster);
      for (const [index, second] of pools.entries()) {
        for (const first of pools.slice(0, index)) {
          if (overlap(first.range, second.range)) {
            yield { path: second.path, what: `${sentence(show(second))} overlaps ${show(first)}.` };
          }
        }
      }
    },
  },
  {
    code: 'ip-pool-overlaps-subnet',
    severity: 'error',
    rule: 'a machine would take its neighbours for tasks, or tasks for its neighbours.',
    remedy: 'cidr: 10.65.0.0/16, or another range that is free on both sides',
    *find({ cluster }) {
      const machines = machineRange(cluster);
      for (const pool of poolRanges(cluster)) {
        if (machines && overlap(pool.range, machines.range)) {
          yield { path: pool.path, what: `${sentence(show(pool))} overlaps ${show(machines)}.` };
        }
      }
    },
  },
  {
    code: 'ip-pool-holds-host',
    severity: 'error',
    rule: 'the address of a host would be given to a task.',
    remedy: 'cidr: 10.65.0.0/16, or another range without hosts',
    *find({ cluster }) {
      if (cluster.target.kind !== 'hosts') return;
      for (const pool of poolRanges(cluster)) {
        for (const [name, { address }] of Object.entries(cluster.target.machines)) {
          if (contains(pool.range, range(`${address}/32`))) {
            yield { path: pool.path, what: `${sentence(show(pool))} holds the address of ${name}, ${address}.` };
          }
        }
      }
    },
  },
  {
    code: 'range-overlaps-docker',
    severity: 'error',
    rule: "Docker's own bridge takes 172.17.0.0/16 on every agent.",
    remedy: '10.65.0.0/16, or another range outside 172.17.0.0/16',
    *find({ cluster }) {
      if (cluster.target.kind === 'lab') return;
      for (const named of allRanges(cluster)) {
        if (overlap(named.range, docker))
          yield { path: named.path, what: `${sentence(show(named))} overlaps 172.17.0.0/16.` };
      }
    },
  },
  {
    code: 'special-range',
    severity: 'error',
    rule: 'hosts do not route these addresses like others.',
    remedy: '10.65.0.0/16',
    *find({ cluster }) {
      for (const named of allRanges(cluster)) {
        const hit = special.find((each) => overlap(each.range, named.range));
        if (hit) {
          yield {
            path: named.path,
            what: `${sentence(show(named))} reaches into ${hit.range.cidr}, which is ${hit.what}.`,
          };
        }
      }
      if (cluster.target.kind !== 'hosts') return;
      for (const [name, { address }] of Object.entries(cluster.target.machines)) {
        const hit = special.find((each) => contains(each.range, range(`${address}/32`)));
        if (hit) {
          const path = ['target', 'hosts', 'machines', name, 'address'];
          yield { path, what: `The address of ${name}, ${address}, lies in ${hit.range.cidr}, which is ${hit.what}.` };
        }
      }
    },
  },
  {
    code: 'public-range',
    severity: 'warning',
    rule: 'these addresses belong to somebody on the internet, whom the cluster can then not reach.',
    remedy: 'a private range: within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16',
    *find({ cluster }) {
      for (const named of allRanges(cluster)) {
        if (named.range.family === 6 || inner.some((each) => contains(each, named.range))) continue;
        if (special.some((each) => overlap(each.range, named.range))) continue;
        yield { path: named.path, what: `${sentence(show(named))} is public address space.` };
      }
    },
  },
];
