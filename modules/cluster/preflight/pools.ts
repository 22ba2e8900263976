/** Ranges that are too small, or of the wrong family. */
import { range, size } from '../range.ts';
import type { Check } from './check.ts';

/** Calico hands addresses to nodes in blocks of 64: /26 in IPv4, /122 in IPv6. */
const block = { 4: 26, 6: 122 } as const;

export const pools: readonly Check[] = [
  {
    code: 'ip-pool-too-small',
    severity: 'error',
    rule: 'Calico takes pools of at least one block of 64 addresses: /26 in IPv4, /122 in IPv6.',
    remedy: 'cidr: 10.65.0.0/16',
    *find({ cluster }) {
      for (const pool of cluster.calico.ipPools) {
        const { prefix, family } = range(pool.cidr);
        if (prefix > block[family]) {
          yield {
            path: ['calico', 'ipPools', pool.name, 'cidr'],
            what: `The IP pool ${pool.name} is ${pool.cidr}, a /${prefix}.`,
          };
        }
      }
    },
  },
  {
    code: 'too-few-blocks',
    severity: 'error',
    rule: 'every node takes a block of 64 addresses for its own; a node without one borrows single addresses, and each of them is a route on every other.',
    remedy: 'a larger pool, or a second one',
    *find({ cluster }) {
      const pools = cluster.calico.ipPools.filter((pool) => range(pool.cidr).family === 4);
      const blocks = pools.reduce((sum, pool) => sum + 2 ** Math.max(0, block[4] - range(pool.cidr).prefix), 0);
      const nodes = cluster.nodes.length;
      if (pools.length === 0 || blocks >= nodes) return;
      const cidrs = pools.map((pool) => pool.cidr).join(', ');
      yield {
        path: ['calico', 'ipPools', pools[0]!.name, 'cidr'],
        what: `${cidrs} ${pools.length > 1 ? 'have' : 'has'} ${blocks} ${blocks === 1 ? 'block' : 'blocks'} of 64 for ${nodes} nodes.`,
      };
    },
  },
  {
    code: 'no-ipv4-pool',
    severity: 'error',
    rule: 'Docker and Mesos networks of Calico give every task an IPv4 address.',
    remedy: 'calico: { ipPools: { default: { cidr: 10.65.0.0/16 } } }',
    *find({ cluster }) {
      const { ipPools } = cluster.calico;
      if (ipPools.some((pool) => range(pool.cidr).family === 4)) return;
      yield {
        path: ['calico', 'ipPools'],
        what: `All IP pools are IPv6: ${ipPools.map((pool) => pool.cidr).join(', ')}.`,
      };
    },
  },
  {
    code: 'ipv6-pool-unused',
    severity: 'warning',
    rule: "neither Calico's Docker plugin nor its net-modules plugin gives tasks IPv6 addresses.",
    remedy: 'leave the pool out',
    *find({ cluster }) {
      for (const pool of cluster.calico.ipPools) {
        if (range(pool.cidr).family === 6) {
          yield {
            path: ['calico', 'ipPools', pool.name, 'cidr'],
            what: `No task will get an address of ${pool.name}, ${pool.cidr}.`,
          };
        }
      }
    },
  },
  {
    code: 'network-too-small',
    severity: 'error',
    rule: 'every machine needs an address, and the platform keeps some for itself.',
    remedy: 'a shorter prefix: /24 or /20',
    *find({ cluster }) {
      const { target, nodes } = cluster;
      if (target.kind === 'hosts') return;
      if ((target.kind === 'aws' || target.kind === 'gce') && target.network.kind === 'existing') return;
      const cidr =
        target.kind === 'lab' ? target.fabric : target.kind === 'vagrant' ? target.network : target.network.cidr;
      const path = target.kind === 'lab' ? ['fabric'] : target.kind === 'vagrant' ? ['network'] : ['network', 'cidr'];
      if (cidr === undefined) return;
      // One subnet per zone on AWS, each an eighth of the VPC; 5 addresses of each are kept by AWS, 4 by Google.
      const zones = target.kind === 'aws' ? target.zones.length : 1;
      const parts = target.kind === 'aws' ? 8 : 1;
      const kept = { aws: 5, gce: 4, vagrant: 3, lab: 3 }[target.kind];
      const room = Math.max(0, Number(size(range(cidr))) / parts - kept) * zones;
      if (nodes.length > room) {
        const split = zones > 1 ? ` over ${zones} zones` : '';
        yield {
          path: ['target', target.kind, ...path],
          what: `${cidr} has room for ${Math.floor(room)} machines${split}, and there are ${nodes.length}.`,
        };
      }
    },
  },
  {
    code: 'vpc-prefix',
    severity: 'error',
    rule: 'AWS makes VPCs from /16 on, Google subnetworks from /8 on; and masters begin at the 17th address of a subnet, which on AWS is an eighth of the VPC.',
    remedy: 'cidr: 10.0.0.0/16 on aws, cidr: 10.0.0.0/20 on gce',
    *find({ cluster: { target } }) {
      if ((target.kind !== 'aws' && target.kind !== 'gce') || target.network.kind === 'existing') return;
      const { cidr } = target.network;
      const { prefix } = range(cidr);
      const [shortest, longest] = target.kind === 'aws' ? [16, 24] : [8, 27];
      if (prefix < shortest || prefix > longest) {
        yield {
          path: ['target', target.kind, 'network', 'cidr'],
          what: `The network is ${cidr}, a /${prefix}; it can be /${shortest} to /${longest}.`,
        };
      }
    },
  },
];
