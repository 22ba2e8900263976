/** What only machines at hand can get wrong: Vagrant and the lab. */
import { basename } from 'node:path';
import { contains, range } from '../range.ts';
import type { Check } from './check.ts';

const virtualBox = range('192.168.56.0/21');

/** Entries of the kernel's neighbour table that the lab may use; its limit of 1024 is one for all namespaces. */
const neighbours = 900;

export const own: readonly Check[] = [
  {
    code: 'name-differs-from-file',
    severity: 'warning',
    rule: 'clusters/NAME.yaml is the cluster and the stack NAME; with two names, nobody knows which one to type.',
    remedy: 'the same name for both',
    *find({ cluster: { name, file } }) {
      const base = basename(file).replace(/\.ya?ml$/, '');
      if (base !== name) yield { path: ['name'], what: `The file ${basename(file)} describes ${name}.` };
    },
  },
  {
    code: 'network-not-allowed',
    severity: 'error',
    rule: 'VirtualBox 6.1.28 and later makes host networks only within 192.168.56.0/21, unless /etc/vbox/networks.conf says otherwise.',
    remedy: 'network: 192.168.56.0/24',
    *find({ cluster: { target } }) {
      if (target.kind !== 'vagrant' || target.provider !== 'virtualbox') return;
      if (!contains(virtualBox, range(target.network)))
        yield { path: ['target', 'vagrant', 'network'], what: `Vagrant's network is ${target.network}.` };
    },
  },
  {
    code: 'no-box',
    severity: 'error',
    rule: 'os other is whatever the box holds.',
    remedy: 'box: { name: mine, url: https://boxes.example.com/mine.box }',
    *find({ cluster: { target }, description }) {
      if (target.kind !== 'vagrant' || target.os !== 'other' || target.box.url !== undefined) return;
      if (description.target.vagrant?.box?.name === undefined)
        yield { path: ['target', 'vagrant', 'os'], what: 'os is other, and no box is named.' };
    },
  },
  {
    code: 'box-by-name',
    severity: 'warning',
    rule: 'HCP Vagrant, which knows boxes by name, ends on 2026-12-31.',
    remedy: 'box: { url: https://… }',
    *find({ cluster: { target } }) {
      if (target.kind !== 'vagrant' || target.box.url !== undefined || target.box.name === 'box') return;
      yield {
        path: ['target', 'vagrant', 'box', 'name'],
        what: `The box ${target.box.name} is known by its name only.`,
      };
    },
  },
  {
    code: 'lab-too-large',
    severity: 'warning',
    rule: `the kernel's neighbour table is one for the whole machine: 2 entries a task and one for each pair of hosts must stay under ${neighbours} where nobody has raised gc_thresh3, or the lab will not start.`,
    remedy: 'fewer agents or fewer networks; or as root: sysctl -w net.ipv4.neigh.default.gc_thresh3=4096',
    *find({ cluster: { target, nodes, networks } }) {
      if (target.kind !== 'lab') return;
      const agents = nodes.filter((node) => node.role === 'agent').length;
      const tasks = agents * Object.keys(networks).length;
      const entries = 2 * tasks + nodes.length * (nodes.length - 1);
      if (entries > neighbours) {
        yield { path: ['agents'], what: `${tasks} tasks on ${nodes.length} hosts need ${entries} entries.` };
      }
    },
  },
];
