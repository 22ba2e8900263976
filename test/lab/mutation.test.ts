/**
 * The verifier, tested: whatever is broken in the lab must come out, in the right class, and named; what is not broken
 * must stay green. After each kind the lab is healed, and a green table proves that.
 *
 * All kinds take minutes, and `npm run mutate` tries them all. Here it is a sample, another one each day, or that of
 * MUTATE_SEED; MUTATE_ALL=1 takes all.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { randomFrom, shuffled } from '../../modules/verify/random.ts';
import { openBench, type Bench } from './bench.ts';
import { closeLab } from './harness.ts';
import { families, fatal, faults, harmless } from './kinds.ts';
import { alarms, survival, under } from './under.ts';

const seed = Number(process.env['MUTATE_SEED'] ?? Math.floor(Date.now() / 86_400_000));
const all = process.env['MUTATE_ALL'] === '1';
const random = randomFrom(seed);

/** As many of them, in the table's order. */
function sample<T>(items: readonly T[], count: number): readonly T[] {
  const taken = new Set(all ? items : shuffled(items, random).slice(0, count));
  return items.filter((item) => taken.has(item));
}

const chosen = Object.values(families).flatMap((family) => sample(family, 5));
const quiet = sample(harmless, 6);
process.stderr.write(
  `mutation: ${chosen.length} of ${faults.length} kinds of faults, ${quiet.length} of ${harmless.length} harmless ones, seed ${seed} (MUTATE_SEED)\n`,
);

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  return () => closeLab(bench.stage);
});

test('the table has at least 60 kinds of faults, each with a name of its own', () => {
  const names = [...faults, ...fatal, ...harmless].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(faults.length).toBeGreaterThanOrEqual(60);
});

test('without a fault all is green, the change of policy too', async () => {
  const report = await bench.look({ walk: true });
  expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
  expect(report.outcome).toBe('pass');
  expect(report.steps.map((step) => step.cells.length)).toEqual([432, 432]);
});

describe('found, and put in its class', () => {
  for (const fault of chosen) {
    test(`${fault.outcome}: ${fault.name}`, async () => {
      const seen = await under(bench, fault);
      expect(survival(fault, seen)).toEqual([]);
      expect(seen.unhealed, 'after healing').toEqual([]);
    });
  }
});

describe('no fault, and green', () => {
  for (const change of quiet) {
    test(change.name, async () => {
      const seen = await under(bench, change);
      expect(alarms(seen)).toEqual([]);
      expect(seen.unhealed, 'after healing').toEqual([]);
    });
  }
});

describe('found, but past healing', () => {
  for (const fault of fatal) {
    test(fault.name, async () => {
      const seen = await under(bench, fault);
      expect(survival(fault, seen)).toEqual([]);
      expect(seen.report.steps.flatMap((step) => step.cells).filter((cell) => cell.outcome === 'pass')).toEqual([]);
    });
  }
});
