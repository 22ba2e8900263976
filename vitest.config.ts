import { defineConfig } from 'vitest/config';

// What would take `npm test` beyond twenty minutes: kills at many moments, hours in small, nights, clusters in networks that
// exist, edits on GCE (`npm run test:long`).
const long = [
  'test/lab/docker-end.test.ts',
  'test/lab/nightly.test.ts',
  'test/lab/parallel.test.ts',
  'test/lab/remote-docker.test.ts',
  'test/lab/remote-doctor.test.ts',
  'test/lab/remote-leaks.test.ts',
  'test/lab/remote-turns.test.ts',
  'test/lab/starve.test.ts',
  'test/lab/suites/flows.test.ts',
  'test/lab/suites/killed.test.ts',
  'test/lab/suites/soak.test.ts',
];
const longDeploys = [
  'test/deploy/aws/existing.test.ts',
  'test/deploy/gce/edits.test.ts',
  'test/deploy/gce/existing.test.ts',
  'test/deploy/nightly.test.ts',
];

// `unit` needs nothing but Node; `lab` builds real network namespaces and sends real packets; `deploy` drives the real
// Terraform against stand-ins for the clouds; `page` opens reports in Chromium. Two more take long, and are run by themselves (`npm run test:machines`):
// `hosts` logs in to real sshds, `nodes` boots Debian with systemd and runs node scripts on it.
// `vagrant` makes real machines, and only with VAGRANT_LONG=1 (`npm run test:vagrant`).
export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000, maxWorkers: 2 } },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/e2e/*.test.ts'],
          exclude: long,
          globalSetup: ['test/lab/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file brings up labs of its own, which do not know of each other and mostly wait; two fill two cores.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/**/*.test.ts'],
          exclude: longDeploys,
          globalSetup: ['test/deploy/setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // They mostly wait for waits of the provider's own. After the lab: that one times packets, and these would
          // take the processor from it.
          maxWorkers: 6,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'page',
          include: ['test/page/**/*.test.ts'],
          globalSetup: ['test/page/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 6,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'long',
          include: [...long, ...longDeploys],
          globalSetup: ['test/lab/setup.ts', 'test/deploy/setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'hosts',
          include: ['test/e2e/hosts/**/*.test.ts'],
          globalSetup: ['test/lab/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // They wait for time-outs of SSH, and a starved machine is what they would take for a dead one.
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'nodes',
          include: ['test/nodes/**/*.test.ts'],
          globalSetup: ['test/nodes/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file boots nodes of its own, and installing packages in them fills a core.
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'vagrant',
          include: ['test/vagrant/**/*.test.ts'],
          globalSetup: ['test/vagrant/setup.ts'],
          // Emulated machines take minutes where others take seconds.
          testTimeout: 3_600_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
