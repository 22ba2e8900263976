/**
 * Every system, release, cgroup version and pair of containerizers on hosts is planned or refused with a reason. The
 * table is written from what is known of Mesos, not from the checks: packages of Mesos before 1.0 are of EL 7 alone, stock
 * Mesos needs cgroup v1 whatever its containerizers, clusterd from 0.6 on needs v2, and the kernel of EL 7 has no v2.
 */
import { describe, expect, test } from 'vitest';
import { readDescription } from '../../../modules/cluster/read.ts';
import { hostOses, hostOsNames, type HostOsName } from '../../../modules/release/host-os.ts';
import { file, plans } from '../agents/planned.ts';

type Mesos = 'classic' | 'current' | 'clusterd';
const planned = 'planned';
const old = 'mesos-not-built-for-os';
const v1 = 'mesos-needs-cgroup-v1';
const v2 = 'mesos-needs-cgroup-v2';
const none = 'cgroup-not-of-os';

/** On cgroup v1, then on v2. */
const table: Readonly<Record<Mesos, Readonly<Record<HostOsName, readonly [string, string]>>>> = {
  classic: {
    'centos-7': [planned, none],
    'alma-8': [old, old],
    'rocky-8': [old, old],
    'alma-9': [old, old],
    'rocky-9': [old, old],
    'centos-stream-9': [old, old],
    'debian-12': [old, old],
  },
  current: {
    'centos-7': [planned, none],
    'alma-8': [planned, v1],
    'rocky-8': [planned, v1],
    'alma-9': [planned, v1],
    'rocky-9': [planned, v1],
    'centos-stream-9': [planned, v1],
    'debian-12': [planned, v1],
  },
  clusterd: {
    'centos-7': [v2, none],
    'alma-8': [v2, planned],
    'rocky-8': [v2, planned],
    'alma-9': [v2, planned],
    'rocky-9': [v2, planned],
    'centos-stream-9': [v2, planned],
    'debian-12': [v2, planned],
  },
};

/** What a host boots with when nobody has said anything to its kernel. */
const boots: Readonly<Record<HostOsName, 'v1' | 'v2'>> = {
  'centos-7': 'v1',
  'alma-8': 'v1',
  'rocky-8': 'v1',
  'alma-9': 'v2',
  'rocky-9': 'v2',
  'centos-stream-9': 'v2',
  'debian-12': 'v2',
};

/** Offered by one pool, and by the other of the same cluster. */
const offers = [
  ['docker', 'mesos'],
  ['mesos', 'docker,mesos'],
  ['docker,mesos', 'docker'],
] as const;

function read(mesos: Mesos, os: HostOsName, cgroup: 'v1' | 'v2' | undefined, offered: readonly string[]) {
  const url = `https://packages.example.com/mesos.${hostOses[os].family === 'el' ? 'rpm' : 'deb'}`;
  const release =
    mesos === 'classic'
      ? 'classic'
      : { channel: 'current', override: { mesos: { version: mesos === 'clusterd' ? '1.11.0-0.9.0' : '1.11.1', url } } };
  const [first = '', second = ''] = offered;
  const machines = {
    m1: { address: '192.0.2.10', role: 'master' },
    a1: { address: '192.0.2.11', role: 'agent', pool: 'first' },
    a2: { address: '192.0.2.12', role: 'agent', pool: 'second' },
  };
  const description = {
    name: 'test',
    target: { hosts: { os, machines, ...(cgroup && { cgroup }) } },
    release,
    agents: { first: { containerizers: first.split(',') }, second: { containerizers: second.split(',') } },
    networks: { web: { containerizer: 'docker' }, batch: { containerizer: 'mesos' } },
  };
  return readDescription('clusters/test.yaml', JSON.stringify(description));
}

const cases = (['classic', 'current', 'clusterd'] as const).flatMap((mesos) =>
  hostOsNames.flatMap((os) =>
    (['v1', 'v2'] as const).flatMap((cgroup, index) =>
      offers.map((offered) => ({ mesos, os, cgroup, offered, expected: table[mesos][os][index]! })),
    ),
  ),
);

describe('on hosts', () => {
  test('all combinations are in the table', () => {
    expect(cases).toHaveLength(3 * 7 * 2 * 3);
  });

  test.each(cases)('$mesos on $os with cgroup $cgroup, pools of $offered: $expected', (each) => {
    const { mesos, os, cgroup, offered, expected } = each;
    const { cluster, problems } = read(mesos, os, cgroup, offered);
    if (expected !== planned) {
      expect(cluster).toBeUndefined();
      const reason = problems.find(({ code }) => code === expected);
      expect(reason, problems.map(({ code }) => code).join()).toBeDefined();
      expect(reason!.rule).not.toBe('');
      expect(reason!.remedy).not.toBe('');
      return;
    }
    expect(problems.map(({ code }) => code)).toEqual([]);
    const all = plans(cluster!);
    for (const [index, name] of ['a1', 'a2'].entries()) {
      const plan = all.get(name)!;
      const has = offered[index]!.split(',');
      expect(file(plan, '/etc/mesos-slave/containerizers')).toBe(`${offered[index]}\n`);
      // CNI clones namespaces, which the posix launcher cannot.
      if (plan.agents.includes('cni')) expect(file(plan, '/etc/mesos-slave/launcher')).toBe('linux\n');
      expect(plan.agents.includes('docker-networks')).toBe(has.includes('docker'));
      expect(plan.agents.includes('cni')).toBe(has.includes('mesos') && mesos !== 'classic');
      expect(plan.agents.includes('net-modules')).toBe(has.includes('mesos') && mesos === 'classic');
    }
  });

  test.each(hostOsNames)('%s without a word of its cgroup is taken to boot with its own', (os) => {
    for (const mesos of ['classic', 'current', 'clusterd'] as const) {
      const codes = read(mesos, os, undefined, offers[0]).problems.map(({ code }) => code);
      const expected = table[mesos][os][boots[os] === 'v1' ? 0 : 1];
      expect(codes.length === 0 ? [planned] : codes).toContain(expected);
    }
  });
});
