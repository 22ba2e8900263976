/** What only AWS and GCE can get wrong. */
import { contains, range } from '../range.ts';
import type { Check, Finding } from './check.ts';

/** Families with ARM processors: a g behind the generation on AWS, names of their own on GCE. */
const arm = { aws: /^(a1|[a-z]+[0-9]+g[a-z]*)\./, gce: /^(t2a|c4a|n4a|a4x)-/ };
const form = { aws: /^[a-z0-9-]+\.[a-z0-9-]+$/, gce: /^[a-z0-9]+-[a-z0-9-]+$/ };

/** Where an administrator comes from who is in the network by a VPN or a peering. */
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

export const clouds: readonly Check[] = [
  {
    code: 'zone-outside-region',
    severity: 'error',
    rule: 'a zone is its region and a letter; a cluster lives in one region, and local zones lack what it needs.',
    remedy: 'zones of that region, or the region of those zones',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' && target.kind !== 'gce') return;
      for (const [index, zone] of target.zones.entries()) {
        const rest = zone.startsWith(target.region) ? zone.slice(target.region.length) : undefined;
        if (rest === undefined || !(target.kind === 'aws' ? /^[a-z]$/ : /^-[a-z]$/).test(rest)) {
          yield { path: ['target', target.kind, 'zones', index], what: `${zone} is no zone of ${target.region}.` };
        }
      }
    },
  },
  {
    code: 'unknown-zone',
    severity: 'error',
    rule: 'masters and pools take some of the zones of the target.',
    remedy: 'leave zones out, or add the zone to the target',
    *find({ cluster: { target, masters, agents } }) {
      if (target.kind !== 'aws' && target.kind !== 'gce') return;
      const groups = [
        { path: ['masters'], who: 'masters name', machine: masters.machine },
        ...Object.values(agents).map(({ name, machine }) => {
          return { path: ['agents', name], who: `The pool ${name} names`, machine };
        }),
      ];
      for (const { path, who, machine } of groups) {
        if (machine.kind !== 'cloud') continue;
        for (const [index, zone] of machine.zones.entries()) {
          if (!target.zones.includes(zone))
            yield {
              path: [...path, 'zones', index],
              what: `${who} ${zone}; the target has ${target.zones.join(', ')}.`,
            };
        }
      }
    },
  },
  {
    code: 'machine-of-another-cloud',
    severity: 'error',
    rule: 'machine types of AWS have a dot (t3.large), those of GCE a dash (e2-standard-2).',
    remedy: 'machine: t3.large on aws, machine: e2-standard-2 on gce',
    *find({ cluster }) {
      yield* machineTypes(cluster, (kind, type) =>
        form[kind].test(type) ? undefined : `is no machine type of ${kind}`,
      );
    },
  },
  {
    code: 'machine-not-amd64',
    severity: 'error',
    rule: 'the images and binaries of these Calico versions are built for amd64 only.',
    remedy: 'machine: t3.large on aws, machine: e2-standard-2 on gce',
    *find({ cluster }) {
      yield* machineTypes(cluster, (kind, type) =>
        form[kind].test(type) && arm[kind].test(type) ? 'has ARM processors' : undefined,
      );
    },
  },
  {
    code: 'missing-subnet',
    severity: 'error',
    rule: 'in an existing network, every machine needs a subnet to stand in.',
    remedy:
      'network: { vpc: vpc-…, subnets: { us-west-2a: subnet-… } }; network: { name: default, subnetwork: default }',
    *find({ cluster: { target }, description }) {
      if (target.kind === 'aws' && target.network.kind === 'existing') {
        const { subnets } = target.network;
        for (const zone of target.zones.filter((each) => !Object.hasOwn(subnets, each))) {
          yield {
            path: ['target', 'aws', 'network', 'subnets', zone],
            what: `${target.network.vpc} is to be used, and no subnet is named for ${zone}.`,
          };
        }
      }
      const gce = description.target.gce?.network;
      if (gce?.name !== undefined && gce.subnetwork === undefined) {
        yield {
          path: ['target', 'gce', 'network', 'subnetwork'],
          what: `${gce.name} is to be used, and no subnetwork is named.`,
        };
      }
    },
  },
  {
    code: 'subnet-without-network',
    severity: 'error',
    rule: 'a subnet is of an existing network, and for a zone of the target.',
    remedy:
      'network: { vpc: vpc-…, subnets: { us-west-2a: subnet-… } }; network: { name: default, subnetwork: default }',
    *find({ description }) {
      const { aws, gce } = description.target;
      const zones = aws?.network?.subnets ?? {};
      if (aws && aws.network?.vpc === undefined && Object.keys(zones).length > 0) {
        yield {
          path: ['target', 'aws', 'network', 'subnets'],
          what: `subnets are named for ${Object.keys(zones).join(', ')}, and no vpc.`,
        };
      } else {
        for (const [zone, id] of Object.entries(zones)) {
          if (!aws?.zones.includes(zone)) {
            yield {
              path: ['target', 'aws', 'network', 'subnets', zone],
              what: `${id} is for ${zone}, which is not under zones.`,
            };
          }
        }
      }
      if (gce?.network?.subnetwork !== undefined && gce.network.name === undefined) {
        yield {
          path: ['target', 'gce', 'network', 'subnetwork'],
          what: `The subnetwork ${gce.network.subnetwork} is named, and no network.`,
        };
      }
    },
  },
  {
    code: 'egress-of-existing-network',
    severity: 'error',
    rule: 'routes of an existing network are never changed.',
    remedy: 'leave egress out',
    *find({ description }) {
      for (const [kind, network] of [
        ['aws', description.target.aws?.network],
        ['gce', description.target.gce?.network],
      ] as const) {
        const exists = network !== undefined && ('vpc' in network || 'name' in network);
        if (exists && network.egress !== undefined) {
          yield {
            path: ['target', kind, 'network', 'egress'],
            what: `egress is ${network.egress} for a network that exists.`,
          };
        }
      }
    },
  },
  {
    code: 'no-way-in',
    severity: 'warning',
    rule: 'without public addresses nobody reaches the machines but through a VPN, a peering or a tunnel of the cloud, none of which the kit makes.',
    remedy:
      'egress: public; or a range in adminCidrs from which the network is reached, such as 35.235.240.0/20 for IAP on gce',
    *find({ cluster: { target, access } }) {
      if ((target.kind !== 'aws' && target.kind !== 'gce') || target.network.kind !== 'created') return;
      const { egress } = target.network;
      const ways = [...privateRanges, '35.235.240.0/20'].map(range);
      if (egress === 'public' || access.adminCidrs.some((cidr) => ways.some((way) => contains(way, range(cidr)))))
        return;
      yield { path: ['target', target.kind, 'network', 'egress'], what: `egress is ${egress}.` };
    },
  },
  {
    code: 'default-network',
    severity: 'warning',
    rule: 'Google makes this network with rules of its own: SSH from everywhere, and everything between all machines in it.',
    remedy: 'a network of its own, or without those rules',
    *find({ cluster: { target } }) {
      if (target.kind !== 'gce' || target.network.kind !== 'existing' || target.network.name !== 'default') return;
      yield { path: ['target', 'gce', 'network', 'name'], what: 'The cluster is to stand in the network default.' };
    },
  },
  {
    code: 'range-unknown',
    severity: 'warning',
    rule: 'without the range of the existing network, overlaps with IP pools cannot be found.',
    remedy: 'network: { …, cidr: 10.0.0.0/16 }',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' && target.kind !== 'gce') return;
      const { network } = target;
      if (network.kind !== 'existing' || network.cidr !== undefined) return;
      yield {
        path: ['target', target.kind, 'network'],
        what: `The range of ${'vpc' in network ? network.vpc : network.name} is not said.`,
      };
    },
  },
];

type Subject = Parameters<Check['find']>[0];

function* machineTypes(
  { target, masters, agents }: Subject['cluster'],
  fault: (kind: 'aws' | 'gce', type: string) => string | undefined,
): Generator<Finding> {
  if (target.kind !== 'aws' && target.kind !== 'gce') return;
  const all = [
    { path: ['masters', 'machine'], machine: masters.machine },
    ...Object.values(agents).map((pool) => ({ path: ['agents', pool.name, 'machine'], machine: pool.machine })),
  ];
  for (const { path, machine } of all) {
    if (machine.kind !== 'cloud') continue;
    const found = fault(target.kind, machine.type);
    if (found) yield { path, what: `${machine.type} ${found}.` };
  }
}
