import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import { world } from './arbitrary.ts';

test('the random worlds are worth asking: rules decide, and every way to decide is met', () => {
  const met = new Map<string, number>();
  let both = 0;
  let allowed = 0;
  const asked = fc.sample(world, { numRuns: 200, seed: 5 }).flatMap(({ state, asks }) => {
    const { decide } = compileState(state);
    return asks.map(({ from, to, packet }) => decide(from, to, packet));
  });
  for (const { allow, outbound, inbound } of asked) {
    for (const { direction, allow: one, because } of [outbound, inbound]) {
      const way = `${direction} ${because.kind} ${one ? 'allow' : 'deny'}`;
      met.set(way, (met.get(way) ?? 0) + 1);
    }
    if (outbound.because.kind === 'rule' && inbound.because.kind === 'rule') both++;
    if (allow && inbound.because.kind !== 'own address') allowed++;
  }
  // Two directions of: a rule allows, a rule denies, no rule, no profile, a missing profile, an outsider, the own address.
  expect(met.size).toBe(14);
  expect(Math.min(...met.values())).toBeGreaterThan(20);
  expect(both).toBeGreaterThan(asked.length / 5);
  expect(allowed).toBeGreaterThan(asked.length / 10);
});
