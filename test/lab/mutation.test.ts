/**
 * The verifier, tested: whatever is broken in the lab must come out, in the right class, and named; what is not broken
 * must stay green. After each fault the lab is healed, and a green table proves that.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openBench, type Bench } from './bench.ts';
import { faults, harmless, type Fault } from './faults.ts';
import { closeLab } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  return () => closeLab(bench.stage);
});

/** Verifies with the fault in place, then heals, and proves that too. */
async function under({ breakIt, when }: Pick<Fault, 'breakIt' | 'when'>) {
  let heal: Awaited<ReturnType<Fault['breakIt']>>;
  const inject = async (): Promise<void> => {
    heal = await breakIt(bench);
  };
  const begin = performance.now();
  try {
    const report = await (when === undefined
      ? bench.look({ hooks: { launched: inject } })
      : bench.look({
          walk: true,
          hooks: when === 'before the change' ? { beforeChange: inject } : { afterChange: inject },
        }));
    return { report, step: report.steps.at(-1)!, ms: performance.now() - begin };
  } finally {
    await heal?.();
    await bench.heal();
    const healed = await bench.look();
    expect(
      healed.steps.flatMap((step) => step.findings),
      'after healing',
    ).toEqual([]);
    expect(healed.outcome, 'after healing').toBe('pass');
  }
}

test('without a fault all is green, the change of policy too', async () => {
  const report = await bench.look({ walk: true });
  expect(report.steps.flatMap((step) => step.findings)).toEqual([]);
  expect(report.outcome).toBe('pass');
  expect(report.steps.map((step) => step.cells.length)).toEqual([432, 432]);
});

describe('found, and put in its class', () => {
  for (const fault of faults) {
    test(`${fault.outcome}: ${fault.name}`, async () => {
      const { report, step, ms } = await under(fault);
      expect(step.findings.join('\n')).toMatch(fault.names);
      expect(report.outcome, step.findings.join('\n')).toBe(fault.outcome);
      expect(step.findings.some((finding) => finding.startsWith(fault.outcome))).toBe(true);
      // However much hangs, a verification ends: by its limits, not by luck.
      expect(ms).toBeLessThan(20_000);
    });
  }
});

describe('no fault, and green', () => {
  for (const change of harmless) {
    test(change.name, async () => {
      const { report, step } = await under(change);
      expect(step.findings).toEqual([]);
      expect(report.outcome).toBe('pass');
    });
  }
});

// The lab does not start its own helpers again, so these come last, and in this order: listeners are asked first.
describe('found, but past healing', () => {
  for (const [name, program, finding] of [
    ['the prober is dead', 'lab/probe.js', /infrastructure-broken: .*probe (ended|is not running)/],
    ['the listeners are dead', 'lab/serve.js', /infrastructure-broken: .*serve (ended|is not running)/],
  ] as const) {
    test(name, async () => {
      const report = await bench.look({ hooks: { launched: () => bench.kill(program) } });
      expect(report.steps.flatMap((step) => step.findings).join('\n')).toMatch(finding);
      expect(report.outcome).toBe('infrastructure-broken');
      expect(report.steps.flatMap((step) => step.cells).filter((cell) => cell.outcome === 'pass')).toEqual([]);
    });
  }
});
