import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../modules/policy/model.ts';
import { findings } from '../../../modules/verify/findings.ts';
import type { Cell, Control } from '../../../modules/verify/report.ts';

/** Six tasks: client, frontend and backend on two hosts. */
const tasks = ['client', 'frontend', 'backend'].flatMap((network) => ['n1', 'n2'].map((node) => ({ network, node })));
const traffic = ['tcp 80', 'tcp 81', 'udp'];
const names = {
  task: (index: number) => `${tasks[index]!.network}@${tasks[index]!.node}`,
  network: (index: number) => tasks[index]!.network,
  node: (index: number) => tasks[index]!.node,
  traffic: (index: number) => traffic[index]!,
};
const rule = {
  action: 'allow',
  protocol: 'tcp',
  from: { tag: 'client' },
  to: { ports: [{ from: 80, to: 80 }] },
} as const;
const admitted = (profile: string): Decision => ({
  allow: true,
  outbound: {
    direction: 'outbound',
    allow: true,
    because: { kind: 'rule', profile: 'client', position: 1, rule: { action: 'allow', from: {}, to: {} } },
  },
  inbound: { direction: 'inbound', allow: true, because: { kind: 'rule', profile, position: 2, rule } },
});
const cell = (
  from: number,
  to: number,
  kind = 0,
  because: Decision = admitted('backend'),
  rest: Partial<Cell> = {},
): Cell => ({
  from,
  to,
  traffic: kind,
  expected: 'allow',
  because,
  observed: 'dropped',
  ms: 500,
  outcome: 'policy-wrong',
  note: 'policy admits it',
  ...rest,
});
const say = (cells: readonly Cell[], controls: readonly Control[] = []): string[] => findings(cells, controls, names);

describe('what cells have in common', () => {
  test('one cell: both tasks, the traffic, and the rule that should have decided', () => {
    expect(say([cell(0, 5)])).toEqual([
      'policy-wrong: expected allow, observed dropped in 1 cell, all from client@n1, all to backend@n2, all on tcp 80: policy admits it (allowed by backend inbound rule 2 (allow tcp from tag client to ports 80))',
    ]);
  });

  test('a network, where no single task is shared', () => {
    expect(say([cell(0, 4, 0), cell(1, 4, 1), cell(2, 4, 2)])[0]).toContain('in 3 cells, all to backend@n1: ');
    expect(say([cell(0, 4), cell(0, 5, 1), cell(1, 5, 1)])[0]).toContain('all from client@n1 or client@n2');
  });

  test('a host, where no network is', () => {
    const cells = [cell(0, 1), cell(0, 3), cell(2, 5), cell(4, 3), cell(2, 1)];
    expect(say(cells)[0]).toContain('all from n1, all to n2');
  });

  test('a task that is at one end or the other of each', () => {
    expect(say([cell(0, 3), cell(3, 5), cell(4, 3), cell(3, 1)])[0]).toContain('all from or to frontend@n2');
  });

  test('else each deciding rule has a sentence of its own', () => {
    const cells = [
      cell(0, 2, 0, admitted('frontend')),
      cell(1, 3, 0, admitted('frontend')),
      cell(1, 5),
      cell(2, 5),
      cell(3, 4),
    ];
    const sentences = say(cells);
    expect(sentences).toHaveLength(2);
    expect(sentences[0]).toMatch(/3 cells, all to backend@n2 or backend@n1.*backend inbound rule 2/);
    expect(sentences[1]).toMatch(/2 cells.*frontend inbound rule 2/);
  });

  test('cells that pass are not spoken of', () => {
    expect(say([cell(0, 1, 0, admitted('client'), { outcome: 'pass', observed: 'open' })])).toEqual([]);
  });

  test('two reasons are both said, more are counted', () => {
    const noted = (note: string, to: number): Cell => cell(0, to, 0, admitted('backend'), { note });
    expect(say([noted('one', 2), noted('two', 3)])[0]).toContain(': one; or two (');
    expect(say([noted('one', 2), noted('two', 3), noted('three', 4)])[0]).toContain(': one; or another of 3 reasons');
  });
});

describe('controls', () => {
  const control = (to: string, rest: Partial<Control> = {}): Control => ({
    kind: 'listener',
    from: 'n1',
    to,
    traffic: 'tcp 80',
    expected: 'open',
    observed: 'refused',
    ms: 1,
    when: 'before',
    ...rest,
  });

  test('each task whose controls failed is named once, with what was asked and what came', () => {
    expect(say([], [control('client@n1'), control('client@n1', { when: 'after' }), control('backend@n1')])).toEqual([
      'infrastructure-broken: client@n1 does not answer its own host n1 on tcp 80 (refused, before the table) (and 1 more of its listener controls)',
      'infrastructure-broken: backend@n1 does not answer its own host n1 on tcp 80 (refused, before the table)',
    ]);
  });

  test('what the prober said is said', () => {
    expect(say([], [control('client@n1', { observed: 'broken', note: 'x answered' })])[0]).toContain(
      '(broken: x answered, ',
    );
  });

  test('more than a few are counted', () => {
    const many = [...Array(11).keys()].map((index) => control(`t${index}@n1`));
    const sentences = say([], many);
    expect(sentences).toHaveLength(9);
    expect(sentences.at(-1)).toBe('infrastructure-broken: the controls of 3 more tasks failed');
  });
});
