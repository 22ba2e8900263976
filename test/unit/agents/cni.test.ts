/** CNI of the current channel: a file per network that tasks of the Unified Containerizer can join, and the programs. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { cluster, plans, said, unit, words } from './planned.ts';

/** What Mesos and Calico's plugin v1.11 read of a network. Sources: Mesos' cni.md, cni-plugin's types.go. */
const valid = new Ajv2020({ strict: true }).compile({
  type: 'object',
  additionalProperties: false,
  required: ['name', 'cniVersion', 'type', 'etcd_endpoints', 'mtu', 'ipam'],
  properties: {
    name: { type: 'string', minLength: 1 },
    cniVersion: { type: 'string', enum: ['0.1.0'] },
    type: { type: 'string', enum: ['calico'] },
    etcd_endpoints: { type: 'string', pattern: '^http://[0-9.]+:2379(,http://[0-9.]+:2379)*$' },
    mtu: { type: 'integer', minimum: 576, maximum: 9216 },
    ipam: {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: { type: { type: 'string', enum: ['calico-ipam'] } },
    },
  },
});

const of = cluster(
  'gce',
  {
    agents: { docker: { containerizers: ['docker'] }, mesos: { containerizers: ['mesos'] } },
    networks: {
      client: { containerizer: 'docker' },
      batch: { containerizer: 'mesos' },
      'Night.batch-2': { containerizer: 'mesos' },
    },
  },
  { os: 'flatcar-lts' },
);
const files = (name: string) =>
  plans(of)
    .get(name)!
    .files.filter(({ path }) => path.startsWith('/etc/cni/'));

test('each network of the Unified Containerizer has a file of the form that is read, and no other network has one', () => {
  expect(files('mesos').map(({ path }) => path)).toEqual([
    '/etc/cni/net.d/batch.conf',
    '/etc/cni/net.d/Night.batch-2.conf',
  ]);
  for (const { path, content } of files('mesos')) {
    const conf = JSON.parse(content) as { name: string };
    expect(valid(conf), JSON.stringify(valid.errors)).toBe(true);
    expect(path).toBe(`/etc/cni/net.d/${conf.name}.conf`);
  }
});

test('tasks get the MTU of the description and the etcd of all masters', () => {
  expect(JSON.parse(files('mesos')[0]!.content)).toMatchObject({
    mtu: 1440,
    etcd_endpoints: 'http://10.0.15.240:2379,http://10.0.15.241:2379,http://10.0.15.242:2379',
  });
});

test('pools that run tasks in Docker only, and masters, have none of it', () => {
  for (const name of ['docker', 'master-1']) {
    expect(files(name)).toEqual([]);
    expect(plans(of).get(name)!.agents).not.toContain('cni');
  }
});

test('both programs are fetched, each from its own address, to where the agent of Mesos looks', () => {
  const fetched = said(unit(plans(of).get('mesos'), 'cni.service'), 'ExecStart').map((line) => words(line));
  const releases = 'https://github.com/projectcalico/cni-plugin/releases/download/v1.11.8';
  expect(fetched.map(([, url, , kind, target]) => [url, kind, target])).toEqual([
    [`${releases}/calico`, 'file', '/opt/cni/bin/calico'],
    [`${releases}/calico-ipam`, 'file', '/opt/cni/bin/calico-ipam'],
  ]);
  const agent = unit(plans(of).get('mesos'), 'mesos-agent.service');
  expect(agent).toContain('--network_cni_plugins_dir=/opt/cni/bin');
  expect(agent).toContain('--network_cni_config_dir=/etc/cni/net.d');
});
