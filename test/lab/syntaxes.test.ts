/** Policy in other syntaxes than the short form, from file to packet. */
import { expect, test } from 'vitest';
import { keys } from '../../modules/datastore/calico.ts';
import { readPolicies } from '../../modules/verify/documents.ts';
import { controlTier } from '../../modules/verify/plan.ts';
import type { Report } from '../../modules/verify/report.ts';
import { verify } from '../../modules/verify/run.ts';
import { withLab, type Stage } from './harness.ts';

const proven = ({ target, cluster, host }: Stage, leaveTasks: boolean): Promise<Report> =>
  verify(
    target,
    {
      cluster,
      documents: readPolicies(cluster),
      walk: true,
      seed: 1,
      host,
      startedAt: new Date(),
      leaveTasks,
      stages: [],
    },
    { stage: () => undefined, step: () => undefined },
  );

const open = (report: Report): readonly number[] =>
  report.steps.map((step) => step.cells.filter((cell) => cell.observed === 'open').length);

test('Stars as NetworkPolicy opens and closes what the short form does, packet by packet', async () => {
  const file = 'test/lab/clusters/stars-networkpolicy.yaml';
  const report = await withLab((stage) => proven(stage, true), file);
  expect([report.outcome, report.steps.flatMap((step) => step.findings)]).toEqual(['pass', []]);
  // 8 tasks, 5 classes of traffic: of 280 cells 4 × 2 × 5 within networks; then 8 less within the UI's,
  // 24 more from it and to it; then 2 × 4 more on one port.
  expect(open(report)).toEqual([40, 56, 64]);
});

test('policies of calicoctl 1.x select by labels, and a policy for all() leaves the controls alone', async () => {
  const { report, left } = await withLab(async (stage) => {
    const made = await proven(stage, false);
    return { report: made, left: await stage.lab.call('read', { key: keys.tier(controlTier) }) };
  }, 'test/lab/clusters/roles.yaml');
  expect([report.outcome, report.steps.flatMap((step) => step.findings)]).toEqual(['pass', []]);
  const [step] = report.steps;
  const names = (of: 'from' | 'to', cell: { readonly from: number; readonly to: number }) =>
    report.tasks[cell[of]]!.network;
  const into = step!.cells.filter((cell) => cell.observed === 'open' && names('to', cell) === 'db');
  expect([...new Set(into.map((cell) => `${names('from', cell)} ${step!.traffic[cell.traffic]!.name}`))]).toEqual([
    'web tcp 5432',
  ]);
  // What the verification needed besides is gone with its tasks.
  expect(left).toEqual({});
});
