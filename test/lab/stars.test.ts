import { expect, test } from 'vitest';
import { readPolicies } from '../../modules/verify/documents.ts';
import { verify } from '../../modules/verify/run.ts';
import { withLab } from './harness.ts';

test('Stars holds in all its three steps, packet by packet', async () => {
  const report = await withLab(({ target, cluster, host }) =>
    verify(
      target,
      { cluster, documents: readPolicies(cluster), walk: true, seed: 1, host, startedAt: new Date(), stages: [] },
      { stage: () => undefined, step: () => undefined },
    ),
  );
  expect(report.steps.map((step) => step.findings)).toEqual([[], [], []]);
  expect(report.outcome).toBe('pass');
  // 12 tasks ask 11 others in 5 classes of traffic; a table that lost cells would not be 660.
  expect(report.steps.map((step) => step.cells.length)).toEqual([660, 660, 660]);
  expect(report.steps.map((step) => step.cells.filter((cell) => cell.observed === 'open').length)).toEqual([
    120, 150, 168,
  ]);
});
