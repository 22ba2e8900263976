import { defineConfig } from 'vitest/config';

// Two projects: `unit` needs nothing but Node; `lab` builds real network namespaces and sends real packets.
export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: ['test/lab/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file brings up labs of its own, which do not know of each other and mostly wait; two fill two cores.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
