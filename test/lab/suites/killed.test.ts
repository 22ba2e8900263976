/** A verification that is killed at any moment leaves the cluster as it was before: tasks, addresses, policy, daemons. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCluster } from '../../../modules/cluster/load.ts';
import { hostsOf } from '../../../modules/lab/topology.ts';
import { isWell } from '../../../modules/lab/show.ts';
import { populate } from '../../../modules/verify/run.ts';
import { readPolicies } from '../../../modules/verify/documents.ts';
import { randomFrom } from '../../../modules/verify/random.ts';
import { differences } from '../../../modules/verify/suite/leaks.ts';
import { suites } from '../../../modules/verify/suite/list.ts';
import type { Views } from '../../../modules/verify/target.ts';
import { closeLab, openLab, type Stage } from '../harness.ts';
import { begin, until } from '../machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'killed-'));
let stage: Stage;
let before: Views;
beforeAll(async () => {
  const cluster = loadCluster('lab');
  stage = await openLab(cluster);
  // As `lab up` leaves it.
  await populate(stage.target, cluster, readPolicies(cluster), hostsOf(cluster));
  before = await stage.target.views();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeLab(stage);
});

const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 100_000);
const random = randomFrom(seed);
const tries = Number(process.env['KILL_TRIES'] ?? 2);

for (const { name } of suites) {
  test(`${name}, killed at ${tries} random moments (KILL_SEED=${seed})`, async () => {
    for (let once = 0; once < tries; once++) {
      const run = begin('verify', ['lab', '--name', stage.lab.name, '--suite', name, '--reports', folder]);
      await sleep(300 + random() * 3_000);
      try {
        process.kill(run.pid, 'SIGKILL');
      } catch {
        // It was done already: that has to leave as little.
      }
      await run.ended;
      await until(
        'the cluster is as before',
        async () =>
          differences(before, await stage.target.views()).every(({ left, gone }) => left.length + gone.length === 0) &&
          isWell(await stage.lab.call('status', {})),
        20_000,
      );
      expect(differences(before, await stage.target.views()).flatMap(({ left, gone }) => [...left, ...gone])).toEqual(
        [],
      );
    }
  });
}
