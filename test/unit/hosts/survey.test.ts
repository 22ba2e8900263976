import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { readFound } from '../../../modules/hosts/found.ts';
import { leftAlone } from '../../../modules/hosts/judge-software.ts';
import { seatOf } from '../../../modules/hosts/row.ts';
import { surveyText } from '../../../modules/hosts/show.ts';
import { ask, judge, surveyScript } from '../../../modules/hosts/survey.ts';
import { cluster } from './cluster.ts';

/** What a bare Rocky 8 says, as facts. */
const bare = (name: string, address: string): string => `clock=1000.5
hostname=${name}
machine-id=${name.padEnd(32, '0')}
os-id=rocky
os-version-id=8.10
os-id-like=rhel centos fedora
os-pretty-name=Rocky Linux 8.10 (Green Obsidian)
kernel=4.18.0-553.el8_10.x86_64
arch=x86_64
manager=dnf
systemd=239
cgroup=v1
module=ip_tables loaded
module=ip6_tables loadable
module=xt_set loadable
module=ip_set loadable
module=ipip loadable
module=br_netfilter loadable
module=overlay loaded
module=nf_conntrack loaded
ip-forward=0
rp-filter-all=1
rp-filter-default=1
selinux=enforcing
firewalld=running
network-manager=running
forward-policy=ACCEPT
clock-kept=yes
memory-total=8000000
memory-available=7000000
disk=/var/lib 40000000
disk=/opt 40000000
address=lo 127.0.0.1/8
address=eth0 ${address}/24
route=10.0.0.0/24 eth0
listen=tcp 22 sshd 0.0.0.0
end=survey
`;

const addresses: Readonly<Record<string, string>> = { m1: '10.0.0.11', a1: '10.0.0.21', a2: '10.0.0.22' };

type Change = (text: string) => string;
/** Replaces a fact, or adds it. */
const fact =
  (name: string, value: string): Change =>
  (text) => {
    const line = new RegExp(`^${name}=.*\n`, 'm');
    return line.test(text)
      ? text.replace(line, `${name}=${value}\n`)
      : text.replace('end=survey', `${name}=${value}\nend=survey`);
  };
const without =
  (name: string): Change =>
  (text) =>
    text.replace(new RegExp(`^${name}=.*\n`, 'm'), '');
const also =
  (...lines: string[]): Change =>
  (text) =>
    text.replace('end=survey', `${lines.join('\n')}\nend=survey`);
const all =
  (...changes: Change[]): Change =>
  (text) =>
    changes.reduce((so, change) => change(so), text);

/** A survey of three bare hosts, one of which is another; `at` is when the answers came, by this machine's clock. */
function survey(
  change: Change,
  { host = 'a1', of = cluster(), at = 1_000_500 }: { host?: string; of?: Cluster; at?: number } = {},
) {
  const surveyed = of.nodes.map((node) => {
    const text = bare(node.name, addresses[node.name]!);
    const read = readFound(node.name === host ? change(text) : text, { sent: at - 20, came: at });
    if (!read.ok) throw new Error(`${read.fault}: ${read.line}`);
    return { node, found: read.found };
  });
  return judge(of, { surveyed, unknown: [] });
}
const codes = (of: ReturnType<typeof survey>): readonly string[] => [
  ...of.refusals.map(({ code }) => code),
  ...of.cautions.map(({ code }) => `(${code})`),
];
const same: Change = (text) => text;
const classic = () =>
  cluster('', (text) => text.replace('rocky-8', 'centos-7').replace('name: own', 'name: own\nrelease: classic'));
const existing = (what: string) => cluster(`    existing: { ${what} }`);
const ipip = () => cluster('', (text) => text.replace('cidr: 10.65.0.0/16', 'cidr: 10.65.0.0/16, encapsulation: ipip'));
const mesos = also('mesos=1.11.0', 'mesos-agent=running', 'containerizers=/etc/mesos-slave/containerizers docker');

describe('hosts that will do', () => {
  test('bare ones: everything is installed, settings are changed, nothing is in the way', () => {
    const seen = survey(same);
    expect(codes(seen)).toEqual([]);
    const row = (what: string) => seen.hosts[1]!.rows.find((each) => each.what === what);
    expect(row('Docker')).toMatchObject({ found: 'none', verdict: 'install' });
    expect(row('ip_forward')).toMatchObject({ found: '0', needed: '1', verdict: 'change' });
    expect(row('module xt_set')).toMatchObject({ verdict: 'change' });
    expect(row('Marathon')).toBeUndefined();
    expect(surveyText('own', seen)).toMatch(
      /own: 3 of 3 hosts surveyed, \d+ things to do, 0 left alone, 0 to be looked at, 0 in the way\./,
    );
  });

  test('an agent of a Mesos that is there is left alone, and docker,mesos is merged', () => {
    const { hosts } = survey(mesos);
    const row = (what: string) => hosts[1]!.rows.find((each) => each.what === what);
    expect(row('Mesos')).toMatchObject({ found: '1.11.0', verdict: 'left' });
    expect(row('containerizers')).toMatchObject({ verdict: 'change', deed: 'merged: docker,mesos' });
  });

  test('what is too old is upgraded where that is said, and ours from then on', () => {
    const of = cluster('    upgrade: true');
    const seen = survey(also('mesos=0.28.2'), { of });
    expect(seen.hosts[1]!.rows.find((each) => each.what === 'Mesos')).toMatchObject({ verdict: 'upgrade' });
    expect(codes(seen).filter((code) => code.includes('minimum'))).toEqual([]);
  });

  test.each([
    ['what the survey found', '', also('docker=20.10.24'), { docker: true, mesos: false }],
    ['what the description says', '    existing: { docker: true }', same, { docker: true }],
    [
      'not what an earlier run has put there',
      '',
      also('docker=20.10.24', 'mesos=1.11.0', 'existing=mesos'),
      { docker: false, mesos: true },
    ],
    ['not what is to be upgraded', '    upgrade: true', also('docker=1.9.1', 'existing=docker'), { docker: false }],
  ])('left alone is %s', (_, more, change, expected) => {
    const of = cluster(more);
    const node = of.nodes.find(({ name }) => name === 'a1')!;
    const read = readFound(change(bare('a1', addresses['a1']!)), { sent: 1_000_480, came: 1_000_500 });
    expect(read.ok && leftAlone(seatOf(of, node, read.found))).toMatchObject(expected);
  });
});

describe('what is in the way is refused', () => {
  const cases: readonly (readonly [string, Change, readonly string[], Parameters<typeof survey>[1]?])[] = [
    ['another system', all(fact('os-id', 'ubuntu'), fact('os-id-like', 'debian')), ['survey-os-differs']],
    ['another major version', fact('os-version-id', '9.4'), ['survey-os-differs']],
    ['an ARM machine', fact('arch', 'aarch64'), ['survey-arch']],
    ['a kernel of EL 6', fact('kernel', '2.6.32-754.el6'), ['survey-kernel-old']],
    ['no systemd', without('systemd'), ['survey-no-systemd']],
    ['cgroup v2 under a Mesos that knows v1 only', fact('cgroup', 'v2'), ['survey-cgroup']],
    ['no cgroups', without('cgroup'), ['survey-cgroup']],
    [
      'a module that the kernel does not have',
      (text) => text.replace('ip6_tables loadable', 'ip6_tables missing'),
      ['survey-module-missing'],
      undefined,
    ],
    [
      'no ipip where a pool wraps packets',
      (text) => text.replace('ipip loadable', 'ipip missing'),
      ['survey-module-missing'],
      { of: ipip() },
    ],
    ['too little memory', fact('memory-total', '1000000'), ['survey-memory']],
    ['no room for images', also('disk=/var/lib/docker 900000'), ['survey-disk']],
    ['a clock that is minutes off', same, ['survey-clock', 'survey-clock', 'survey-clock'], { at: 1_200_500 }],
    ['localhost as its name', fact('hostname', 'localhost.localdomain'), ['survey-hostname']],
    [
      'an address that is not on the host',
      (text) => text.replace('eth0 10.0.0.21/24', 'eth0 172.16.0.5/16'),
      ['survey-address-missing'],
    ],
    [
      'a web server where Marathon shall be',
      also('listen=tcp 8080 nginx 0.0.0.0'),
      ['survey-port-taken'],
      { host: 'm1' },
    ],
    ['something else on the port of BGP', also('listen=tcp 179 frr 10.0.0.21'), ['survey-port-taken']],
    ['dnsmasq on all addresses', also('listen=udp 53 dnsmasq 0.0.0.0'), ['survey-port-taken'], { host: 'm1' }],
    ['a Docker before networks', also('docker=1.8.2'), ['survey-below-minimum']],
    ['a Docker that took the store away', also('docker=26.1.4'), ['survey-too-new']],
    ['a Mesos without CNI', also('mesos=0.28.2'), ['survey-below-minimum']],
    ['a Marathon without networks', also('marathon=1.1.1'), ['survey-below-minimum'], { host: 'm1' }],
    ['an etcd without v2', also('etcd=3.6.1'), ['survey-too-new'], { host: 'm1' }],
    ['an etcd whose v2 is off', also('etcd=3.5.9', 'etcd-v2=no'), ['survey-etcd-v2'], { host: 'm1' }],
    ['a Calico of another age', also('calico-node=3.29.1'), ['survey-too-new']],
    [
      'a Mesos that shall be there, and is not',
      same,
      ['survey-existing-missing', 'survey-existing-missing', 'survey-existing-missing'],
      { of: existing('mesos: true') },
    ],
    [
      'a Docker that shall not be there, and is',
      also('docker=20.10.24'),
      ['survey-existing-found'],
      { of: existing('docker: false') },
    ],
    ['a Docker whose daemon is down', also('docker-client=20.10.24'), ['survey-docker-down']],
    ['one of ours, left in the middle by an installation', also('docker-client=20.10.24', 'existing=none'), []],
    [
      'a Docker that shares another store',
      also('docker=20.10.24', 'docker-store=consul://10.0.0.9:8500'),
      ['survey-docker-store'],
    ],
    [
      'containerizers told twice, and differently',
      also('containerizers=/etc/mesos-slave/containerizers docker', 'containerizers=/etc/default/mesos-slave mesos'),
      ['survey-containerizers-disagree'],
    ],
    [
      'containerizers on the command line alone',
      also('containerizers=command-line docker'),
      ['survey-containerizers-fixed'],
    ],
    ['one name twice', fact('hostname', 'a2'), ['survey-hostname-twice']],
    ['a pool that overlaps a network of the host', also('route=10.65.4.0/24 eth1'), ['survey-pool-overlaps']],
    ['a pool that holds an address of the host', also('address=eth1 10.65.4.5/32'), ['survey-pool-overlaps']],
    ['hosts whose clocks are minutes apart', fact('clock', '1100.5'), ['survey-clock', 'survey-clocks-apart']],
  ];
  test.each(cases.map(([name, change, expected, more]) => ({ name, change, expected, more })))(
    '$name',
    ({ change, expected, more }) => {
      expect(codes(survey(change, more ?? {})).filter((code) => !code.startsWith('('))).toEqual(expected);
    },
  );

  test.each([
    ['a FORWARD policy of DROP under old Felix', fact('forward-policy', 'DROP'), 'survey-forward-drop'],
    ['a Mesos too new for net-modules', also('mesos=1.0.1'), 'survey-too-new'],
  ])('%s', (_, change, code) => {
    expect(codes(survey(change, { of: classic() }))).toContain(code);
    expect(codes(survey(change))).not.toContain(code);
  });

  test('the other cgroup than the description says', () => {
    const own = cluster();
    if (own.target.kind !== 'hosts') throw new Error('not on hosts');
    const release = { ...own.release, mesos: '1.11.0-0.5.0' };
    const of: Cluster = { ...own, release, target: { ...own.target, cgroup: 'v2' } };
    expect(codes(survey(same, { of }))).toContain('survey-cgroup-differs');
  });
});

describe('what is to be looked at does not keep anybody from installing', () => {
  const cases: readonly (readonly [string, Change, readonly string[]])[] = [
    [
      'modules of a kernel that is gone',
      (text) => text.replace('ip6_tables loadable', 'ip6_tables unknown'),
      ['(survey-module-unknown)'],
    ],
    ['no time service', without('clock-kept'), ['(survey-clock-alone)']],
    ['a clock that is seconds fast', fact('clock', '1003.5'), ['(survey-clock)', '(survey-clocks-apart)']],
    ['ufw', also('ufw=running'), ['(survey-ufw)']],
    ['a port that a task may be given', also('listen=tcp 31080 nginx 0.0.0.0'), ['(survey-task-port-taken)']],
    ['a calicoctl of another age', also('calicoctl=3.29.1'), ['(survey-calicoctl)']],
    ['a copied machine', fact('machine-id', 'a2'.padEnd(32, '0')), ['(survey-machine-id-twice)']],
  ];
  test.each(cases)('%s', (_, change, expected) => {
    expect(codes(survey(change))).toEqual(expected);
  });

  test('versions that differ between hosts', () => {
    const both = cluster();
    const texts = { a1: 'mesos=1.11.0', a2: 'mesos=1.9.0' };
    const surveyed = both.nodes.map((node) => {
      const more = Object.entries(texts).find(([name]) => name === node.name)?.[1];
      const text = bare(node.name, addresses[node.name]!);
      const read = readFound(more === undefined ? text : also(more)(text), { sent: 1_000_480, came: 1_000_500 });
      if (!read.ok) throw new Error(read.fault);
      return { node, found: read.found };
    });
    expect(judge(both, { surveyed, unknown: [] }).cautions.map(({ code }) => code)).toEqual(['survey-versions-apart']);
  });
});

describe("what is nobody's fault", () => {
  test.each([
    ['a port of somebody else on loopback', also('listen=udp 53 systemd-resolve 127.0.0.53')],
    ['tasks of Mesos on their ports', also('listen=tcp 31080 python 0.0.0.0', 'mesos=1.11.0', 'mesos-agent=running')],
    [
      'routes of Calico where it runs',
      also('calico-node=2.6.12', 'route=10.65.4.0/26 eth0', 'address=tunl0 10.65.4.1/32'),
    ],
    ['a slow answer', fact('clock', '1000.485')],
    ['the store that is ours', also('docker=20.10.24', 'docker-store=etcd://10.0.0.11:2379')],
  ])('%s', (_, change) => {
    expect(codes(survey(change))).toEqual([]);
  });
});

describe('answers that cannot be read are refused', () => {
  const whole = bare('a1', '10.0.0.21');
  test.each([
    ['cut short', whole.replace('end=survey\n', ''), 'no end'],
    ['empty', '', 'no end'],
    ['without a clock', whole.replace(/^clock=.*\n/, ''), 'no end'],
    ['with a clock that is none', whole.replace('1000.5', 'soon'), 'no time of day'],
    ['with a fact that nobody knows', also('colour=blue')(whole), 'a fact called colour, which nobody knows'],
    ['with a fact twice', also('arch=x86_64')(whole), 'arch, which was told already'],
    ['with a line that is none', also('Segmentation fault')(whole), 'a line that is no fact'],
    ['that go on after their end', `${whole}arch=x86_64\n`, 'a line after the last'],
    ['with a version that is none', also('mesos=unknown')(whole), 'no mesos'],
    ['with a module in no known state', also('module=ip_vs maybe')(whole), 'no module'],
    ['with an address that is none', also('address=eth0 10.0.0.300/24')(whole), 'no address'],
    ['with a route that is none', also('route=default eth0')(whole), 'no route'],
    ['with a port that is none', also('listen=tcp ssh sshd *')(whole), 'no listen'],
    ['with a disk of unknown room', also('disk=/opt -')(whole), 'no disk'],
    [
      'with a fact named like one of JavaScript',
      also('constructor=x')(whole),
      'a fact called constructor, which nobody knows',
    ],
  ])('%s', (_, text, fault) => {
    expect(readFound(text, { sent: 0, came: 0 })).toMatchObject({ ok: false, fault });
  });

  test('whatever a host says, it is read or refused, and never throws', () => {
    const line = fc.oneof(
      fc.constantFrom(...whole.split('\n')),
      fc.string(),
      fc.string().map((value) => `hostname=${value}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        expect(readFound(lines.join('\n'), { sent: 0, came: 0 }).ok).toBeTypeOf('boolean');
      }),
    );
  });

  test('and named with the host', async () => {
    const remote = { run: () => Promise.resolve({ ok: true as const, stdout: 'nonsense\n', stderr: '' }) };
    const { unknown } = await ask(cluster(), remote);
    expect(unknown.map(({ code, at }) => `${code} ${at?.path ?? ''}`)).toContain(
      'survey-garbled target.hosts.machines.a1',
    );
  });
});

test('the script tells no fact that the reader does not know', () => {
  const told = [
    ...surveyScript()
      .replaceAll(/^ *#.*$/gm, '')
      .matchAll(/(?:^|\s)fact ([a-z0-9-]+)/gm),
  ]
    .map(([, name]) => name!)
    .filter((name) => name !== 'os-');
  const known = readFileSync('modules/hosts/found.ts', 'utf8');
  for (const name of told) expect(known).toMatch(new RegExp(`^  '?${name}'?:`, 'm'));
  expect(told.length).toBeGreaterThan(20);
});
