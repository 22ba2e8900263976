import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import type { Report } from '../../modules/verify/report.ts';
import { verify } from '../../modules/verify/run.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

/** Every key under one, with its value. */
const flat = (node: EtcdNode | undefined): Record<string, string> =>
  Object.fromEntries(
    (node?.value === undefined ? [] : [[node.key, node.value] as [string, string]]).concat(
      (node?.nodes ?? []).flatMap((child) => Object.entries(flat(child))),
    ),
  );

describe('one Docker engine per host', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openLab('lab', true);
  });
  afterAll(() => closeLab(stage));

  const docker = (host: string, words: string): Promise<string> =>
    stage.sh(undefined, `/usr/bin/docker -H unix:///run/lab/docker/${host}/docker.sock ${words}`);
  const read = async (key: string): Promise<Record<string, string>> =>
    flat((await stage.lab.call('read', { key })).node);
  const stars = (leaveTasks = false): Promise<Report> => {
    const { target, cluster, host } = stage;
    const run = {
      cluster,
      documents: readPolicies(cluster),
      walk: false,
      seed: 1,
      host,
      startedAt: new Date(),
      stages: [],
    };
    return verify(target, { ...run, leaveTasks }, { stage: () => undefined, step: () => undefined });
  };

  test('Stars holds between containers, and nothing of them is left', async () => {
    const before = await look();
    const report = await stars();
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
