/**
 * Fuzzing of every parser: no crash, no hang, no wrong acceptance. A few thousand texts here; a million with
 *
 *     FUZZ_RUNS=1000000 npx vitest run --project unit test/unit/policy/fuzz
 *
 * FUZZ_RUNS is the number of texts for all parsers together, FUZZ_SEED any text; a failure names both.
 */
import { expect, test } from 'vitest';
import { parsers } from './parsers.ts';
import { fuzz } from './run.ts';

const total = Number(process.env['FUZZ_RUNS'] ?? 20_000);
const seed = process.env['FUZZ_SEED'] ?? '1';
const runs = Math.ceil(total / parsers.length);

test.each(parsers)('$name', { timeout: 30_000 + runs * 20 }, (parser) => {
  const start = performance.now();
  const failure = fuzz(parser, seed, runs);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (process.env['FUZZ_RUNS'] !== undefined) process.stdout.write(`${parser.name}: ${runs} texts in ${seconds} s\n`);
  const told =
    failure &&
    `${failure.fault}\n\n${JSON.stringify(failure.text)}\n\nFUZZ_SEED=${seed} FUZZ_RUNS=${total}, run ${failure.run}`;
  expect(told).toBeUndefined();
});
