/** What agents do on hosts with a package manager, and otherwise than on Flatcar. */
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { readDescription } from '../../../modules/cluster/read.ts';
import type { NodePlan } from '../../../modules/node/plan.ts';
import { script } from '../../../modules/node/shell.ts';
import { format } from '../../../modules/problem/problem.ts';
import { hostOsNames } from '../../../modules/release/host-os.ts';
import { file, plans } from './planned.ts';

const machines = { m1: { address: '192.0.2.10', role: 'master' }, a1: { address: '192.0.2.11', role: 'agent' } };

function cluster(target: Readonly<Record<string, unknown>>, blocks: Readonly<Record<string, unknown>> = {}): Cluster {
  const whole = {
    name: 'test',
    target: 'vagrant' in target ? target : { hosts: { machines, ...target } },
    agents: { general: {} },
    networks: { client: {} },
    ...blocks,
  };
  const { cluster: read, problems } = readDescription('clusters/test.yaml', JSON.stringify(whole));
  if (read === undefined) throw new Error(problems.map(format).join('\n'));
  return read;
}

const clusterd = { release: { override: { mesos: { version: '1.11.0-0.9.0' } } } };
/** A cluster that each system can have. */
const possible = (os: (typeof hostOsNames)[number], blocks: Readonly<Record<string, unknown>> = {}): Cluster =>
  cluster({ os }, { ...(['8', '7'].some((major) => os.endsWith(major)) ? {} : clusterd), ...blocks });

const both = {
  agents: { general: { containerizers: ['docker', 'mesos'] } },
  networks: { web: { containerizer: 'docker' }, db: { containerizer: 'mesos' } },
};

const of = (all: ReadonlyMap<string, NodePlan>, name: string): NodePlan => all.get(name)!;
const unit = (plan: NodePlan, name: string): string => plan.units.find((each) => each.name === name)?.content ?? '';
const texts = (plan: NodePlan): string =>
  [...plan.files.map(({ content }) => content), ...plan.units.map(({ content }) => content ?? '')].join('\n');

describe.each(hostOsNames)('%s', (os) => {
  const all = [...plans(possible(os, both)).values()];

  test('has nothing of what Flatcar alone does', () => {
    for (const plan of all) {
      expect(texts(plan)).not.toMatch(/(ExecStart|ExecStop|ExecStartPre)=-?\/opt\/bin\/docker\b/);
      expect(plan.kernelArguments).toEqual([]);
      expect(plan.units.map(({ name }) => name)).not.toContain('mesos-agent.service');
      expect(texts(plan)).not.toContain('private_ipv4');
    }
  });

  test('names no unit that nobody brings', () => {
    const system = ['network-online.target', 'multi-user.target', 'firewalld.service', 'docker.socket'];
    for (const plan of all) {
      const own = [...plan.units.map(({ name }) => name), ...system];
      const wanted = plan.units.flatMap(({ content = '' }) =>
        [...content.matchAll(/^(?:Wants|Requires|BindsTo)=(.*)$/gm)].flatMap(([, names = '']) => names.split(' ')),
      );
      expect(wanted.filter((name) => !own.includes(name))).toEqual([]);
    }
  });

  test('comes up again after a reboot: every unit that is not the system’s own is enabled, and can be', () => {
    for (const plan of all) {
      for (const { name, content, enable } of plan.units) {
        expect([name, enable]).toEqual([name, true]);
        if (content !== undefined) expect(content).toMatch(/^\[Install\]$/m);
        if (content?.includes('[Service]')) expect(content).toMatch(/^(Restart=|ExecStart=.*retry)|Type=oneshot/m);
      }
    }
  });

  test('holds Docker, of one version, and Mesos: no upgrade of the system takes them along', () => {
    for (const plan of all) {
      const docker = plan.host!.packages.filter(({ name }) => name.startsWith('docker'));
      expect(docker.length).toBeGreaterThan(0);
      for (const each of docker) expect(each).toMatchObject({ version: '20.10.24', hold: true });
      const mesos = plan.host!.packages.filter(({ name }) => name.includes('mesos'));
      expect(mesos.map(({ hold }) => hold)).toContain(true);
      // A package from a file is held as one of a repository is.
      expect(script(plan)).toMatch(/^package(_file)? (aventer-)?mesos .* hold$/m);
    }
  });

  test('has reverse paths filtered strictly, on every interface', () => {
    for (const plan of all) {
      const settings = file(plan, '/etc/sysctl.d/99-zz-mesos-calico.conf');
      expect(settings).toContain('net.ipv4.conf.all.rp_filter = 1\n');
      expect(settings).toContain('net.ipv4.conf.default.rp_filter = 1\n');
      expect(settings.includes('*')).toBe(plan.host!.os.systemd >= 246);
    }
  });

  test('its script is the same every time, and has no other part of the world in it', () => {
    for (const [name, plan] of plans(possible(os, both))) {
      expect(script(plan)).toBe(script(of(plans(possible(os, both)), name)));
      expect(script(plan)).not.toMatch(/curl[^\n|]*\|\s*(ba)?sh\b/);
    }
  });
});

describe('EL 7', () => {
  const agent = of(plans(possible('centos-7', { release: 'classic', ...both })), 'a1');

  test('has no unit that its systemd would refuse: a oneshot that starts again', () => {
    const oneshots = agent.units.filter(({ content = '' }) => content.includes('Type=oneshot'));
    expect(oneshots.length).toBeGreaterThan(2);
    for (const { content } of oneshots) {
      expect(content).not.toContain('Restart=on-failure');
      expect(content).toMatch(/^ExecStart=\/opt\/mesos-calico\/retry 1?[05] |^ExecStart=-/m);
    }
  });

  test('has no list that its bash would stumble over when it is empty', () => {
    for (const { path, content } of agent.files) {
      if (content.startsWith('#!/bin/bash'))
        expect([path, /(?<!\+)"\$\{\w+\[@\]\}"/.exec(content)]).toEqual([path, null]);
    }
    expect(agent.host!.engine).not.toMatch(/(?<!\+)"\$\{\w+\[@\]\}"/);
  });

  test('asks plugins by Python, since its curl knows no sockets of files', () => {
    expect(texts(agent)).not.toContain('--unix-socket');
    expect(file(agent, '/opt/mesos-calico/docker-networks')).toContain('/opt/mesos-calico/ask-plugin "$socket"');
  });

  test('has net-modules without an image: it has rpm', () => {
    expect(unit(agent, 'net-modules.service')).not.toContain('docker');
    expect(file(agent, '/opt/mesos-calico/net-modules/unpack')).toContain('rpm2cpio');
    expect(unit(agent, 'mesos-slave.service')).toContain('Environment=ETCD_AUTHORITY=127.0.0.1:2379');
  });

  test('calls no repository that is gone', () => {
    expect(script(agent)).toContain('only=(--disablerepo=base --disablerepo=updates --disablerepo=extras)');
  });
});

describe('Mesos', () => {
  test('has its flags in files, and those that others may have begun are merged', () => {
    const agent = of(plans(possible('rocky-8', both)), 'a1');
    expect(file(agent, '/etc/mesos-slave/containerizers')).toBe('docker,mesos\n');
    expect(file(agent, '/etc/mesos-slave/isolation')).toContain('network/cni');
    expect(file(agent, '/etc/mesos/zk')).toBe('zk://192.0.2.10:2181/mesos\n');
    const merged = agent.files.filter(({ merge }) => merge?.kind === 'list').map(({ path }) => path);
    expect(merged).toEqual(
      ['containerizers', 'isolation', 'image_providers'].map((flag) => `/etc/mesos-slave/${flag}`),
    );
  });

  test('that was there before keeps its address, its resources and its unit', () => {
    const agent = of(plans(cluster({ os: 'alma-8', existing: { mesos: true } }, both)), 'a1');
    const flags = agent.files.map(({ path }) => path).filter((path) => path.startsWith('/etc/mesos'));
    for (const flag of ['ip', 'hostname', 'port', 'resources', 'attributes', 'work_dir'])
      expect(flags).not.toContain(`/etc/mesos-slave/${flag}`);
    expect(flags).not.toContain('/etc/mesos/zk');
    expect(agent.units.find(({ name }) => name === 'mesos-slave.service')).toMatchObject({
      content: undefined,
      dropIns: [{ name: '50-mesos-calico.conf' }],
    });
    expect(agent.host!.packages.map(({ name }) => name)).not.toContain('mesos');
  });

  test('from an address is installed by the name that its file has', () => {
    const url = 'https://packages.example.com/aventer-mesos_1.11.0-0.9.0.debian12_amd64.deb';
    const release = { override: { mesos: { version: '1.11.0-0.9.0', url } } };
    const agent = of(plans(cluster({ os: 'debian-12' }, { release })), 'a1');
    expect(agent.host!.packages).toContainEqual({
      name: 'aventer-mesos',
      file: expect.objectContaining({ url }) as unknown,
      hold: true,
    });
  });
});

describe('what exists', () => {
  test.each([
    ['docker', 'docker-ce'],
    ['mesos', 'mesos'],
  ])('%s is not installed', (what, name) => {
    for (const plan of plans(cluster({ existing: { [what]: true } })).values())
      expect(plan.host!.packages.map((each) => each.name)).not.toContain(name);
  });

  test.each(['etcd', 'zookeeper', 'marathon', 'calico'])('%s gets no unit of ours', (what) => {
    const names = [...plans(cluster({ existing: { [what]: true } })).values()].flatMap(({ units }) =>
      units.map(({ name }) => name),
    );
    expect(names).not.toContain(what === 'calico' ? 'calico-node.service' : `${what}.service`);
  });
});

describe('firewalld', () => {
  const gates = (name: string, target: Readonly<Record<string, unknown>> = {}, blocks = {}) =>
    of(plans(cluster(target, blocks)), name).host!.firewall;

  test('lets nodes in to what is theirs, and tasks to their agent and to names alone', () => {
    const master = gates('m1');
    expect(master.sources['mesos-calico']).toEqual(['192.0.2.10', '192.0.2.11']);
    const open = (of: typeof master, zone: string) =>
      of.gates.filter((gate) => gate.zone === zone).map(({ open: to }) => to);
    expect(open(master, 'mesos-calico')).toEqual(expect.arrayContaining(['179/tcp', 'ipip', '2379/tcp', '5050/tcp']));
    expect(open(master, 'mesos-tasks')).toEqual(['53/tcp', '53/udp']);
    const agent = gates('a1');
    expect(open(agent, 'mesos-tasks')).toEqual(['5051/tcp']);
    expect(open(agent, 'mesos-calico')).toContain('31000-32000/tcp');
    expect(open(agent, 'mesos-calico')).not.toContain('2379/tcp');
  });

  test('lets administrators in only where they are said', () => {
    const zones = (blocks = {}) => new Set(gates('m1', {}, blocks).gates.map(({ zone }) => zone));
    expect(zones()).not.toContain('mesos-admin');
    expect(zones({ access: { adminCidrs: ['203.0.113.0/24'] } })).toContain('mesos-admin');
  });

  test.each([
    ['mask', 'mask_firewall'],
    ['open', 'zone mesos-tasks'],
  ])('%s is what the script does', (firewall, command) => {
    const text = script(of(plans(cluster({ firewall })), 'a1'));
    expect(text.slice(text.lastIndexOf('# --- what this node gets'))).toContain(`\n${command}\n`);
  });

  test('leave is no step at all', () => {
    expect(script(of(plans(cluster({ firewall: 'leave' })), 'a1'))).not.toMatch(
      /^ {2}firewall |'firewall'| firewall step/m,
    );
  });
});

test('machines of Vagrant have addresses that VirtualBox allows, each its own', () => {
  const { nodes } = cluster({ vagrant: {} }, { masters: { count: 3 }, agents: { general: { count: 2 } } });
  expect(nodes.map(({ address }) => address)).toEqual(
    ['11', '12', '13', '101', '102'].map((last) => `192.168.56.${last}`),
  );
  const small = cluster({ vagrant: { network: '192.168.56.0/28' } }).nodes;
  expect(small.map(({ address }) => address)).toEqual(['2', '3', '4'].map((last) => `192.168.56.${last}`));
});

test('a text that is not of lines travels in base64, and one that holds the end mark as it reads', () => {
  const plan = of(plans(cluster({})), 'a1');
  const more = [
    { path: '/etc/a', mode: 0o600, content: 'END\nEND_\n', agent: 'base' },
    { path: '/etc/b', mode: 0o644, content: 'no end of line', agent: 'base' },
    { path: "/etc/it's", mode: 0o644, content: '$(touch /tmp/x) `id` \\\n', agent: 'base' },
  ];
  const text = script({ ...plan, files: [...plan.files, ...more] });
  expect(text).toContain(`file /etc/a 600 <<'END__'\nEND\nEND_\nEND__\n`);
  expect(text).toContain(Buffer.from('no end of line').toString('base64'));
  expect(text).toContain(`file '/etc/it'\\''s' 644 <<'END'\n$(touch /tmp/x) \`id\` \\\nEND\n`);
});
