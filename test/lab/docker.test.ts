import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import type { Report } from '../../modules/verify/report.ts';
import { populate, verify } from '../../modules/verify/run.ts';
import { engines, needEngines } from './engines.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

/** Every key under one, with its value. */
const flat = (node: EtcdNode | undefined): Record<string, string> =>
  Object.fromEntries(
    (node?.value === undefined ? [] : [[node.key, node.value] as [string, string]]).concat(
      (node?.nodes ?? []).flatMap((child) => Object.entries(flat(child))),
    ),
  );

let stage: Stage;
beforeEach(needEngines);

const docker = (host: string, words: string): Promise<string> =>
  stage.sh(undefined, `docker -H unix:///run/lab/docker/${host}/docker.sock ${words}`);
const read = async (key: string): Promise<Record<string, string>> => flat((await stage.lab.call('read', { key })).node);
const check = ({ target, cluster, host }: Stage): Promise<Report> => {
  const run = { cluster, documents: readPolicies(cluster), walk: false, seed: 1, host, leaveTasks: false, stages: [] };
  return verify(target, { ...run, startedAt: new Date() }, { stage: () => undefined, step: () => undefined });
};

/** Networks with their tasks: what Docker calls them, and the profiles that Calico's endpoints have. */
async function populated(): Promise<{ ids: Record<string, string>; profiles: string[]; tasks: string[] }> {
  const { target, cluster, host, lab } = stage;
  await populate(target, cluster, readPolicies(cluster), host);
  const networks = await docker(
    'general-2',
    'network ls --no-trunc --filter driver=calico --format "{{.Name}} {{.ID}}"',
  );
  const endpoints = Object.values(await read('/calico/v1/host')).filter((text) => text.includes('profile_ids'));
  return {
    ids: Object.fromEntries(
      networks
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    ),
    profiles: [
      ...new Set(endpoints.flatMap((text) => (JSON.parse(text) as { profile_ids: string[] }).profile_ids)),
    ].sort(),
    tasks: (await lab.call('status', {})).tasks.map((task) => task.name),
  };
}

describe('one Docker engine per host, with the plugin of the channel classic', () => {
  beforeAll(async () => {
    if (engines) stage = await openLab('lab', true);
  });
  afterAll(() => closeLab(stage));

  test('Stars holds between containers, and nothing of them is left', async () => {
    const before = await look();
    const report = await check(stage);
    expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
    expect(report.outcome).toBe('pass');
    expect(report.steps[0]!.cells.length).toBe(660);
    expect(report.steps[0]!.cells.filter((cell) => cell.observed === 'open').length).toBe(168);
    expect(await look()).toEqual(before);
  });

  test('a network made once is on every engine, and its profile has its id for name', async () => {
    const id = (await docker('general-1', 'network create --driver calico --ipam-driver calico once')).trim();
    for (const host of ['general-2', 'general-3']) {
      expect(await docker(host, 'network ls --no-trunc --format "{{.ID}} {{.Name}} {{.Driver}} {{.Scope}}"')).toContain(
        `${id} once calico global`,
      );
    }
    expect(Object.keys(await read(`/calico/v1/policy/profile/${id}`)).sort()).toEqual([
      `/calico/v1/policy/profile/${id}/rules`,
      `/calico/v1/policy/profile/${id}/tags`,
    ]);
    await docker('general-2', 'network rm once');
    expect(await read(`/calico/v1/policy/profile/${id}`)).toEqual({});
    expect(await docker('general-3', 'network ls --format "{{.Name}}"')).not.toContain('once');
  });

  test('a container on the default bridge has no address of the pool, and no endpoint', async () => {
    const address = await docker('general-1', 'run --rm --name stray lab/busybox ip -4 -o addr show eth0');
    expect(address).toContain(' 172.17.');
    expect(Object.keys(await read('/calico/v1/host')).filter((key) => key.includes('/workload/'))).toEqual([]);
  });

  test('a subnet that is no pool of Calico is refused in the words of the plugin', async () => {
    await expect(
      docker('general-1', 'network create --driver calico --ipam-driver calico --subnet 10.99.0.0/24 wrong'),
    ).rejects.toThrow('The requested subnet must match the CIDR of a configured Calico IP Pool.');
  });

  test('containers on two engines have the id of their network for profile', async () => {
    const { ids, profiles } = await populated();
    expect(Object.keys(ids).sort()).toEqual(['backend', 'client', 'frontend', 'management-ui']);
    expect(profiles).toEqual(Object.values(ids).sort());
    // Another run finds them there, knows nothing of them, and leaves them.
    const report = await check({ ...stage, target: stage.another() });
    expect(report.outcome).toBe('pass');
    expect(report.real).toContainEqual(expect.stringContaining('Docker 20.10'));
    expect((await docker('general-1', 'ps -q')).trim().split('\n')).toHaveLength(4);
    await stage.target.cleanUp();
    expect((await docker('general-1', 'ps -aq')).trim()).toBe('');
  });

  async function look(): Promise<object> {
    const all = { ...(await read('/calico/v1/host')), ...(await read('/calico/v1/policy')) };
    return {
      keys: Object.keys(all).sort(),
      blocks: Object.values(await read('/calico/ipam/v2/assignment'))
        .map((text) => (JSON.parse(text) as { allocations: unknown[] }).allocations.filter((one) => one !== null))
        .flat(),
      namespaces: await stage.sh(undefined, 'ip netns list | sort'),
      veths: await stage.sh('general-1', 'ip -o link show type veth | grep -o "cali[0-9a-f]*" || true'),
      containers: await docker('general-1', 'ps -aq'),
    };
  }
});

describe('one Docker engine per host, with the plugin of the channel current', () => {
  beforeAll(async () => {
    if (engines) stage = await openLab('test/lab/clusters/pair.yaml', true);
  });
  afterAll(() => closeLab(stage));

  test('policy holds between containers, which have the name of their network for profile', async () => {
    const report = await check(stage);
    expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
    expect(report.outcome).toBe('pass');
    expect((await populated()).profiles).toEqual(['backend', 'client']);
    await stage.target.cleanUp();
  });

  test('its IPAM has a name of its own, and a profile comes with the first container and outlives its network', async () => {
    await docker('general-1', 'network create --driver calico --ipam-driver calico-ipam late');
    expect(await read('/calico/v1/policy/profile/late')).toEqual({});
    await docker('general-2', 'run --rm --network late lab/busybox ip route');
    expect(Object.keys(await read('/calico/v1/policy/profile/late'))).toHaveLength(2);
    await docker('general-1', 'network rm late');
    expect(Object.keys(await read('/calico/v1/policy/profile/late'))).toHaveLength(2);
  });
});
