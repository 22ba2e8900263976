/** Where machines stand on a cloud: regions, zones, subnets, and the addresses of masters. */
import { nearest } from '../../problem/nearest.ts';
import type { AwsTarget, Cluster, GceTarget } from '../cluster.ts';
import { addressAt, contains, range, size } from '../range.ts';
import { zonesOf } from '../regions.ts';
import { masterZone, zoneFits, zoneIndex, zoneSubnet } from '../subnets.ts';
import type { Check, Finding, Subject } from './check.ts';

type Cloud = AwsTarget | GceTarget;

const cloud = ({ target }: Cluster): Cloud | undefined =>
  target.kind === 'aws' || target.kind === 'gce' ? target : undefined;

/** A zone of the region itself, not a local zone: us-west-2a, us-central1-a. */
const letterOf = (target: Cloud, zone: string): string | undefined => {
  const rest = zone.startsWith(target.region) ? zone.slice(target.region.length) : '';
  return (target.kind === 'aws' ? /^([a-z])$/ : /^-([a-z])$/).exec(rest)?.[1];
};

/** Where a master stands. */
interface Seat {
  readonly target: Cloud;
  readonly zone: string;
  /** `master-1`. */
  readonly name: string;
}

/** The range that a master's address has to lie in, where it is known. */
function home({ target, zone }: Seat): string | undefined {
  const { network } = target;
  if (network.cidr === undefined) return undefined;
  if (network.kind === 'existing' || target.kind === 'gce') return network.cidr;
  return zoneFits(zone) && range(network.cidr).prefix <= 24 ? zoneSubnet(network.cidr, zone) : undefined;
}

export const places: readonly Check[] = [
  {
    code: 'unknown-region',
    severity: 'warning',
    rule: 'it is new, or misspelt; a cloud finds that out only when machines are created.',
    remedy: 'region: us-west-2 on aws, region: us-central1 on gce',
    *find({ cluster }) {
      const target = cloud(cluster);
      if (target === undefined || Object.hasOwn(zonesOf[target.kind], target.region)) return;
      const near = nearest(target.region, Object.keys(zonesOf[target.kind]));
      yield {
        path: ['target', target.kind, 'region'],
        what: `${target.region} is no region of ${target.kind} that we know.${near ? ` Did you mean ${near}?` : ''}`,
      };
    },
  },
  {
    code: 'no-such-zone',
    severity: 'error',
    rule: 'not every region has zones a, b and c.',
    remedy: 'one of the zones that the region has',
    *find({ cluster }) {
      const target = cloud(cluster);
      const letters = target && zonesOf[target.kind][target.region];
      if (target === undefined || letters === undefined) return;
      for (const [index, zone] of target.zones.entries()) {
        const letter = letterOf(target, zone);
        if (letter === undefined || letters.includes(letter)) continue;
        const known = letters.split('').map((each) => `${target.region}${target.kind === 'gce' ? '-' : ''}${each}`);
        yield {
          path: ['target', target.kind, 'zones', index],
          what: `${target.region} has no zone ${zone}.`,
          rule: `its zones are ${known.join(', ')}.`,
          remedy: `zones: [${known.join(', ')}]`,
        };
      }
    },
  },
  {
    code: 'zone-without-subnet',
    severity: 'error',
    rule: 'a VPC that the kit creates is cut into eighths: one for each zone from a to g, by its letter, and one for NAT.',
    remedy: 'other zones, or an existing VPC with subnets of your own',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' || target.network.kind !== 'created') return;
      const before = new Map<number, string>();
      for (const [index, zone] of target.zones.entries()) {
        if (letterOf(target, zone) === undefined) continue;
        const path = ['target', 'aws', 'zones', index];
        const first = before.get(zoneIndex(zone));
        if (!zoneFits(zone)) yield { path, what: `${zone} is past the seventh letter.` };
        else if (first !== undefined) yield { path, what: `${zone} has the letter of ${first}.` };
        before.set(zoneIndex(zone), first ?? zone);
      }
    },
  },
  {
    code: 'subnet-twice',
    severity: 'error',
    rule: 'a subnet lies in one zone.',
    remedy: 'a subnet of its own for each zone',
    *find({ cluster: { target } }) {
      if (target.kind !== 'aws' || target.network.kind !== 'existing') return;
      const before = new Map<string, string>();
      for (const [zone, id] of Object.entries(target.network.subnets)) {
        const first = before.get(id);
        if (first !== undefined) {
          yield {
            path: ['target', 'aws', 'network', 'subnets', zone],
            what: `${id} is named for ${zone}, and for ${first} already.`,
          };
        }
        before.set(id, first ?? zone);
      }
    },
  },
  {
    code: 'subnetwork-of-another-region',
    severity: 'error',
    rule: 'a subnetwork belongs to one region, and machines to subnetworks of theirs.',
    remedy: 'a subnetwork of the region of the target',
    *find({ cluster: { target } }) {
      if (target.kind !== 'gce' || target.network.kind !== 'existing') return;
      const region = /\/regions\/([^/]+)\//.exec(target.network.subnetwork)?.[1];
      if (region !== undefined && region !== target.region) {
        yield {
          path: ['target', 'gce', 'network', 'subnetwork'],
          what: `${target.network.subnetwork} is in ${region}, and the target in ${target.region}.`,
        };
      }
    },
  },
  {
    code: 'network-and-subnetwork-apart',
    severity: 'error',
    rule: 'a subnetwork is of the network that it is named with, so both are of one project.',
    remedy: 'network: { name: projects/HOST/global/networks/N, subnetwork: projects/HOST/regions/R/subnetworks/S }',
    *find({ cluster: { target } }) {
      if (target.kind !== 'gce' || target.network.kind !== 'existing') return;
      const projectOf = (name: string) => /^projects\/([^/]+)\//.exec(name)?.[1] ?? target.project;
      const [network, subnetwork] = [target.network.name, target.network.subnetwork].map(projectOf);
      if (network !== subnetwork) {
        yield {
          path: ['target', 'gce', 'network', 'subnetwork'],
          what: `The network is of project ${network}, the subnetwork of project ${subnetwork}.`,
        };
      }
    },
  },
  {
    code: 'key-of-another-region',
    severity: 'error',
    rule: 'a disk is encrypted with a key of its own region.',
    remedy: 'kmsKey: a key of the region of the target',
    *find({ cluster }) {
      const target = cloud(cluster);
      if (target?.kmsKey === undefined) return;
      const region = /^arn:[^:]+:kms:([^:]*):|^projects\/[^/]+\/locations\/([^/]+)\//.exec(target.kmsKey);
      const place = region?.[1] ?? region?.[2];
      if (place === undefined || place === target.region || (target.kind === 'gce' && place === 'global')) return;
      yield {
        path: ['target', target.kind, 'kmsKey'],
        what: `The key is of ${place}, and the target is in ${target.region}.`,
      };
    },
  },
  {
    code: 'no-master-addresses',
    severity: 'error',
    rule: 'masters have fixed addresses, which every machine is told at its first boot; in a network that exists only you know which are free.',
    remedy: 'masters: { count: 3, addresses: [10.20.1.10, 10.20.2.10, 10.20.3.10] }',
    *find({ cluster, description }) {
      if (cloud(cluster)?.network.kind !== 'existing' || description.masters?.addresses !== undefined) return;
      yield {
        path: ['masters', 'addresses'],
        what: 'The cluster is to stand in a network that exists, and no addresses of masters are named.',
      };
    },
  },
  {
    code: 'addresses-differ-from-count',
    severity: 'error',
    rule: 'each master has one address.',
    remedy: 'as many addresses as masters',
    *find({ cluster, description }) {
      const given = description.masters?.addresses;
      if (cloud(cluster) === undefined || given === undefined || given.length === cluster.masters.count) return;
      yield {
        path: ['masters', 'addresses'],
        what: `${given.length} ${given.length === 1 ? 'address is' : 'addresses are'} named for ${cluster.masters.count} masters.`,
      };
    },
  },
  {
    code: 'address-outside-network',
    severity: 'error',
    rule: 'the address of a machine lies in the subnet that it stands in.',
    remedy: 'an address of that range',
    *find(subject) {
      yield* addresses(subject, (address, seat) => {
        const { target, zone, name } = seat;
        const cidr = home(seat);
        if (cidr === undefined || contains(range(cidr), range(`${address}/32`))) return undefined;
        const whose = target.kind === 'aws' && target.network.kind === 'created' ? ` of ${zone}` : '';
        return `${address} of ${name} lies outside of ${cidr}${whose}`;
      });
    },
  },
  {
    code: 'address-reserved',
    severity: 'error',
    rule: 'AWS keeps the first four addresses and the last of every subnet, Google the first two and the last two.',
    remedy: 'an address from the middle of the subnet',
    *find(subject) {
      yield* addresses(subject, (address, seat) => {
        const { target, name } = seat;
        const cidr = home(seat);
        // Of an existing VPC the range is known, its subnets are not.
        if (cidr === undefined || (target.kind === 'aws' && target.network.kind === 'existing')) return undefined;
        const last = Number(size(range(cidr))) - 1;
        const kept = target.kind === 'aws' ? [0, 1, 2, 3, last] : [0, 1, last - 1, last];
        return kept.some((offset) => addressAt(cidr, offset) === address)
          ? `${address} of ${name} is kept by ${target.kind} in ${cidr}`
          : undefined;
      });
    },
  },
  {
    code: 'address-in-ip-pool',
    severity: 'error',
    rule: 'the address of a master would be given to a task.',
    remedy: 'an IP pool elsewhere: cidr: 10.65.0.0/16',
    *find(subject) {
      const { ipPools } = subject.cluster.calico;
      yield* addresses(subject, (address, { name }) => {
        const pool = ipPools.find(({ cidr }) => contains(range(cidr), range(`${address}/32`)));
        return pool && `${address} of ${name} lies in the IP pool ${pool.name}, ${pool.cidr}`;
      });
    },
  },
];

/** A finding for each address of a master that a fault is found in. */
function* addresses(
  { cluster, description }: Subject,
  fault: (address: string, seat: Seat) => string | undefined,
): Generator<Finding> {
  const target = cloud(cluster);
  const { machine } = cluster.masters;
  if (target === undefined || machine.kind !== 'cloud') return;
  for (const [index, address] of (description.masters?.addresses ?? []).entries()) {
    const found = fault(address, { target, zone: masterZone(machine.zones, index), name: `master-${index + 1}` });
    if (found !== undefined) yield { path: ['masters', 'addresses', index], what: `${found}.` };
  }
}
