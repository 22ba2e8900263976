/** What counts as wrong when a verification is held against the truth: a proof that could not fail would be none. */
import { expect, test } from 'vitest';
import type { Cell, Outcome, Report, Verdict } from '../../../modules/verify/report.ts';
import type { Case, Truth } from '../../starve/cases.ts';
import { tally } from '../../starve/tally.ts';

type Said = readonly [expected: 'allow' | 'deny', observed: Verdict, outcome: Outcome];

function report(cells: readonly Said[], outcome: Outcome, findings: readonly string[] = []): Report {
  const decision = { allow: true, outbound: {}, inbound: {} } as unknown as Cell['because'];
  return {
    schema: 'mesos-calico/report/1',
    ...{ cluster: 'lab', target: 'lab', seed: 1, startedAt: '', ms: 1, stages: [], standIns: [], real: [] },
    tasks: ['client', 'backend'].map((network) => ({
      ...{ name: `${network}@general-1`, network, node: 'general-1', address: '10.0.0.1' },
    })),
    timeoutMs: 500,
    steps: [
      {
        ...{ title: '', file: undefined, commands: [], controls: [], expectations: [], convergence: undefined, ms: 1 },
        traffic: [{ protocol: 'tcp', name: 'tcp 9000', port: 9000, ports: [], sourcePorts: { from: 1, to: 2 } }],
        cells: cells.map(([expected, observed, one]) => ({
          ...{ from: 0, to: 1, traffic: 0, because: decision, ms: 1 },
          ...{ expected, observed, outcome: one },
        })),
        outcome,
        findings,
      },
    ],
    outcome,
    verdict: 'the verdict',
  };
}

const asked = (truth: Truth, fault?: Outcome): Case => ({
  name: 'a case',
  walk: false,
  truth: () => truth,
  ...(fault === undefined || fault === 'pass'
    ? {}
    : { fault: { name: 'a fault', outcome: fault, names: /over there/, breakIt: () => Promise.resolve(undefined) } }),
});

const pass: Said = ['allow', 'open', 'pass'];
const word = (...of: Parameters<typeof tally>): string => tally(...of).word;

test('a right cluster that is called right is right', () => {
  expect(tally(asked('right'), report([pass, ['deny', 'dropped', 'pass']], 'pass'))).toEqual({
    ...{ word: 'right', cells: 2, falseDenials: 0, falseAlarms: 0, missed: 0, unknown: 0, why: [] },
  });
});

test('a cell that is right and is called dropped is a false denial', () => {
  const one = tally(asked('right'), report([pass, ['allow', 'dropped', 'policy-wrong']], 'policy-wrong'));
  expect(one).toMatchObject({ word: 'wrong', falseDenials: 1, falseAlarms: 0 });
  expect(one.why).toEqual([
    'false denial: client@general-1 to backend@general-1 on tcp 9000: policy-wrong, expected allow, observed dropped',
  ]);
});

test('a denial that the second look takes back is a false one all the same', () => {
  expect(tally(asked('right'), report([['allow', 'open', 'slow']], 'slow'))).toMatchObject({
    ...{ word: 'wrong', falseDenials: 1 },
  });
});

test('a cell that is right and is called open against the policy is a false alarm', () => {
  expect(tally(asked('right'), report([['deny', 'open', 'policy-wrong']], 'policy-wrong'))).toMatchObject({
    ...{ word: 'wrong', falseAlarms: 1 },
  });
});

test('a wrong cell that passes, or is called late only, is missed', () => {
  for (const outcome of ['pass', 'slow'] as const) {
    const one = tally(asked('wrong', 'policy-wrong'), report([['deny', 'dropped', outcome]], outcome));
    expect(one).toMatchObject({ word: 'wrong', missed: 1 });
  }
});

test('a cell of which nobody can know, and that passes, is missed', () => {
  const one = tally(asked('unknown', 'infrastructure-broken'), report([pass], 'infrastructure-broken'));
  expect(one).toMatchObject({ word: 'wrong', missed: 1 });
});

test('a wrong cell that is called wrong is right only if the fault is named', () => {
  const cells: readonly Said[] = [['deny', 'open', 'policy-wrong']];
  const fault = asked('wrong', 'policy-wrong');
  expect(word(fault, report(cells, 'policy-wrong', ['policy-wrong: over there']))).toBe('right');
  expect(word(fault, report(cells, 'policy-wrong', ['policy-wrong: somewhere']))).toBe('wrong');
});

test('what could not be found out is neither right nor wrong', () => {
  const cells: readonly Said[] = [['allow', 'broken', 'infrastructure-broken']];
  const honest = report(cells, 'infrastructure-broken', ['infrastructure-broken: over there']);
  expect(tally(asked('right'), honest)).toMatchObject({ word: 'unknown', unknown: 1 });
  expect(tally(asked('wrong', 'policy-wrong'), honest)).toMatchObject({ word: 'unknown', unknown: 1 });
  expect(word(asked('unknown', 'infrastructure-broken'), honest)).toBe('right');
  expect(word(asked('right'), report([], 'infrastructure-broken'))).toBe('unknown');
});

test('a change that came late is slow, and a run that ends before its last step is no right one', () => {
  expect(word(asked('right'), report([pass], 'slow'))).toBe('slow');
  expect(word({ ...asked('right'), walk: true }, report([pass], 'pass'))).toBe('wrong');
});

test('a right cluster that is called wrong without a wrong cell is an alarm', () => {
  expect(word(asked('right'), report([pass], 'policy-wrong'))).toBe('wrong');
});
