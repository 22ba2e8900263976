import { expect, test } from 'vitest';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import type { Report } from '../../modules/verify/report.ts';
import { populate, verify } from '../../modules/verify/run.ts';
import { withLab, type Stage } from './harness.ts';

const stars = ({ target, cluster, host }: Stage, walk: boolean, leaveTasks: boolean): Promise<Report> =>
  verify(
    target,
    { cluster, documents: readPolicies(cluster), walk, seed: 1, host, startedAt: new Date(), leaveTasks, stages: [] },
    { stage: () => undefined, step: () => undefined },
  );

test('Stars holds in all its three steps, packet by packet', async () => {
  const report = await withLab((stage) => stars(stage, true, true));
  expect(report.steps.map((step) => step.findings)).toEqual([[], [], []]);
  expect(report.outcome).toBe('pass');
  // 12 tasks ask 11 others in 5 classes of traffic; a table that lost cells would not be 660.
  expect(report.steps.map((step) => step.cells.length)).toEqual([660, 660, 660]);
  expect(report.steps.map((step) => step.cells.filter((cell) => cell.observed === 'open').length)).toEqual([
    120, 150, 168,
  ]);
});

test('a verification of a lab that ran before leaves its tasks, profiles and addresses as they were', async () => {
  await withLab(async (stage) => {
    const { lab, target, cluster, host } = stage;
    await populate(target, cluster, readPolicies(cluster), host);
    const look = async (): Promise<unknown> => ({
      tasks: (await lab.call('status', {})).tasks,
      data: flat((await lab.call('read', { key: '/calico/v1' })).node),
      blocks: flat((await lab.call('read', { key: '/calico/ipam/v2/assignment' })).node),
      namespaces: await stage.sh(undefined, 'ip netns list | sort'),
    });
    const before = await look();
    // Another run, which did not start the tasks that are there.
    const report = await stars({ ...stage, target: stage.another() }, false, false);
    expect(report.outcome).toBe('pass');
    expect(await look()).toEqual(before);
  });
});

/** Every key with its value. */
const flat = (node: EtcdNode | undefined): Record<string, string> =>
  Object.fromEntries(
    node === undefined
      ? []
      : [
          ...(node.value === undefined ? [] : [[node.key, node.value] as const]),
          ...(node.nodes ?? []).flatMap((child) => Object.entries(flat(child))),
        ],
  );
