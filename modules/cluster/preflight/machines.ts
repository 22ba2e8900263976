/** Masters, pools and names. */
import type { Path } from '../path.ts';
import { nearest } from '../../problem/nearest.ts';
import type { Check, Finding } from './check.ts';

/** Which fields of masters and pools mean something on which targets. */
const fieldTargets: Readonly<Record<string, readonly string[]>> = {
  machine: ['aws', 'gce'],
  disk: ['aws', 'gce'],
  dataDisk: ['aws', 'gce'],
  addresses: ['aws', 'gce'],
  spot: ['aws', 'gce'],
  zones: ['aws', 'gce'],
  cpus: ['vagrant'],
  memory: ['vagrant'],
};

export const machines: readonly Check[] = [
  {
    code: 'even-masters',
    severity: 'error',
    rule: 'ZooKeeper, etcd and Mesos decide by majority: an even number survives no more losses than one less, and is more that can fail.',
    remedy: 'masters: { count: 3 }',
    *find({ cluster: { masters, target } }) {
      if (masters.count > 0 && masters.count % 2 === 0) {
        yield {
          path: target.kind === 'hosts' ? ['target', 'hosts', 'machines'] : ['masters', 'count'],
          what: `There are ${masters.count} masters.`,
        };
      }
    },
  },
  {
    code: 'no-master',
    severity: 'error',
    rule: 'a cluster has at least one master.',
    remedy: 'm1: { address: 192.0.2.10, role: master }',
    *find({ cluster: { masters } }) {
      if (masters.count === 0) yield { path: ['target', 'hosts', 'machines'], what: 'No machine has role master.' };
    },
  },
  {
    code: 'pool-without-machine',
    severity: 'error',
    rule: 'on hosts, a pool is the machines that name it.',
    remedy: 'a1: { address: 192.0.2.11, role: agent, pool: general }',
    *find({ cluster: { agents } }) {
      for (const pool of Object.values(agents)) {
        if (pool.count === 0) yield { path: ['agents', pool.name], what: `No machine is of the pool ${pool.name}.` };
      }
    },
  },
  {
    code: 'count-differs',
    severity: 'error',
    rule: 'on hosts, machines are counted where they are listed.',
    remedy: 'leave count out',
    *find({ cluster, description }) {
      if (cluster.target.kind !== 'hosts') return;
      const differs = function* (path: Path, said: number | undefined, found: number): Generator<Finding> {
        if (said !== undefined && said !== found)
          yield { path, what: `count is ${said}, and ${found} ${found === 1 ? 'is' : 'are'} listed under machines.` };
      };
      yield* differs(['masters', 'count'], description.masters?.count, cluster.masters.count);
      for (const [name, pool] of Object.entries(description.agents)) {
        yield* differs(['agents', name, 'count'], pool.count, cluster.agents[name]!.count);
      }
    },
  },
  {
    code: 'unknown-pool',
    severity: 'error',
    rule: 'an agent is of one of the pools under agents; with several, it says of which.',
    remedy: 'pool: general',
    *find({ cluster: { target, agents } }) {
      if (target.kind !== 'hosts') return;
      const known = Object.keys(agents);
      for (const [name, { role, pool }] of Object.entries(target.machines)) {
        if (role !== 'agent' || known.includes(pool)) continue;
        const near = nearest(pool, known);
        const path = ['target', 'hosts', 'machines', name, 'pool'];
        const rule = `the pools are ${known.join(', ')}.`;
        if (pool === '') yield { path, what: `${name} does not say of which pool it is.`, rule };
        else
          yield {
            path,
            what: `${name} is of the pool ${pool}, which is not under agents.${near ? ` Did you mean ${near}?` : ''}`,
            rule,
          };
      }
    },
  },
  {
    code: 'pool-of-master',
    severity: 'error',
    rule: 'a master runs no tasks, and is of no agent pool.',
    remedy: 'take pool away, or role: agent',
    *find({ description }) {
      for (const [name, { role, pool }] of Object.entries(description.target.hosts?.machines ?? {})) {
        if (role === 'master' && pool !== undefined) {
          yield {
            path: ['target', 'hosts', 'machines', name, 'pool'],
            what: `${name} is a master and names the pool ${pool}.`,
          };
        }
      }
    },
  },
  {
    code: 'address-twice',
    severity: 'error',
    rule: 'two hosts with one address overwrite each other in etcd.',
    remedy: 'an address of its own for each',
    *find({ cluster: { target } }) {
      if (target.kind !== 'hosts') return;
      const before = new Map<string, string>();
      for (const [name, { address }] of Object.entries(target.machines)) {
        const first = before.get(address);
        if (first !== undefined) {
          yield {
            path: ['target', 'hosts', 'machines', name, 'address'],
            what: `${name} has the address ${address}, which ${first} has already.`,
          };
        }
        before.set(address, first ?? name);
      }
    },
  },
  {
    code: 'field-not-for-target',
    severity: 'error',
    rule: 'the field means nothing on this target.',
    remedy: 'take it away',
    *find({ cluster: { target }, description }) {
      const groups: readonly [Path, object][] = [
        [['masters'], description.masters ?? {}],
        ...Object.entries(description.agents).map(([name, pool]): [Path, object] => [['agents', name], pool]),
      ];
      for (const [path, given] of groups) {
        for (const key of Object.keys(given)) {
          const where = fieldTargets[key];
          if (where && !where.includes(target.kind)) {
            yield {
              path: [...path, key],
              what: `${key} is said on ${target.kind}.`,
              rule: `${key} is for ${where.join(' and ')}.`,
            };
          }
        }
      }
    },
  },
  {
    code: 'reserved-pool-name',
    severity: 'error',
    rule: 'the nodes of a pool are named after it, and master-1 is the first master.',
    remedy: 'general: { count: 3 }',
    *find({ cluster: { agents } }) {
      for (const name of Object.keys(agents)) {
        if (name === 'master' || name === 'masters')
          yield { path: ['agents', name], what: `An agent pool is called ${name}.` };
      }
    },
  },
  {
    code: 'name-too-long',
    severity: 'error',
    rule: 'host names end at 63 characters; Google Cloud adds a dash and four to those of a group.',
    remedy: 'a shorter name for the cluster or the pool',
    *find({ cluster }) {
      if (cluster.target.kind === 'hosts') return;
      for (const pool of Object.values(cluster.agents)) {
        const group = `${cluster.name}-${pool.name}`;
        const suffix = cluster.target.kind === 'gce' ? 5 : `-${pool.count}`.length;
        const length = group.length + suffix;
        if (length > 63)
          yield { path: ['agents', pool.name], what: `The nodes of ${group} get names of ${length} characters.` };
      }
    },
  },
];
