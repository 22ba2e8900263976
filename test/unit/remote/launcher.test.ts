/** Which launcher can start the tasks of which cluster. */
import { expect, test } from 'vitest';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { unfit } from '../../../modules/remote/launcher.ts';

const unified = loadCluster('test/lab/clusters/unified-stars.yaml');

test('net-groups with --launcher docker: refused, and the networks are named', () => {
  const problem = unfit(unified, 'docker')!;
  expect(problem.code).toBe('verify-launcher');
  expect(problem.what).toContain('management-ui, client, frontend, backend');
});

test('Marathon starts them all, and Docker those of Docker networks', () => {
  expect(unfit(unified, 'marathon')).toBeUndefined();
  expect(unfit(loadCluster('test/lab/clusters/pair.yaml'), 'docker')).toBeUndefined();
});
