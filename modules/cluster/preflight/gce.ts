/** Limits of Google Cloud, as its documentation gives them. */
import { range } from '../range.ts';
import type { Check } from './check.ts';

/** Machines that a regional managed instance group holds unless Google was asked for more. */
const mostInGroup = 2000;

/** The smallest persistent disk, GiB. */
const smallestDisk = 10;

/** Series that take Hyperdisk only (from memory of the documentation); others of the same generation are refused as ARM. */
const withoutPersistentDisk = /^(n4|n4d|c4|c4d|h4d|m4|x4)-/;

/** Labels of one resource, and those of them that are ours. */
const mostLabels = 64;
const ours = ['cluster', 'role', 'pool'];

export const gce: readonly Check[] = [
  {
    code: 'pool-too-large',
    severity: 'error',
    rule: `a managed instance group of a region holds ${mostInGroup} machines.`,
    remedy: 'two pools',
    *find({ cluster: { target, agents } }) {
      if (target.kind !== 'gce') return;
      for (const { name, count } of Object.values(agents)) {
        if (count > mostInGroup)
          yield { path: ['agents', name, 'count'], what: `The pool ${name} has ${count} machines.` };
      }
    },
  },
  {
    code: 'data-disk-too-small',
    severity: 'error',
    rule: `Google Cloud makes persistent disks from ${smallestDisk} GiB on.`,
    remedy: `dataDisk: ${smallestDisk}`,
    *find({ cluster: { target, masters } }) {
      if (target.kind !== 'gce' || masters.machine.kind !== 'cloud') return;
      const { dataDisk } = masters.machine;
      if (dataDisk < smallestDisk) yield { path: ['masters', 'dataDisk'], what: `dataDisk is ${dataDisk} GiB.` };
    },
  },
  {
    code: 'machine-without-persistent-disk',
    severity: 'error',
    rule: 'this series takes Hyperdisk only, and the kit makes persistent disks, which all others take.',
    remedy: 'machine: e2-standard-2, or one of the series n1, n2, n2d, c2, c3, c3d, t2d',
    *find({ cluster: { target, masters, agents } }) {
      if (target.kind !== 'gce') return;
      const groups = [
        { path: ['masters', 'machine'], machine: masters.machine },
        ...Object.values(agents).map(({ name, machine }) => ({ path: ['agents', name, 'machine'], machine })),
      ];
      for (const { path, machine } of groups) {
        if (machine.kind === 'cloud' && withoutPersistentDisk.test(machine.type))
          yield { path, what: `${machine.type} takes no persistent disk.` };
      }
    },
  },
  {
    code: 'reserved-label',
    severity: 'error',
    rule: `${ours.join(', ')} say what a machine is in its cluster; goog- is Google's own.`,
    remedy: 'another key',
    *find({ cluster: { target } }) {
      if (target.kind !== 'gce') return;
      for (const key of Object.keys(target.labels)) {
        if (ours.includes(key) || key.startsWith('goog-'))
          yield { path: ['target', 'gce', 'labels', key], what: `There is a label ${key}.` };
      }
    },
  },
  {
    code: 'too-many-labels',
    severity: 'error',
    rule: `a resource has at most ${mostLabels} labels, and ${ours.length} are ours: ${ours.join(', ')}.`,
    remedy: `at most ${mostLabels - ours.length} labels`,
    *find({ cluster: { target } }) {
      if (target.kind !== 'gce') return;
      const count = Object.keys(target.labels).length;
      if (count > mostLabels - ours.length) {
        yield { path: ['target', 'gce', 'labels'], what: `There are ${count} labels.` };
      }
    },
  },
  {
    code: 'admin-range-ipv6',
    severity: 'error',
    rule: 'the machines on Google Cloud have IPv4 addresses only, and a firewall rule there is for one family.',
    remedy: 'adminCidrs: [203.0.113.7/32], your IPv4 address',
    *find({ cluster: { target, access } }) {
      if (target.kind !== 'gce') return;
      for (const [index, cidr] of access.adminCidrs.entries()) {
        if (range(cidr).family === 6)
          yield { path: ['access', 'adminCidrs', index], what: `access.adminCidrs holds ${cidr}.` };
      }
    },
  },
];
