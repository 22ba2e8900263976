/** The agent of Mesos: its flags and its container, and the scripts around it as they are rendered. */
import { readFileSync, rmSync, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, command, file, kinds, plans, said, unit } from './planned.ts';

const service = (of: Cluster, name = 'general'): string => unit(plans(of).get(name), 'mesos-agent.service');
const line = (of: Cluster, name = 'general'): readonly string[] => command(service(of, name));
const flag = (of: Cluster, name: string, pool = 'general'): string | undefined =>
  line(of, pool)
    .find((word) => word.startsWith(`--${name}=`))
    ?.slice(name.length + 3);
const both = (release = 'current') =>
  cluster(
    'aws',
    {
      release,
      agents: { general: { containerizers: ['docker', 'mesos'] } },
      networks: { client: { containerizer: 'docker' }, batch: { containerizer: 'mesos' } },
    },
    { os: 'flatcar-lts' },
  );

test('masters have none', () => {
  for (const [, of] of kinds) expect(plans(of).get('master-1')?.agents).not.toContain('mesos-agent');
});

test('finds the masters where they elect their leader, and is found at its own address', () => {
  for (const [, of] of kinds) {
    const master = command(unit(plans(of).get('master-1'), 'mesos-master.service'));
    expect(flag(of, 'master')).toBe(master.find((word) => word.startsWith('--zk='))?.slice(5));
    for (const name of ['ip', 'advertise_ip', 'hostname']) expect(flag(of, name)).toBe('${HOST_IP}');
    expect(flag(of, 'port')).toBe('5051');
  }
});

test('offers the ports that the firewall opens', () => {
  expect(flag(cluster(), 'resources')).toBe('ports:[31000-32000]');
});

describe('attributes', () => {
  test('name the pool, and the zone where the plan knows it', () => {
    expect(flag(cluster('gce'), 'attributes')).toBe('pool:general;zone:us-central1-a');
    const one = { agents: { general: { zones: ['us-west-2b'] } } };
    expect(flag(cluster('aws', one), 'attributes')).toBe('pool:general;zone:us-west-2b');
    expect(service(cluster('aws', one))).not.toContain('/opt/mesos-calico/zone');
  });

  test('have the zone from the machine where a pool is in several', () => {
    const of = cluster('aws');
    expect(flag(of, 'attributes')).toBe('pool:general;zone:${ZONE}');
    expect(said(service(of), 'ExecStartPre')).toContain('/opt/mesos-calico/zone aws /run/mesos-calico/zone.env');
    expect(said(service(of), 'EnvironmentFile')).toContain('-/run/mesos-calico/zone.env');
  });

  test('of a pool that lists its zones differently stay apart', () => {
    const of = cluster('aws', { agents: { a: { zones: ['us-west-2a'] }, b: {} } });
    expect([flag(of, 'attributes', 'a'), flag(of, 'attributes', 'b')]).toEqual([
      'pool:a;zone:us-west-2a',
      'pool:b;zone:${ZONE}',
    ]);
  });
});

describe('the container', () => {
  test('sees the host’s processes, network and cgroups, and shares the mounts below the folders of Mesos', () => {
    for (const [, of] of kinds) {
      expect(line(of)).toEqual(
        expect.arrayContaining([
          ...['--rm', '--name=mesos-agent', '--privileged', '--net=host', '--pid=host', '--cgroupns=host'],
          ...['--volume=/sys:/sys', '--volume=/sys/fs/cgroup:/sys/fs/cgroup'],
          ...['--volume=/var/lib/mesos:/var/lib/mesos:rshared', '--volume=/var/run/mesos:/var/run/mesos:rshared'],
        ]),
      );
      expect([flag(of, 'work_dir'), flag(of, 'systemd_enable_support')]).toEqual(['/var/lib/mesos', 'false']);
    }
  });

  test('is not told --cgroupns by a Docker that does not know it', () => {
    const old = { release: { channel: 'classic', override: { docker: { version: '19.03.15' } } } };
    expect(line(cluster('aws', old))).not.toContain('--cgroupns=host');
  });

  test('reaches Docker, by the client that fits it, only where tasks run in Docker', () => {
    const of = cluster(
      'aws',
      {
        agents: { docker: { containerizers: ['docker'] }, mesos: { containerizers: ['mesos'] } },
        networks: { client: { containerizer: 'docker' } },
      },
      { os: 'flatcar-lts' },
    );
    const parts = [
      '--volume=/var/run/docker.sock:/var/run/docker.sock',
      '--volume=/opt/bin/docker:/opt/bin/docker:ro',
      '--docker=/opt/bin/docker',
    ];
    expect(parts.filter((part) => line(of, 'docker').includes(part))).toEqual(parts);
    expect(parts.filter((part) => line(of, 'mesos').includes(part))).toEqual([]);
    expect([flag(of, 'image_providers', 'docker'), flag(of, 'image_providers', 'mesos')]).toEqual([
      undefined,
      'docker',
    ]);
  });

  test('is the image that the masters have', () => {
    for (const [, of] of kinds) {
      const master = command(unit(plans(of).get('master-1'), 'mesos-master.service'));
      const image = master.find((word) => word.includes('mesosphere/'));
      expect(image).toBeDefined();
      expect(line(of)).toContain(image);
    }
  });

  test('gets the proxy where Mesos fetches images itself, unless it would hand it on to every task', () => {
    const proxied = (release: string) => both(release);
    const given = (of: Cluster) =>
      line({ ...of, sources: { ...of.sources, proxy: { https: 'http://p:3128', except: [] } } });
    expect(given(proxied('current'))).toContain('--env=https_proxy');
    expect(given(proxied('classic'))).not.toContain('--env=https_proxy');
    expect(given(cluster())).not.toContain('--env=https_proxy');
    expect(line(both())).not.toContain('--env=https_proxy');
  });
});

describe('authorities of the description', () => {
  const caBundle = '-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----';
  const volume = '--volume=/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro';
  const agent = (of: Cluster, material = {}) =>
    command(unit(plans(of, material).get('general'), 'mesos-agent.service'));

  test.each(['current', 'classic'])(
    'reach the puller of the Unified Containerizer, which is in the image: %s',
    (release) => {
      expect(agent(both(release), { caBundle })).toContain(volume);
    },
  );

  test('are not mounted where Docker alone pulls, or where there are none', () => {
    expect(agent(cluster(), { caBundle })).not.toContain(volume);
    expect(agent(both())).not.toContain(volume);
  });
});

describe('starts', () => {
  test('only where the programs of CNI are', () => {
    expect(said(service(both()), 'ExecStartPre').slice(0, 2)).toEqual([
      '/usr/bin/test -x /opt/cni/bin/calico',
      '/usr/bin/test -x /opt/cni/bin/calico-ipam',
    ]);
  });

  test('after what gives tasks their networks', () => {
    const after = (of: Cluster) => said(service(of), 'After')[0]!.split(' ');
    expect(after(both())).toEqual(
      expect.arrayContaining(['calico-node.service', 'docker-networks.service', 'cni.service']),
    );
    expect(after(both('classic'))).toEqual(
      expect.arrayContaining([
        'calico-node.service',
        'docker-plugin.service',
        'docker-networks.service',
        'net-modules.service',
      ]),
    );
  });
});

describe('the script', () => {
  let root: Root;
  beforeEach(() => {
    root = new Root();
  });
  afterEach(() => rmSync(root.folder, { recursive: true, force: true }));
  const put = (path: string): string =>
    root.put(path, file(plans(cluster()).get('general'), path).replace('sleep 1\n', 'sleep 0.1\n'));

  describe('zone', () => {
    let server: Server;
    let answer: (request: IncomingMessage) => string | undefined;
    beforeEach(async () => {
      server = createServer((request, response) => {
        const text = answer(request);
        if (text === undefined) response.writeHead(401).end('<html>no</html>');
        else response.end(text);
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });
    afterEach(() => void server.close());

    async function zone(cloud: string) {
      const out = root.path('/run/mesos-calico/zone.env');
      const output = await shell.run([put('/opt/mesos-calico/zone'), cloud, out], {
        timeoutMs: 20_000,
        env: { METADATA_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ZONE_SECONDS: '2' },
      });
      return { ...output, env: existsSync(out) ? readFileSync(out, 'utf8') : undefined };
    }

    /** As EC2 does where tokens are required: who has none learns nothing. */
    const ec2 = ({ method, url, headers }: IncomingMessage): string | undefined => {
      if (method === 'PUT' && url === '/latest/api/token' && headers['x-aws-ec2-metadata-token-ttl-seconds'])
        return 'a token';
      if (headers['x-aws-ec2-metadata-token'] !== 'a token') return undefined;
      return url === '/latest/meta-data/placement/availability-zone' ? 'us-west-2b' : undefined;
    };
    const gce = ({ url, headers }: IncomingMessage): string | undefined =>
      url === '/computeMetadata/v1/instance/zone' && headers['metadata-flavor'] === 'Google'
        ? 'projects/1234/zones/us-central1-b'
        : undefined;

    test('asks EC2 with a token', async () => {
      answer = ec2;
      expect(await zone('aws')).toMatchObject({ code: 0, env: 'ZONE=us-west-2b\n' });
    });

    test('takes the last part of what Google says', async () => {
      answer = gce;
      expect(await zone('gce')).toMatchObject({ code: 0, env: 'ZONE=us-central1-b\n' });
    });

    test('asks again where the metadata are late', async () => {
      let asked = 0;
      answer = (request) => (asked++ < 3 ? undefined : gce(request));
      expect(await zone('gce')).toMatchObject({ code: 0, env: 'ZONE=us-central1-b\n' });
    });

    test.each([
      ['nothing', () => undefined],
      ['what is no zone', () => '<html>'],
      ['an empty word', () => ''],
    ])(
      'fails after a while when they say %s: an agent with another attribute would be refused later',
      async (_, says) => {
        answer = says;
        const { code, env, stderr } = await zone('gce');
        expect({ code, env }).toEqual({ code: 1, env: undefined });
        expect(stderr).toContain('do not tell this machine its zone');
      },
    );
  });

  describe('stop-tasks', () => {
    /** A Docker that has these containers, and matches names as Docker does. */
    async function stop(names: readonly string[]) {
      root.put(
        '/docker',
        `#!/bin/bash
        echo "$*" >>'${root.path('/log')}'
        if [[ $1 == ps ]]; then
          all="$*"; pattern=\${all##*name=}
          for name in ${names.join(' ')}; do [[ $name =~ $pattern || /$name =~ $pattern ]] && echo "$name"; done
        fi
        exit 0`,
      );
      const output = await shell.run([put('/opt/mesos-calico/stop-tasks')], {
        timeoutMs: 20_000,
        env: { DOCKER: root.path('/docker') },
      });
      const log = readFileSync(root.path('/log'), 'utf8').trim().split('\n');
      return { ...output, stopped: log.filter((each) => each.startsWith('stop ')) };
    }

    test('stops what the agent had started, in the names of both versions, and nothing of ours', async () => {
      const old = 'mesos-3f1c7d2e-8a4b-4c0f-9d6e-0123456789ab-S1.5e0d8a11-2b3c-4d5e-8f90-abcdef012345';
      const now = 'mesos-5e0d8a11-2b3c-4d5e-8f90-abcdef012345';
      const names = ['mesos-agent', old, 'calico-node', now, 'my-mesos-5e0d8a11-x', 'marathon'];
      const { code, stopped } = await stop(names);
      expect({ code, stopped }).toEqual({ code: 0, stopped: [`stop --time 10 ${old} ${now}`] });
    });

    test('asks nothing to stop where nothing is left', async () => {
      expect(await stop(['mesos-agent', 'calico-node'])).toMatchObject({ code: 0, stopped: [], stderr: '' });
    });
  });
});
