/**
 * The traps of the guides of 2016 that can bite in what runs tasks and gives them their networks, by their numbers in the
 * project's list of forty. Those that any unit or address can fall into stand in traps-masters.test.ts, for agents too.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import type { NodePlan } from '../../../modules/node/plan.ts';
import { image } from '../../../modules/release/artifact.ts';
import { netGroupPrefix } from '../../../modules/release/calico.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, command, file, plans, said, unit, words } from './planned.ts';

const channels = ['classic', 'current'] as const;

/** A cluster with every kind of pool, on hosts that can run them all, with pools that are wrapped. */
const full = (release: unknown, kind: 'aws' | 'gce' = 'aws'): Cluster =>
  cluster(
    kind,
    {
      release,
      agents: {
        docker: { containerizers: ['docker'] },
        mesos: { containerizers: ['mesos'] },
        both: { containerizers: ['docker', 'mesos'] },
        reverse: { containerizers: ['mesos', 'docker'] },
      },
      networks: { client: { containerizer: 'docker' }, batch: { containerizer: 'mesos' } },
    },
    { os: 'flatcar-lts' },
  );
const pools = ['docker', 'mesos', 'both', 'reverse'];
const withMesos = ['mesos', 'both', 'reverse'];
const withDocker = ['docker', 'both', 'reverse'];

/** Everything that a node gets, as text. */
const everything = ({ files, units }: NodePlan): string =>
  [...files.map(({ content }) => content), ...units.map(({ content }) => content ?? '')].join('\n');

/** Units of this half of the cluster's software, on any node. */
const ours = [
  ...['docker', 'etcd-gateway', 'calico-node', 'docker-plugin', 'docker-networks', 'net-modules', 'cni', 'mesos-agent'],
].map((name) => `${name}.service`);
const services = (planned: NodePlan) => planned.units.filter(({ name }) => ours.includes(name));

describe.each(channels)('%s', (release) => {
  const of = full(release);
  const all = plans(of);
  const line = (name: string, service: string): readonly string[] => command(unit(all.get(name), `${service}.service`));
  const flag = (name: string, flag: string): string | undefined =>
    line(name, 'mesos-agent')
      .find((word) => word.startsWith(`--${flag}=`))
      ?.slice(flag.length + 3);
  const environment = (name: string, service: string): readonly string[] =>
    line(name, service)
      .filter((word) => word.startsWith('--env='))
      .map((word) => word.slice(6));

  test('trap 9: what is pulled is what is run, in a version', () => {
    for (const planned of all.values()) {
      for (const { name, content = '' } of services(planned)) {
        const pulled = said(content, 'ExecStartPre').flatMap((each) => /\/pull (\S+)$/.exec(each)?.[1] ?? []);
        const run = [...said(content, 'ExecStart'), ...said(content, 'ExecStartPre')].join(' ');
        for (const each of pulled) {
          expect(run.split(each).length, `${name} pulls ${each} and runs it`).toBeGreaterThan(2);
          expect(each).toMatch(/:v?\d/);
        }
        if (content.includes('docker run')) expect(pulled, name).toHaveLength(1);
      }
      expect(everything(planned)).not.toMatch(/:latest\b/);
    }
  });

  test('trap 11: Docker is started by the command that its version has, said once', () => {
    const started = said(unit(all.get('docker'), 'docker.service'), 'ExecStart');
    expect(started).toEqual(['/opt/bin/dockerd --config-file=/etc/docker/daemon.json']);
    const old = cluster(
      'aws',
      {
        release: {
          channel: 'classic',
          override: { docker: { version: '1.11.2', url: 'https://example.com/docker-1.11.2.tgz' } },
        },
      },
      { os: 'flatcar-lts' },
    );
    expect(said(unit(plans(old).get('general'), 'docker.service'), 'ExecStart')).toEqual([
      '/opt/bin/docker daemon --config-file=/etc/docker/daemon.json',
    ]);
  });

  test('trap 12: where Docker listens is said, and in one place', () => {
    for (const [name, planned] of all) {
      expect(JSON.parse(file(planned, '/etc/docker/daemon.json'))).toMatchObject({
        hosts: ['unix:///var/run/docker.sock'],
      });
      expect(line(name, 'docker').join(' ')).not.toMatch(/-H\b|--host\b|fd:\/\//);
    }
  });

  test('trap 15: an agent has every containerizer of its pool, in its order', () => {
    expect(pools.map((name) => flag(name, 'containerizers'))).toEqual([
      'docker',
      'mesos',
      'docker,mesos',
      'mesos,docker',
    ]);
  });

  test('trap 16: the network isolator comes to the list and replaces nothing: tasks keep their limits and file systems', () => {
    for (const name of withMesos) {
      expect(flag(name, 'isolation')!.split(',')).toEqual(
        expect.arrayContaining([
          ...['cgroups/cpu', 'cgroups/mem', 'filesystem/linux', 'docker/runtime'],
          release === 'classic' ? 'com_mesosphere_mesos_NetworkIsolator' : 'network/cni',
        ]),
      );
      expect(flag(name, 'image_providers')).toBe('docker');
    }
  });

  test('trap 18: no node guesses its address', () => {
    for (const name of all.keys()) expect(environment(name, 'calico-node')).toContainEqual('IP=${HOST_IP}');
    for (const name of pools) expect(flag(name, 'ip')).toBe('${HOST_IP}');
  });

  test('trap 18: all that goes by a host’s name goes by the same: nobody is given another than the host’s', () => {
    for (const planned of all.values()) {
      expect(everything(planned)).not.toMatch(/--env=(HOSTNAME|NODENAME)|--hostname=(?!\$\{HOST_IP\})[a-z%$]|--uts=/);
      for (const { content = '' } of services(planned)) {
        if (content.includes('docker run')) expect(content).toContain('--net=host');
      }
      const networks = planned.files.filter(({ path }) => path.startsWith('/etc/cni/'));
      for (const { content } of networks) expect(content).not.toMatch(/"nodename"|"hostname"/);
    }
  });

  test('trap 18: a node whose address was a dead one’s, which would be fatal, first has the dead one forgotten', () => {
    for (const [name, planned] of all) {
      const before = said(unit(planned, 'calico-node.service'), 'ExecStartPre');
      const forgets = before.findIndex((each) => each.startsWith('/opt/mesos-calico/forget-hosts '));
      expect([name, words(before[forgets] ?? '')]).toEqual([
        name,
        [
          '/opt/mesos-calico/forget-hosts',
          'http://10.0.0.16:2379,http://10.0.32.17:2379,http://10.0.64.18:2379',
          '${HOST_IP}',
        ],
      ]);
      // Once etcd is known to answer.
      expect(forgets).toBeGreaterThan(before.findIndex((each) => each.startsWith('/opt/mesos-calico/await-keys ')));
    }
  });

  test('trap 19: calico-node makes no pools by itself, and waits for ours', () => {
    for (const name of all.keys()) {
      expect(environment(name, 'calico-node')).toContain('NO_DEFAULT_POOLS=true');
      const before = said(unit(all.get(name), 'calico-node.service'), 'ExecStartPre');
      expect(before.find((each) => each.startsWith('/opt/mesos-calico/await-keys '))).toMatch(
        / \/calico\/v1\/ipam\/v4\/pool\/10\.65\.0\.0-16$/,
      );
    }
  });

  test.each(['aws', 'gce'] as const)(
    'trap 23: the tunnel, and tasks as far as their plugin knows how, have the MTU of %s less 20',
    (kind) => {
      const mtu = { aws: 8981, gce: 1440 }[kind];
      const there = plans(full(release, kind));
      for (const [name, planned] of there) {
        const given = command(unit(planned, 'calico-node.service'));
        expect(given, name).toContain(`--env=FELIX_IPINIPMTU=${mtu}`);
        const plugin = release === 'current' && withDocker.includes(name);
        expect(given.includes(`--env=CALICO_LIBNETWORK_VETH_MTU=${mtu}`), name).toBe(plugin);
      }
      if (release === 'current') {
        for (const name of withMesos)
          expect(JSON.parse(file(there.get(name), '/etc/cni/net.d/batch.conf'))).toMatchObject({ mtu });
      }
    },
  );

  test('trap 25: networks are made by the IPAM driver that the plugin of the channel has', () => {
    const [asked = ''] = said(unit(all.get('docker'), 'docker-networks.service'), 'ExecStart');
    expect(words(asked)[2]).toBe(release === 'classic' ? 'calico' : 'calico-ipam');
    expect(words(asked)[2]).toBe(of.release.docker.ipamDriver);
  });

  test('trap 26: calicoctl is where networks have names: on agents, whose Docker shares the store', () => {
    for (const name of withDocker) {
      expect(unit(all.get(name), 'calico-node.service')).toContain(' file /opt/bin/calicoctl');
      expect(JSON.parse(file(all.get(name), '/etc/docker/daemon.json'))).toHaveProperty('cluster-store');
    }
  });

  test('trap 27: no network is made without Calico’s IPAM, which would open a way past policy', () => {
    const script = file(all.get('docker'), '/opt/mesos-calico/docker-networks');
    const made = [...script.matchAll(/network create.*/g)].map(([each]) => each);
    expect(made).toHaveLength(1);
    expect(made[0]).toMatch(/--driver calico --ipam-driver "\$ipam"/);
  });

  test('trap 31: tasks reach their own host, where the agent is that their executors report to', () => {
    for (const name of all.keys()) {
      expect(environment(name, 'calico-node')).toContain('FELIX_DEFAULTENDPOINTTOHOSTACTION=RETURN');
    }
  });

  test('trap 32: every node speaks BGP, masters too, so that health checks reach tasks as who they are', () => {
    const bird = release === 'classic' ? 'CALICO_NETWORKING=true' : 'CALICO_NETWORKING_BACKEND=bird';
    const roles = [...all.values()].map(({ group }) => group.role);
    expect(roles).toEqual(expect.arrayContaining(['master', 'agent']));
    for (const [name, planned] of all) {
      expect([name, environment(name, 'calico-node')]).toEqual([name, expect.arrayContaining([bird])]);
      expect(planned.units.find((each) => each.name === 'calico-node.service')).toMatchObject({ enable: true });
      // Nobody else puts a host's address in the place of the asker's; what is let in says policy.
      expect(everything(planned)).not.toMatch(/MASQUERADE|SNAT/);
    }
  });

  test('trap 33: networks are asked for without a subnet, so that all share the pools', () => {
    expect(file(all.get('docker'), '/opt/mesos-calico/docker-networks')).not.toMatch(/--subnet/);
  });

  test('trap 35: the plugin outlives Docker’s daemon, and the tasks that it must give back', () => {
    for (const name of withDocker) {
      expect(JSON.parse(file(all.get(name), '/etc/docker/daemon.json'))).toMatchObject({ 'live-restore': true });
      const agent = unit(all.get(name), 'mesos-agent.service');
      // systemd stops in the reverse order of After=.
      const after = said(agent, 'After')[0]!.split(' ');
      expect(after).toContain('calico-node.service');
      expect(after).toContain('docker.service');
      if (release === 'classic') expect(after).toContain('docker-plugin.service');
      expect(said(agent, 'ExecStopPost')).toEqual(['-/opt/mesos-calico/stop-tasks']);
    }
  });

  test('trap 37: Felix is not stopped by loose reverse-path filtering', () => {
    for (const [name, planned] of all) {
      expect(file(planned, '/etc/sysctl.d/90-mesos-calico.conf')).toMatch(/^net\.ipv4\.conf\.all\.rp_filter = 1$/m);
      // Felix of v0.19 does not know the word; from v0.21 on it does.
      expect(environment(name, 'calico-node').includes('FELIX_IGNORELOOSERPF=true')).toBe(release === 'current');
    }
  });

  test('trap 38: nobody is told of this cluster', () => {
    for (const name of all.keys()) {
      expect(environment(name, 'calico-node')).toContain('FELIX_USAGEREPORTINGENABLED=false');
    }
  });

  test('trap 40: everything of Calico is told its etcd, and calicoctl finds it when sudo takes variables away', () => {
    for (const name of all.keys()) {
      const [endpoints] = environment(name, 'calico-node').filter((each) => each.startsWith('ETCD_ENDPOINTS='));
      expect(endpoints).toMatch(
        release === 'classic' ? /=http:\/\/127\.0\.0\.1:2379$/ : /=http:\/\/10\.0\.0\.16:2379,/,
      );
    }
    for (const name of pools) {
      if (release === 'current') {
        expect(JSON.parse(file(all.get(name), '/etc/calico/calicoctl.cfg'))).toMatchObject({
          spec: {
            datastoreType: 'etcdv2',
            etcdEndpoints: expect.stringMatching(/^http:\/\/10\.0\.0\.16:2379,/) as string,
          },
        });
      } else {
        // What calicoctl v0.x asks by itself.
        expect(line(name, 'etcd-gateway')).toContain('--listen-addr=127.0.0.1:2379');
      }
    }
  });
});

describe('the classic channel alone', () => {
  const of = full('classic');
  const all = plans(of);

  test('trap 8: the Docker plugin is told its etcd by the names that it reads', () => {
    const given = command(unit(all.get('docker'), 'docker-plugin.service'));
    expect(given.filter((word) => word.startsWith('--env='))).toEqual([
      '--env=ETCD_AUTHORITY=127.0.0.1:2379',
      '--env=ETCD_SCHEME=http',
    ]);
    expect(given.at(-1)).toBe(image(of.release, of.sources, 'docker-plugin'));
  });

  test('trap 10: no folder of the RPM is taken for granted: what Mesos loads lies where the library is put, once found', () => {
    for (const name of withMesos) {
      const modules = file(all.get(name), '/opt/mesos-calico/net-modules/modules.json');
      expect(modules).not.toMatch(/\/usr\/lib/);
      expect(file(all.get(name), '/opt/mesos-calico/net-modules/unpack')).not.toMatch(/\/usr\/lib/);
    }
  });

  test.each([
    ['calico_mesos', 'is not there'],
    ['calico_mesos', 'is empty'],
    ['calico_mesos', 'is a page that says 404'],
    ['libmesos_network_isolator.so', 'is not there'],
    ['libmesos_network_isolator.so', 'is a page that says 404'],
    ['modules.json', 'is not there'],
  ])('trap 17: no agent starts while %s %s, since tasks would get the network of the host', async (name, state) => {
    const folder = '/opt/mesos-calico/net-modules';
    for (const pool of withMesos) {
      const text = unit(all.get(pool), 'mesos-agent.service');
      expect(said(text, 'ExecStartPre')[0]).toBe(`${folder}/guard`);
    }
    const root = new Root();
    const guard = root.put(`${folder}/guard`, file(all.get('mesos'), `${folder}/guard`));
    for (const each of ['calico_mesos', 'libmesos_network_isolator.so'])
      root.put(`${folder}/${each}`, '\u007fELF and so on');
    root.put(`${folder}/modules.json`, '{}');
    expect(await shell.run([guard])).toMatchObject({ code: 0, stderr: '' });

    const path = root.path(`${folder}/${name}`);
    if (state === 'is not there') rmSync(path);
    else writeFileSync(path, state === 'is empty' ? '' : '<html>404</html>');
    const { code, stderr } = await shell.run([guard]);
    rmSync(root.folder, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain(`/${name} is no`);
    expect(stderr).toContain('network of the host');
  });

  test('trap 17: the plugin is not trusted for being a file: without a program in it, too, the agent stays down', async () => {
    const folder = '/opt/mesos-calico/net-modules';
    const root = new Root();
    const guard = root.put(`${folder}/guard`, file(all.get('mesos'), `${folder}/guard`));
    for (const each of ['calico_mesos', 'libmesos_network_isolator.so'])
      root.put(`${folder}/${each}`, '\u007fELF and so on');
    root.put(`${folder}/modules.json`, '{}');
    execFileSync('chmod', ['a-x', root.path(`${folder}/calico_mesos`)]);
    const { code, stderr } = await shell.run([guard]);
    rmSync(root.folder, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain('calico_mesos is no program');
  });

  test('trap 24: the calico_mesos that is fetched names profiles as policy expects', () => {
    const fetched = said(unit(all.get('mesos'), 'net-modules.service'), 'ExecStartPre').find((each) =>
      each.endsWith('/calico_mesos'),
    );
    const version = /\/download\/(v[\d.]+)\/calico_mesos /.exec(fetched!)?.[1];
    expect(netGroupPrefix(version!)).toBe('ng_');
    expect(of.release.unified.profilePrefix).toBe('ng_');
  });

  test('trap 34: the calico_mesos that runs what a label says, as root, is on no agent', () => {
    for (const name of withMesos) {
      const fetched = said(unit(all.get(name), 'net-modules.service'), 'ExecStartPre').join('\n');
      const versions = [...fetched.matchAll(/\/download\/(v[\d.]+)\/calico_mesos /g)].map(([, version]) => version);
      expect(versions).toEqual(['v0.1.5']);
      expect(everything(all.get(name)!)).not.toMatch(/calico-mesos[^\s]*v?0\.1\.6/);
    }
    const unsafe = { channel: 'classic', override: { 'calico-mesos': { version: 'v0.1.6' } } };
    expect(() => full(unsafe)).toThrow('evaluates a label of the task');
  });

  test('trap 35: what net-modules forgets when its agent stops is given back before the next one starts', () => {
    for (const name of withMesos) {
      const before = said(unit(all.get(name), 'mesos-agent.service'), 'ExecStartPre');
      const stopped = before.indexOf('-/opt/bin/docker rm --force mesos-agent');
      expect(stopped).toBeGreaterThan(-1);
      expect(before[stopped + 1]).toMatch(/^-\/opt\/mesos-calico\/net-modules\/sweep 127\.0\.0\.1:2379 http:\/\/10\./);
    }
  });

  test('trap 37: from v0.21 on Felix is told to bear it', () => {
    const newer = { 'calico-node': { version: 'v0.22.0' }, 'docker-plugin': { version: 'v0.9.0' } };
    const text = unit(plans(full({ channel: 'classic', override: newer })).get('docker'), 'calico-node.service');
    expect(text).toContain('--env=FELIX_IGNORELOOSERPF=true');
  });

  test('trap 40: calico_mesos, which has only what its agent’s environment says, is told its etcd', () => {
    for (const name of withMesos) {
      expect(command(unit(all.get(name), 'mesos-agent.service'))).toEqual(
        expect.arrayContaining(['--env=ETCD_AUTHORITY=127.0.0.1:2379', '--env=ETCD_SCHEME=http']),
      );
    }
  });
});
