/**
 * The traps of the guides of 2016 that can bite in what a node boots from, by their numbers in the project's list of forty:
 * those of addresses, names, units, etcd and DNS. Every cluster that a cloud can be asked for is looked at whole.
 */
import { describe, expect, test } from 'vitest';
import { range, contains } from '../../../modules/cluster/range.ts';
import { parse } from 'yaml';
import { payload } from '../../../modules/node/payload.ts';
import type { NodePlan } from '../../../modules/node/plan.ts';
import type { CloudConfig } from '../../../modules/node/schema/cloud-config.ts';
import { unpack } from '../../../modules/node/unpack.ts';
import { command, file, kinds, plans, said, unit, words } from './planned.ts';

/** Every node of every kind of cluster, by a name to tell it by. */
const nodes: readonly (readonly [name: string, plan: NodePlan, kind: number])[] = kinds.flatMap(([kind, of], index) =>
  [...plans(of)].map(([group, plan]) => [`${kind}: ${group}`, plan, index] as const),
);
const masters = nodes.filter(([, { group }]) => group.role === 'master');

/** All texts that a node gets, by where it gets them. */
const texts = ({ files, units }: NodePlan): readonly (readonly [where: string, text: string])[] => [
  ...files.map(({ path, content }) => [path, content] as const),
  ...units.flatMap(({ name, content, dropIns }) => [
    ...(content === undefined ? [] : [[name, content] as const]),
    ...dropIns.map((each) => [`${name}.d/${each.name}`, each.content] as const),
  ]),
];
/** Everything that occurs in a node's texts, with where. */
const occurring = (plan: NodePlan, form: RegExp): readonly (readonly [string, string])[] =>
  texts(plan).flatMap(([where, text]) => [...text.matchAll(form)].map(([found]) => [where, found] as const));

const services = ({ units }: NodePlan) =>
  units
    .filter(({ name, mask }) => name.endsWith('.service') && !mask)
    .map((each) => ({ ...each, content: each.content! }));

describe.each(nodes)('%s', (_, plan) => {
  test('trap 3: all look under one node of ZooKeeper, /mesos, and Marathon alone keeps its own elsewhere', () => {
    const urls = occurring(plan, /zk:\/\/[0-9.:,]+(\/[^\s"]*)?/g);
    const paths = (where: (name: string) => boolean) =>
      new Set(urls.filter(([name]) => where(name)).map(([, url]) => url.replace(/^zk:\/\/[^/]*/, '')));
    expect(paths((name) => name !== 'marathon.service')).toEqual(new Set(['/mesos']));
    if (plan.group.role === 'master')
      expect(paths((name) => name === 'marathon.service')).toEqual(new Set(['/mesos', '/marathon']));
    expect(new Set(urls.map(([, url]) => /^zk:\/\/[^/]*/.exec(url)![0])).size).toBe(1);
  });

  test('trap 4: etcd is at 2379 and its peers at 2380, nowhere at 4001 or 7001', () => {
    expect(occurring(plan, /\b(4001|7001)\b/g)).toEqual([]);
    expect(
      occurring(plan, /\bETCD_(ENDPOINTS|AUTHORITY)=[^\s"$]+/g).filter(
        ([, at]) => !/^[^=]+=((http:\/\/)?[0-9.]+:2379,?)+$/.test(at),
      ),
    ).toEqual([]);
  });

  test('trap 8: no variable is set that nothing reads; TLS that is not there is not half said', () => {
    const known = ['ETCD_ENDPOINTS', 'ETCD_AUTHORITY', 'ETCD_SCHEME'];
    const found = new Set(occurring(plan, /\bETCD_[A-Z_]+(?==)/g).map(([, name]) => name));
    expect([...found].filter((name) => !known.includes(name))).toEqual([]);
    expect(occurring(plan, /\bETCD_SCHEME=(?!http\b)\S*/g)).toEqual([]);
  });

  test('trap 13: forwarding is put right on every boot, and tried again until it is so', () => {
    expect(file(plan, '/etc/sysctl.d/90-mesos-calico.conf')).toMatch(/^net\.ipv4\.ip_forward = 1$/m);
    const text = unit(plan, 'kernel.service');
    expect(said(text, 'ExecStart')).toContain('/usr/lib/systemd/systemd-sysctl');
    expect(said(text, 'Restart')).toEqual(['on-failure']);
  });

  test('trap 14: units are enabled and survive a reboot', () => {
    expect(
      services(plan)
        .filter(({ enable }) => !enable)
        .map(({ name }) => name),
    ).toEqual([]);
    for (const { content } of services(plan)) expect(said(content, 'WantedBy')).toEqual(['mesos-calico.target']);
  });

  test('trap 14: a service that ends is started again, for ever', () => {
    for (const { name, content } of services(plan)) {
      const oneshot = said(content, 'Type').includes('oneshot');
      const restart = said(content, 'Restart').join();
      if (oneshot) expect([name, said(content, 'RemainAfterExit')]).toEqual([name, ['yes']]);
      expect([name, restart]).toEqual([name, oneshot ? 'on-failure' : 'always']);
      expect([name, said(content, 'StartLimitIntervalSec')]).toEqual([name, ['0']]);
      expect([name, said(content, 'RestartSec').length]).toEqual([name, 1]);
    }
  });

  test('trap 14: nothing waits for ever, neither for its start nor for what it needs', () => {
    for (const { name, content } of services(plan)) {
      expect([name, said(content, 'TimeoutStartSec').join()]).toEqual([name, expect.stringMatching(/^[0-9]+min$/)]);
      // What is required and fails once is not tried again by systemd; what is wanted is.
      expect([name, [...said(content, 'Requires'), ...said(content, 'BindsTo')]]).toEqual([name, []]);
    }
  });

  test('trap 14: a container that a crash has left behind is taken away before the new one', () => {
    for (const { name, content } of services(plan)) {
      const run = command(content);
      if (run[1] !== 'run') continue;
      const own = run.find((word) => word.startsWith('--name='))?.slice(7) ?? run[run.indexOf('--name') + 1]!;
      expect(said(content, 'ExecStartPre')).toContain(`-/opt/bin/docker rm --force ${own}`);
      expect([name, run.includes('--detach') || run.includes('-d'), run.includes('--rm')]).toEqual([name, false, true]);
      expect(run.some((word) => word.startsWith('--restart'))).toBe(false);
    }
  });

  test('trap 18: whatever tells the address of a host first waits until it is sure', () => {
    for (const { name, content } of services(plan)) {
      if (!/\$\{HOST_(IP|CIDR)\}/.test(content)) continue;
      expect([name, said(content, 'After').join(' ').split(' ').includes('host-address.service')]).toEqual([
        name,
        true,
      ]);
      // The file is there only once the address is known to be right: without it the unit fails, and is tried again.
      expect([name, said(content, 'EnvironmentFile')]).toEqual([
        name,
        expect.arrayContaining(['/run/mesos-calico/host-cidr.env']),
      ]);
    }
  });

  test('trap 20: nobody but root may change what root runs, and sudo stays as it is', () => {
    for (const { path, mode } of plan.files) expect([path, mode & 0o022]).toEqual([path, 0]);
    expect(plan.files.filter(({ path }) => path.includes('sudoers') || path.startsWith('/home'))).toEqual([]);
    expect(occurring(plan, /chmod (-R )?[0-7]?777/g)).toEqual([]);
  });

  test('trap 20: every program and every file is named from the root on', () => {
    for (const { path } of plan.files) expect(path).toMatch(/^\/(etc|opt|run)\//);
    for (const { name, content } of services(plan)) {
      const lines = ['ExecStartPre', 'ExecStart', 'ExecStartPost', 'ExecStop'].flatMap((key) => said(content, key));
      for (const line of lines) expect([name, words(line)[0]]).toEqual([name, expect.stringMatching(/^-?\//)]);
    }
  });

  test('trap 20: a node starts calico-node by itself', () => {
    expect(plan.units.find(({ name }) => name === 'calico-node.service')).toMatchObject({ enable: true });
  });

  test('trap 37: reverse paths are strict, on every interface that there is and will be', () => {
    const settings = file(plan, '/etc/sysctl.d/90-mesos-calico.conf');
    for (const which of ['all', 'default', '*']) expect(settings).toContain(`net.ipv4.conf.${which}.rp_filter = 1\n`);
  });
});

test.each(nodes)('trap 14: every boot starts everything, with the files of that boot: %s', (_, plan, kind) => {
  const { target } = kinds[kind]![1];
  if (target.kind !== 'aws' && target.kind !== 'gce') throw new Error('not of a cloud');
  const all = payload(target, plan);
  const last = unpack(all).units.find(({ name }) => name === 'mesos-calico.target');
  if (all.format === 'ignition') {
    // Read once: systemd itself starts it from then on.
    expect(last).toMatchObject({ enable: true });
    expect(said(last!.content!, 'WantedBy')).toEqual(['multi-user.target']);
  } else {
    // Read late in every boot: systemd would have started the units of the boot before, and `start` would do nothing.
    expect(last).toMatchObject({ enable: false });
    const { coreos } = parse(all.plain, { version: '1.1' }) as CloudConfig;
    expect(coreos?.units?.at(-1)).toMatchObject({ name: 'mesos-calico.target', command: 'start' });
    // Neither does one of ours wait for coreos-cloudinit, which waits for them.
    expect(all.plain).not.toMatch(/(After|Requires|Wants)=.*cloudinit/);
  }
});

test('trap 14: a certificate authority that was not taken at first is tried again', () => {
  const caBundle = '-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----';
  const text = unit(plans(kinds[0]![1], { caBundle }).get('general'), 'ca-bundle.service');
  expect(['Restart', 'StartLimitIntervalSec'].map((key) => said(text, key))).toEqual([['on-failure'], ['0']]);
  expect(said(text, 'RestartSec')).toHaveLength(1);
});

test.each(kinds)('trap 18: no two masters have one name or one address: %s', (_, of) => {
  const own = [...plans(of).values()].filter(({ group }) => group.role === 'master');
  expect(new Set(own.map(({ hostname }) => hostname)).size).toBe(3);
  for (const { hostname } of own) expect(hostname).toMatch(/^[a-z][a-z0-9-]{0,62}$/);
  expect(new Set(own.map((each) => file(each, '/etc/mesos-calico/host.env'))).size).toBe(3);
});

test.each(kinds)('trap 19: pools are there before the first node, which makes none by itself: %s', (_, of) => {
  const all = [...plans(of).values()];
  const keys = of.calico.ipPools.map(({ cidr }) => `/calico/v1/ipam/v4/pool/${cidr.replace('/', '-')}`);
  for (const plan of all) {
    const text = unit(plan, 'calico-node.service');
    const [wait = ''] = said(text, 'ExecStartPre').filter((line) => line.includes('/await-keys '));
    expect(words(wait)).toEqual(expect.arrayContaining(keys));
    expect(command(text).join(' ')).toContain('NO_DEFAULT_POOLS=true');
  }
  for (const plan of all.filter(({ group }) => group.role === 'master')) {
    expect(said(unit(plan, 'calico-config.service'), 'Before')).toEqual(['calico-node.service']);
  }
});

test.each(kinds)(
  'trap 19: pools on a cloud are private, wrapped where the fabric drops tasks, and translated: %s',
  (_, of) => {
    const own = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map(range);
    for (const { cidr, encapsulation, natOutgoing } of of.calico.ipPools) {
      expect(own.some((each) => contains(each, range(cidr)))).toBe(true);
      expect({ natOutgoing, wrapped: encapsulation !== 'none' }).toEqual({ natOutgoing: true, wrapped: true });
    }
  },
);

test.each(masters)('trap 38: Felix does not report to the vendor: %s', (_, plan, kind) => {
  const set = said(unit(plan, 'calico-config.service'), 'ExecStart');
  expect(set.filter((line) => line.endsWith('/calico/v1/config/UsageReportingEnabled false'))).toHaveLength(1);
  if (kinds[kind]![1].release.name === 'current')
    expect(command(unit(plan, 'calico-node.service'))).toContain('--env=FELIX_USAGEREPORTINGENABLED=false');
});

test.each(masters)('trap 39: names of tasks lead to what Calico gave them: %s', (_, plan) => {
  const { IPSources: sources } = JSON.parse(file(plan, '/etc/mesos-calico/mesos-dns.json')) as { IPSources: string[] };
  expect(sources[0]).toBe('netinfo');
});

test.each(nodes)('trap 40: calicoctl is told where etcd is, by the unit or the script that calls it: %s', (_, plan) => {
  for (const { name, content } of services(plan)) {
    const calls = ['ExecStartPre', 'ExecStart']
      .flatMap((key) => said(content, key))
      .filter((line) => /^-?\/opt\/bin\/calicoctl /.test(line));
    if (calls.length === 0) continue;
    expect([name, said(content, 'Environment').join(' ')]).toEqual([
      name,
      expect.stringMatching(/ETCD_(ENDPOINTS|AUTHORITY)=(http:\/\/)?[0-9.]+:2379/),
    ]);
  }
  expect(occurring(plan, /\bsudo\b/g).filter(([where]) => where.endsWith('.service'))).toEqual([]);
});
