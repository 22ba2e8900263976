/** Whole verifications of a cluster in memory: what must not come out green, and what each thing is called. */
import { describe, expect, test } from 'vitest';
import type { Observation, Probe } from '../../../modules/verify/target.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { FakeTarget, fails, isolated, oneWay, run, smallCluster, type Script } from './fake.ts';

const said = (report: Report): string => report.steps.flatMap((step) => step.findings).join('\n');
const of = (script: Script): Promise<Report> => run(new FakeTarget(script));
const silent = { verdict: 'dropped', arrived: false } as const;

describe('without a fault', () => {
  test('every cell of every step passes, and the change is timed both ways', async () => {
    const report = await run(new FakeTarget(), [isolated, oneWay, isolated.replace('Isolated', 'The same')]);
    expect(said(report)).toBe('');
    expect(report.outcome).toBe('pass');
    // Six tasks, five others, three classes: tcp 9000, tcp other, and one each of udp and icmp.
    expect(report.steps.map((step) => step.cells.length)).toEqual([120, 120, 120]);
    expect(report.steps[1]!.convergence).toMatchObject({
      opened: { cells: 9, sampled: 9 },
      closed: { cells: 0 },
      outcome: 'pass',
    });
  });

  test('a step that changes nothing writes nothing, and its table is taken all the same', async () => {
    const target = new FakeTarget();
    const report = await run(target, [isolated, isolated]);
    expect(target.writes[1]).toEqual([]);
    expect(report.outcome).toBe('pass');
    expect(report.steps[1]!.cells.length).toBe(report.steps[0]!.cells.length);
    expect(report.steps[1]!.convergence).toMatchObject({ opened: { cells: 0 }, closed: { cells: 0 } });
  });
});

describe('what packets do', () => {
  test('a denial that lets packets through is wrong, and the finding names task and rule', async () => {
    const report = await of({
      answer: ({ from, to }) =>
        from === 'client@general-1' && to === 'backend@general-2' ? { verdict: 'open' } : undefined,
    });
    expect(report.outcome).toBe('policy-wrong');
    expect(said(report)).toMatch(
      /policy-wrong: expected deny, observed open in \d+ cells, all from client@general-1, all to backend@general-2: policy forbids it \(denied: no inbound rule of backend matched\)/,
    );
  });

  test('a right answer at the second look is slow, never green', async () => {
    const seen = new Set<string>();
    const report = await of({
      answer: ({ from, to, protocol }) => {
        if (from !== 'client@general-1' || to !== 'client@general-2' || protocol !== 'udp' || seen.has('once'))
          return undefined;
        seen.add('once');
        return silent;
      },
    });
    expect(report.outcome).toBe('slow');
    expect(said(report)).toContain('right at the second look');
  });

  test('a probe that nobody answered for is broken', async () => {
    const report = await of({ batch: (answers) => answers.slice(0, -1) });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toContain('the probe was not answered for');
  });

  test("another's answer is broken, whether policy admits or not", async () => {
    const report = await of({
      answer: ({ to, protocol }) =>
        to === 'backend@general-1' && protocol === 'tcp'
          ? { verdict: 'broken', note: 'client@general-3 answered' }
          : undefined,
    });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toContain('client@general-3 answered');
    const to = report.tasks.findIndex(({ name }) => name === 'backend@general-1');
    expect(report.steps[0]!.cells.filter((cell) => cell.to === to && cell.outcome === 'pass')).toEqual([]);
  });

  test('a dead listener does not pass for a denial', async () => {
    const dead = ({ to, port }: Probe, right: Observation) =>
      to === 'client@general-1' && port === 9000 && right.verdict === 'open'
        ? { verdict: 'refused' as const, arrived: false }
        : undefined;
    const report = await of({ answer: dead });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toMatch(/client@general-1 does not answer its own host general-1 on tcp 9000 \(refused/);
    const to = report.tasks.findIndex(({ name }) => name === 'client@general-1');
    const denied = report.steps[0]!.cells.filter((cell) => cell.to === to && cell.expected === 'deny');
    expect(
      denied.filter((cell) => report.steps[0]!.traffic[cell.traffic]!.name === 'tcp 9000').map((cell) => cell.observed),
    ).toEqual(Array(3).fill('broken'));
  });

  test('a broken path for just one port does not pass for denials on it', async () => {
    const eaten = ({ from, to, port, protocol }: Probe) =>
      protocol === 'tcp' && port === 9001 && from.endsWith('@general-1') && to.endsWith('@general-2')
        ? silent
        : undefined;
    const report = await of({ answer: eaten });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toMatch(/no tcp 9001 from verify-control@general-1 to verify-control@general-2/);
  });

  test('broken on one path does not hide wrong on another, nor a leak on the same', async () => {
    const report = await of({
      answer: ({ from, to }) => {
        if (from === 'client@general-1' && to === 'backend@general-2') return { verdict: 'open' };
        if (from === 'client@general-3' && to === 'backend@general-3') return { verdict: 'open' };
        return from === 'verify-control@general-1' && to === 'verify-control@general-2' ? silent : undefined;
      },
    });
    expect(report.outcome).toBe('policy-wrong');
    expect(said(report)).toMatch(/policy-wrong: expected deny, observed open.*client@general-1 or client@general-3/);
    expect(said(report)).toMatch(/infrastructure-broken: no tcp \d+ from verify-control@general-1/);
  });

  test('a hiccup of a control is not forgiven by a good second look, and does not hide what that one finds', async () => {
    const report = await of({
      answer: ({ from, to, protocol }, _, batch) => {
        if (from === 'client@general-2' && to === 'client@general-1' && protocol === 'icmp') return silent;
        return batch === 1 && from === 'general-1' && to === 'client@general-1' ? silent : undefined;
      },
    });
    expect(report.steps[0]!.outcome).toBe('policy-wrong');
    expect(said(report)).toMatch(
      /policy-wrong: expected allow, observed dropped in 1 cell, all from client@general-2, all to client@general-1, all on icmp/,
    );
    expect(said(report)).toMatch(/infrastructure-broken: expected allow, observed open.*right at the second look/);
  });
});

describe('what the target fails to do', () => {
  test('a prober that fails breaks every cell, and is asked once only for each table', async () => {
    const target = new FakeTarget({ batch: () => fails('the prober hangs') });
    const report = await run(target, [isolated]);
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toContain('the prober hangs');
    expect(report.steps[0]!.cells.every((cell) => cell.outcome === 'infrastructure-broken')).toBe(true);
    expect(target.batches).toBe(1);
  });

  test('a prober that fails between two good controls passes nothing', async () => {
    const report = await of({ batch: (answers, batch) => (batch === 2 ? fails('the prober hangs') : answers) });
    expect(report.steps[0]!.outcome).toBe('infrastructure-broken');
    expect(report.steps[0]!.cells.filter((cell) => cell.outcome === 'pass')).toEqual([]);
  });

  test('tasks that do not start are a report, not a crash', async () => {
    const report = await of({ launch: () => fails('no machine left') });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toBe('infrastructure-broken: no machine left');
    expect(report.verdict).toContain('could not find out');
  });

  test('a task that is missing from those that started is named', async () => {
    const report = await of({ launch: (tasks) => tasks.filter(({ name }) => name !== 'client@general-2') });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toMatch(/client@general-2.* did not start/);
  });

  test('a first policy that cannot be written is a report too', async () => {
    const report = await of({ write: () => fails('etcd is gone') });
    expect(said(report)).toBe('infrastructure-broken: etcd is gone');
  });

  test('a change that is not written leaves all unknown; the next step writes everything anew', async () => {
    const target = new FakeTarget({ write: (number) => (number === 2 ? fails('etcd is gone') : undefined) });
    const report = await run(target, [isolated, oneWay, oneWay]);
    expect(report.steps.map((step) => step.outcome)).toEqual(['pass', 'infrastructure-broken', 'pass']);
    expect(report.steps[1]!.cells.filter((cell) => cell.outcome !== 'infrastructure-broken')).toEqual([]);
    expect(report.steps[1]!.findings[0]).toBe('infrastructure-broken: etcd is gone');
    expect(target.writes[2]).toEqual(target.writes[0]);
    expect(report.outcome).toBe('infrastructure-broken');
  });

  test('agents that are behind from the start are named, though every packet may be right', async () => {
    const report = await of({ stuck: { nodes: ['general-2'], from: 1 } });
    expect(report.steps[0]!.outcome).toBe('infrastructure-broken');
    expect(report.steps[0]!.findings[0]).toBe(
      'infrastructure-broken: the Calico agent of general-2 has not programmed the last change',
    );
    const on2 = report.tasks.flatMap(({ node }, index) => (node === 'general-2' ? [index] : []));
    for (const cell of report.steps[0]!.cells) {
      expect(cell.outcome === 'pass').toBe(!on2.includes(cell.from) && !on2.includes(cell.to));
    }
  });

  test('agents that cannot be asked leave all unknown', async () => {
    const report = await of({ programmed: () => fails('nobody knows') });
    expect(report.steps.map((step) => step.outcome)).toEqual(['infrastructure-broken', 'infrastructure-broken']);
    expect(said(report)).toContain('nobody knows');
  });
});

describe('what was not looked at', () => {
  test('nothing to probe is no pass', async () => {
    const report = await run(new FakeTarget(), [isolated], smallCluster({ networks: {} }));
    expect(report.steps[0]!.cells).toEqual([]);
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toContain('there was nothing to probe');
  });

  const one = (...expect: readonly string[]): string =>
    `title: Expected\nexpect:\n${expect.map((line) => `  - ${line}\n`).join('')}`;

  test('an expectation that speaks of nothing has not been met', async () => {
    const cluster = smallCluster();
    const single = {
      ...cluster,
      nodes: cluster.nodes.filter(({ name }) => !['general-2', 'general-3'].includes(name)),
    };
    const report = await run(new FakeTarget(), [one('allow client -> client')], single);
    expect(report.outcome).toBe('policy-wrong');
    expect(said(report)).toContain('1.yaml:3: "allow client -> client" speaks of nothing that could be probed');
  });

  test('an expectation that the policy does not keep is wrong, though packets do what the policy says', async () => {
    const report = await run(new FakeTarget(), [one('allow client -> backend', 'deny backend -> client')]);
    expect(report.outcome).toBe('policy-wrong');
    expect(said(report)).toBe('policy-wrong: 1.yaml:3: "allow client -> backend" is not what the policy says');
    expect(report.steps[0]!.expectations.map((own) => [own.evaluatorAgrees, own.packetsAgree])).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('an expectation is held against what no prober can send, too', async () => {
    const policy = `title: T\nprofiles:\n  backend:\n    inbound:\n      - allow icmp type 13 from tag client\nexpect:\n  - deny client -> backend icmp\n`;
    const report = await run(new FakeTarget(), [policy]);
    expect(said(report)).toContain('"deny client -> backend icmp" is not what the policy says');
  });
});

describe('at the end', () => {
  test('the tasks that were started are ended, once', async () => {
    const target = new FakeTarget();
    await run(target);
    expect(target.cleaned).toBe(1);
  });

  test('a launch that failed half-way is cleaned up, too', async () => {
    const target = new FakeTarget({ launch: () => fails('no room on general-2') });
    const report = await run(target);
    expect(report.outcome).toBe('infrastructure-broken');
    expect(target.cleaned).toBe(1);
  });

  test('tasks that could not be ended are a finding, and no pass', async () => {
    const report = await of({ cleanUp: () => fails('etcd takes no write') });
    expect(report.outcome).toBe('infrastructure-broken');
    expect(said(report)).toContain('the probe tasks could not be ended: etcd takes no write');
  });
});
