/** Docker of our own in place of Flatcar's: its settings, and that nothing of the other gets in between. */
import { existsSync, rmSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../modules/cluster/cluster.ts';
import { shell } from '../../../modules/shell/shell.ts';
import { Root } from './machine.ts';
import { cluster, command, file, kinds, plans, said, unit, words } from './planned.ts';

/** What daemon.json may hold here. Source: the reference of dockerd 20.10. */
const valid = new Ajv2020({ strict: true }).compile({
  type: 'object',
  additionalProperties: false,
  required: ['hosts', 'group'],
  properties: {
    hosts: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^unix:///' } },
    group: { type: 'string' },
    'log-driver': { type: 'string', enum: ['json-file'] },
    'log-opts': {
      type: 'object',
      additionalProperties: false,
      // Numbers in quotes, or Docker does not start.
      properties: {
        'max-size': { type: 'string', pattern: '^[0-9]+[kmg]$' },
        'max-file': { type: 'string', pattern: '^[0-9]+$' },
      },
    },
    'live-restore': { type: 'boolean' },
    'cluster-store': { type: 'string', pattern: '^etcd://[0-9.]+:2379(,[0-9.]+:2379)*$' },
  },
});

const settings = (of: Cluster, name: string): Record<string, unknown> =>
  JSON.parse(file(plans(of).get(name), '/etc/docker/daemon.json')) as Record<string, unknown>;

test('daemon.json has the form that dockerd takes', () => {
  for (const [, of] of kinds) {
    for (const name of plans(of).keys()) expect(valid(settings(of, name)), JSON.stringify(valid.errors)).toBe(true);
  }
});

test('agents that run tasks in Docker keep networks in the etcd of all masters; others keep none', () => {
  const of = cluster(
    'aws',
    {
      agents: {
        docker: { containerizers: ['docker'] },
        both: { containerizers: ['mesos', 'docker'] },
        mesos: { containerizers: ['mesos'] },
      },
      networks: { client: { containerizer: 'docker' } },
    },
    { os: 'flatcar-lts' },
  );
  const store = 'etcd://10.0.0.16:2379,10.0.32.17:2379,10.0.64.18:2379';
  expect(settings(of, 'docker')['cluster-store']).toBe(store);
  expect(settings(of, 'both')['cluster-store']).toBe(store);
  expect(settings(of, 'mesos')).not.toHaveProperty('cluster-store');
  expect(settings(of, 'master-1')).not.toHaveProperty('cluster-store');
});

test('nobody reaches Docker over the network', () => {
  for (const [, of] of kinds) {
    for (const [name, planned] of plans(of)) {
      expect(settings(of, name)['hosts']).toEqual(['unix:///var/run/docker.sock']);
      expect(unit(planned, 'docker.service')).not.toMatch(/tcp:\/\//);
    }
  }
});

test.each(['docker.socket', 'containerd.service'])(
  '%s of Flatcar never comes back, and is stopped before ours starts',
  (name) => {
    for (const [, of] of kinds) {
      for (const planned of plans(of).values()) {
        expect(planned.units.find((each) => each.name === name)).toMatchObject({ mask: true, content: undefined });
        const text = unit(planned, 'docker.service');
        for (const key of ['Conflicts', 'After']) expect(said(text, key)[0]?.split(' ')).toContain(name);
      }
    }
  },
);

test('starts a containerd of its own: it would take the other wherever that has left its socket', () => {
  for (const [, of] of kinds) {
    for (const planned of plans(of).values()) {
      expect(said(unit(planned, 'docker.service'), 'ExecStartPre')).toContain(
        '-/usr/bin/rm -f /run/containerd/containerd.sock',
      );
    }
  }
});

describe('after a crash', () => {
  const script = '/opt/mesos-calico/forget-endpoints';
  const store = '/var/lib/docker/network/files/local-kv.db';
  let root: Root;
  beforeEach(() => {
    root = new Root();
  });
  afterEach(() => rmSync(root.folder, { recursive: true, force: true }));

  test('Docker does not wait for a plugin that it has yet to start, where there are tasks of it', () => {
    const of = cluster('aws', {
      agents: { docker: { containerizers: ['docker'] }, mesos: { containerizers: ['mesos'] } },
      networks: { client: { containerizer: 'docker' } },
    });
    const planned = plans(of);
    const before = (name: string) => said(unit(planned.get(name), 'docker.service'), 'ExecStartPre');
    expect(before('docker').at(-1)).toBe(`${script} ${store}`);
    for (const name of ['mesos', 'master-1']) {
      expect(before(name).join()).not.toContain(script);
      expect(planned.get(name)?.files.map(({ path }) => path)).not.toContain(script);
    }
  });

  /** Docker starts on this boot, with what it remembers; whether it still does. */
  async function start(): Promise<boolean> {
    const own = root.put(store, 'endpoints', 0o600);
    const program = root.put(script, file(plans(cluster()).get('general'), script));
    expect(await shell.run([program, own])).toMatchObject({ code: 0, stderr: '' });
    return existsSync(own);
  }

  test('endpoints of the boot before are forgotten once, and those of this boot are kept', async () => {
    expect([await start(), await start(), await start()]).toEqual([false, true, true]);
    // A boot finds /run empty.
    rmSync(root.path('/run'), { recursive: true });
    expect([await start(), await start()]).toEqual([false, true]);
  });

  test('a node that has never run Docker has nothing to forget', async () => {
    const program = root.put(script, file(plans(cluster()).get('general'), script));
    expect(await shell.run([program, root.path(store)])).toMatchObject({ code: 0, stderr: '' });
  });

  test('what could not be removed is tried again: nothing is taken for forgotten', async () => {
    const program = root.put(script, file(plans(cluster()).get('general'), script));
    root.put(`${store}/a folder/in its place`, '');
    expect((await shell.run([program, root.path(store)])).code).not.toBe(0);
    rmSync(root.path(store), { recursive: true });
    expect(await start()).toBe(false);
  });
});

test('its programs find each other in /opt/bin first, where Flatcar has others of the same names', () => {
  const text = unit(plans(cluster()).get('general'), 'docker.service');
  expect(said(text, 'Environment')[0]).toMatch(/^PATH=\/opt\/bin:/);
  expect(command(text)[0]).toBe('/opt/bin/dockerd');
});

test.each([
  ['17.03.2-ce', 'docker-containerd-shim', 'docker-runc'],
  ['18.09.9', 'containerd-shim', 'runc'],
  ['20.10.24', 'containerd-shim-runc-v2', 'runc'],
])('of %s the programs are taken that it is made of', (version, ...programs) => {
  const override = { docker: { version } };
  const of = cluster('aws', { release: { channel: 'classic', override } }, { os: 'flatcar-lts' });
  const [fetch = ''] = said(unit(plans(of).get('general'), 'docker.service'), 'ExecStartPre');
  const [, url, , kind, folder, ...members] = words(fetch);
  expect([url, kind, folder]).toEqual([
    `https://download.docker.com/linux/static/stable/x86_64/docker-${version}.tgz`,
    ...['tar', '/opt/bin'],
  ]);
  expect(members).toEqual(expect.arrayContaining(['docker', 'dockerd', ...programs].map((each) => `docker/${each}`)));
});

test('asks a proxy for images where there is one', () => {
  expect(said(unit(plans(cluster()).get('general'), 'docker.service'), 'EnvironmentFile')).toEqual([
    '-/etc/mesos-calico/proxy.env',
  ]);
});
