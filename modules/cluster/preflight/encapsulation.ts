/** How Calico carries packets, against what the target carries. */
import { fabricMtu, ipipOverhead } from '../complete-calico.ts';
import { range } from '../range.ts';
import type { Check } from './check.ts';

export const encapsulation: readonly Check[] = [
  {
    code: 'encapsulation-needed',
    severity: 'error',
    rule: 'the fabric of GCE routes every packet, also within a subnetwork, and drops addresses that it did not give out.',
    remedy: 'encapsulation: ipip',
    *find({ cluster: { target, calico } }) {
      if (target.kind !== 'gce') return;
      for (const { name, cidr, encapsulation: chosen } of calico.ipPools) {
        if (chosen === 'ipip' || range(cidr).family === 6) continue;
        yield {
          path: ['calico', 'ipPools', name, 'encapsulation'],
          what: `The IP pool ${name} has encapsulation ${chosen} on gce.`,
        };
      }
    },
  },
  // Besides, a rule that names a security group knows packets by the addresses of its members: those of tasks, as they
  // are, would need rules that name the pool.
  {
    code: 'encapsulation-needs-source-dest-check',
    severity: 'error',
    rule: 'tasks send packets as they are only between machines whose source/destination check is off, and a launch template cannot switch it off; machines that did it themselves would need a role that every task on them could use.',
    remedy: 'encapsulation: ipip, or leave it out',
    *find({ cluster: { target, calico } }) {
      if (target.kind !== 'aws') return;
      for (const { name, cidr, encapsulation: chosen } of calico.ipPools) {
        if (chosen === 'ipip' || range(cidr).family === 6) continue;
        yield {
          path: ['calico', 'ipPools', name, 'encapsulation'],
          what: `The IP pool ${name} has encapsulation ${chosen} on aws.`,
        };
      }
    },
  },
  {
    code: 'encapsulation-not-in-channel',
    severity: 'error',
    rule: 'the pools of Calico v0.x know only IP-in-IP on or off; cross-subnet came with v2.1.',
    remedy: 'encapsulation: ipip, or release: current',
    *find({ cluster: { release, calico } }) {
      for (const { name, encapsulation: chosen } of calico.ipPools) {
        if (!release.encapsulations.includes(chosen)) {
          yield {
            path: ['calico', 'ipPools', name, 'encapsulation'],
            what: `The IP pool ${name} has encapsulation ${chosen} with Calico ${release.calico}.`,
          };
        }
      }
    },
  },
  {
    code: 'encapsulation-in-lab',
    severity: 'error',
    rule: 'the hosts of the lab share one layer-2 network, and the lab does not wrap packets: it would prove nothing about IP-in-IP.',
    remedy: 'encapsulation: none, or leave it out',
    *find({ cluster: { target, calico } }) {
      if (target.kind !== 'lab') return;
      for (const { name, encapsulation: chosen } of calico.ipPools) {
        if (chosen !== 'none')
          yield {
            path: ['calico', 'ipPools', name, 'encapsulation'],
            what: `The IP pool ${name} has encapsulation ${chosen} in the lab.`,
          };
      }
    },
  },
  {
    code: 'ipip-on-ipv6',
    severity: 'error',
    rule: 'IP-in-IP carries IPv4 only.',
    remedy: 'encapsulation: none',
    *find({ cluster: { calico } }) {
      for (const { name, cidr, encapsulation: chosen } of calico.ipPools) {
        if (chosen !== 'none' && range(cidr).family === 6) {
          yield {
            path: ['calico', 'ipPools', name, 'encapsulation'],
            what: `The IPv6 pool ${name} (${cidr}) has encapsulation ${chosen}.`,
          };
        }
      }
    },
  },
  {
    code: 'mtu-too-large',
    severity: 'error',
    rule: 'packets of a task, with the 20 bytes that IP-in-IP adds, must fit the network between the machines; else small ones pass and large ones vanish.',
    remedy: 'leave mtu out',
    *find({ cluster: { target, calico } }) {
      const fabric = fabricMtu(target);
      const overhead = calico.ipPools.some((pool) => pool.encapsulation !== 'none') ? ipipOverhead : 0;
      if (calico.mtu + overhead > fabric) {
        yield {
          path: ['calico', 'mtu'],
          what: `calico.mtu is ${calico.mtu}${overhead > 0 ? `, with IP-in-IP ${calico.mtu + overhead}` : ''}, and ${target.kind} carries ${fabric}.`,
          remedy: `mtu: ${fabric - overhead}, or leave it out`,
        };
      }
    },
  },
  {
    code: 'mtu-not-applied',
    severity: 'warning',
    rule: "Calico's Docker plugin before v1.1, and libcalico, by which calico_mesos makes interfaces, leave them at 1500; large packets then depend on ICMP to get smaller.",
    remedy: 'release: current, or let no firewall drop ICMP between tasks and hosts',
    *find({ cluster: { calico, release, networks } }) {
      const names = Object.values(networks).map(({ name }) => name);
      if (release.name === 'classic' && calico.mtu < 1500 && names.length > 0) {
        yield {
          path: ['calico', 'mtu'],
          what: `calico.mtu is ${calico.mtu}, and tasks in ${names.join(', ')} will have 1500.`,
        };
      }
    },
  },
  {
    code: 'mtu-below-ipv6',
    severity: 'error',
    rule: 'IPv6 needs links that carry 1280 bytes.',
    remedy: 'mtu: 1280 or more',
    *find({ cluster: { calico } }) {
      if (calico.mtu < 1280 && calico.ipPools.some((pool) => range(pool.cidr).family === 6)) {
        yield { path: ['calico', 'mtu'], what: `calico.mtu is ${calico.mtu}, and there is an IPv6 pool.` };
      }
    },
  },
  {
    code: 'as-number-reserved',
    severity: 'error',
    rule: 'BGP keeps 23456 (AS_TRANS), 65535 and 65536 to 65551 for itself.',
    remedy: 'asNumber: 64512',
    *find({ cluster: { calico } }) {
      const as = calico.asNumber;
      if (as === 23_456 || (as >= 65_535 && as <= 65_551))
        yield { path: ['calico', 'asNumber'], what: `calico.asNumber is ${as}.` };
    },
  },
  {
    code: 'as-number-public',
    severity: 'warning',
    rule: 'outside 64512 to 65534 and 4200000000 to 4294967294, AS numbers belong to somebody.',
    remedy: 'asNumber: 64512, unless the number is yours',
    *find({ cluster: { calico, release } }) {
      const as = calico.asNumber;
      const own = (as >= 64_512 && as <= 65_534) || as >= 4_200_000_000 || as === release.asNumber;
      const reserved = as === 23_456 || (as >= 65_535 && as <= 65_551);
      if (!own && !reserved) yield { path: ['calico', 'asNumber'], what: `calico.asNumber is ${as}.` };
    },
  },
  {
    code: 'no-way-out',
    severity: 'warning',
    rule: 'outside of the cluster nobody knows the way back to a task, so answers to it are lost.',
    remedy: 'natOutgoing: true',
    *find({ cluster: { target, calico } }) {
      if (target.kind === 'lab' || target.kind === 'hosts') return;
      for (const { name, cidr, natOutgoing } of calico.ipPools) {
        if (!natOutgoing && range(cidr).family === 4) {
          yield {
            path: ['calico', 'ipPools', name, 'natOutgoing'],
            what: `The IP pool ${name} has natOutgoing false on ${target.kind}.`,
          };
        }
      }
    },
  },
  {
    code: 'nat-in-lab',
    severity: 'warning',
    rule: 'the lab has no outside that addresses could be translated for.',
    remedy: 'leave natOutgoing out',
    *find({ cluster: { target, calico } }) {
      if (target.kind !== 'lab') return;
      for (const { name, natOutgoing } of calico.ipPools) {
        if (natOutgoing)
          yield {
            path: ['calico', 'ipPools', name, 'natOutgoing'],
            what: `The IP pool ${name} has natOutgoing true in the lab.`,
          };
      }
    },
  },
  {
    code: 'large-mesh',
    severity: 'warning',
    rule: 'in a full mesh every node speaks BGP to every other; past about 100 nodes that gets slow.',
    remedy: 'fewer nodes, or several clusters',
    *find({ cluster: { nodes, agents } }) {
      if (nodes.length <= 100) return;
      const largest = Object.values(agents).sort((a, b) => b.count - a.count)[0];
      yield { path: ['agents', largest?.name ?? '', 'count'], what: `The cluster has ${nodes.length} nodes.` };
    },
  },
];
