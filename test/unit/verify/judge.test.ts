import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, worst } from '../../../modules/verify/judge.ts';
import type { Outcome, Verdict } from '../../../modules/verify/report.ts';

const verdicts: readonly Verdict[] = ['open', 'refused', 'dropped', 'rejected', 'broken'];
const none = { silence: undefined, anything: undefined };
const P = 'pass';
const W = 'policy-wrong';
const B = 'infrastructure-broken';

/** By verdict; a UDP request that arrived without an answer is a row of its own. */
const rows: readonly (readonly [string, Verdict, boolean])[] = [
  ['open', 'open', false],
  ['open, arrived', 'open', true],
  ['refused', 'refused', false],
  ['dropped', 'dropped', false],
  ['dropped, arrived', 'dropped', true],
  ['rejected', 'rejected', false],
  ['broken', 'broken', false],
];
const table: Readonly<Record<string, readonly Outcome[]>> = {
  //                             open open+ refu drop drop+ reje brok
  'admitted, nothing in doubt': [P, P, W, W, W, W, B],
  'admitted, silence in doubt': [B, B, B, B, B, B, B],
  'admitted, all in doubt': [B, B, B, B, B, B, B],
  'forbidden, nothing in doubt': [W, W, W, P, W, W, B],
  'forbidden, silence in doubt': [W, W, W, B, W, B, B],
  'forbidden, all in doubt': [B, B, B, B, B, B, B],
};

describe('every verdict has its judgement', () => {
  for (const [title, outcomes] of Object.entries(table)) {
    for (const [index, [name, verdict, arrived]] of rows.entries()) {
      test(`${title}: ${name} is ${outcomes[index]!}`, () => {
        const doubt = {
          silence: title.includes('silence') ? 'a bad control' : undefined,
          anything: title.includes('all') ? 'an agent is behind' : undefined,
        };
        const judged = judge(title.startsWith('admitted'), { verdict, arrived }, doubt);
        expect(judged.outcome).toBe(outcomes[index]);
        expect(judged.note === undefined).toBe(judged.outcome === 'pass');
      });
    }
  }
});

test('a listener that came to a request after the time-out says nothing of policy that admits, and all of one that forbids', () => {
  const seen = { verdict: 'dropped', arrived: true, late: true } as const;
  expect(judge(true, seen, none)).toEqual({
    ...{ observed: 'broken', outcome: 'infrastructure-broken' },
    note: 'the listener came to the request only after the time-out',
  });
  expect(judge(false, seen, none)).toMatchObject({ outcome: 'policy-wrong' });
});

test('whatever is in doubt does not pass, and a broken probe never does', () => {
  const text = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.constantFrom(...verdicts),
      fc.boolean(),
      text,
      text,
      (allowed, verdict, arrived, silence, anything) => {
        const { outcome } = judge(allowed, { verdict, arrived }, { silence, anything });
        if (silence !== undefined || anything !== undefined || verdict === 'broken') expect(outcome).not.toBe('pass');
      },
    ),
  );
});

test('a denial in doubt is shown as broken, not as the drop that it looks like', () => {
  const doubt = { ...none, silence: 'b does not answer its own host' };
  expect(judge(false, { verdict: 'dropped', arrived: false }, doubt)).toEqual({
    observed: 'broken',
    outcome: 'infrastructure-broken',
    note: 'b does not answer its own host',
  });
});

test('what the prober has to say of a broken probe is kept', () => {
  expect(judge(true, { verdict: 'broken', arrived: false, note: 'c answered' }, none).note).toBe('c answered');
});

test('wrong outranks unknown, unknown outranks slow, and nothing at all is no pass', () => {
  expect(worst(['pass', 'slow'])).toBe('slow');
  expect(worst(['slow', 'infrastructure-broken', 'pass'])).toBe('infrastructure-broken');
  expect(worst(['infrastructure-broken', 'policy-wrong', 'slow'])).toBe('policy-wrong');
  expect(worst(['pass', 'pass'])).toBe('pass');
  expect(worst([])).toBe('infrastructure-broken');
});
