/** A change of policy: in time, late, never, and what is to blame. */
import { describe, expect, test } from 'vitest';
import type { Report, StepReport } from '../../../modules/verify/report.ts';
import { FakeTarget, fails, isolated, oneWay, run, type Script } from './fake.ts';

const silent = { verdict: 'dropped', arrived: false } as const;
/** The last of two steps; by default the policy opens nine cells. */
async function change(script: Script, texts: readonly string[] = [isolated, oneWay]): Promise<StepReport> {
  const report: Report = await run(new FakeTarget(script), texts);
  return report.steps.at(-1)!;
}

describe('in time', () => {
  test('cells that open and cells that close are both watched, and timed from the write', async () => {
    const opens = await change({ lagMs: 20 });
    expect(opens.outcome).toBe('pass');
    expect(opens.convergence!.opened.slowestMs).toBeGreaterThanOrEqual(19);
    // Long enough for a busy machine to ask before it closes.
    const closes = await change({ lagMs: 150 }, [oneWay, 'title: Closed\nprofiles:\n  backend:\n    inbound: []\n']);
    expect(closes.outcome).toBe('pass');
    expect(closes.convergence!.closed.cells).toBeGreaterThan(0);
    expect(closes.convergence!.closed.slowestMs).toBeGreaterThan(0);
  });
});

describe('late', () => {
  test('right in the end but over the budget is slow', async () => {
    const step = await change({ lagMs: 300 });
    expect(step.outcome).toBe('slow');
    expect(step.findings[0]).toMatch(/^slow: 9 cells changed later than 200 ms$/);
    expect(step.cells.every((cell) => cell.outcome === 'pass')).toBe(true);
  });

  test('what changes only after it was given up is slow too, if the table finds it right', async () => {
    // Rounds ask a few cells, tables all.
    const step = await change({
      answer: ({ from, to }, _, __, size) =>
        size < 20 && from.startsWith('client') && to.startsWith('backend') ? silent : undefined,
    });
    expect(step.convergence!.outcome).toBe('slow');
    expect(step.findings[0]).toContain('did not change within 0.5 s');
  });
});

describe('never', () => {
  const stuckCell: Script['answer'] = ({ from, to, port }) =>
    from === 'client@general-1' && to === 'backend@general-3' && port === 9000 ? silent : undefined;

  test('a cell that never follows, though the agents say that they are done, is wrong and named', async () => {
    const step = await change({ answer: stuckCell });
    expect(step.convergence!.outcome).toBe('policy-wrong');
    expect(step.findings[0]).toBe(
      'policy-wrong: client@general-1 to backend@general-3 on tcp 9000 did not change within 0.5 s, though every agent says it is done',
    );
    expect(step.convergence!.opened.slowestMs).toBeUndefined();
  });

  test('when its listener is dead, that is no word about policy', async () => {
    const step = await change({
      answer: ({ to, port }, right) =>
        to === 'backend@general-3' && port === 9000 && right.verdict === 'open'
          ? { verdict: 'refused', arrived: false }
          : undefined,
    });
    expect(step.convergence!.outcome).toBe('infrastructure-broken');
    expect(step.outcome).toBe('infrastructure-broken');
  });

  test('an agent that never programs it is named, and its host is unknown, not wrong', async () => {
    const step = await change({ stuck: { nodes: ['general-3'], from: 2 } });
    expect(step.outcome).toBe('infrastructure-broken');
    expect(step.findings[0]).toBe(
      'infrastructure-broken: the Calico agent of general-3 has not programmed the change within 0.5 s',
    );
    expect(step.convergence!.programmedMs).toBeUndefined();
  });

  test('wrong elsewhere is still wrong while an agent is behind', async () => {
    const step = await change({
      stuck: { nodes: ['general-3'], from: 2 },
      answer: ({ from, to }) =>
        from === 'backend@general-1' && to === 'client@general-2' ? { verdict: 'open' } : undefined,
    });
    expect(step.outcome).toBe('policy-wrong');
    expect(step.findings.join('\n')).toMatch(
      /expected deny, observed open.*all from backend@general-1, all to client@general-2/,
    );
  });
});

describe('only silence is closed', () => {
  const closing = [oneWay, isolated.replace('\n', '\nprofiles:\n  backend:\n    inbound: []\n')];
  for (const verdict of ['refused', 'rejected', 'broken'] as const) {
    test(`${verdict} is not`, async () => {
      const step = await change(
        {
          answer: ({ from, to, port }, right) =>
            from === 'client@general-1' && to === 'backend@general-2' && port === 9000 && right.verdict === 'dropped'
              ? { verdict }
              : undefined,
        },
        closing,
      );
      expect(step.convergence!.closed.slowestMs).toBeUndefined();
      expect(step.outcome).toBe(verdict === 'broken' ? 'infrastructure-broken' : 'policy-wrong');
    });
  }

  test('a UDP request that still arrives is not', async () => {
    const step = await change(
      {
        answer: ({ from, to, protocol }, right) =>
          from === 'backend@general-1' &&
          to === 'backend@general-2' &&
          protocol === 'udp' &&
          right.verdict === 'dropped'
            ? { arrived: true }
            : undefined,
      },
      closing,
    );
    expect(step.convergence!.closed.slowestMs).toBeUndefined();
    expect(step.outcome).toBe('policy-wrong');
  });
});

describe('when the target fails', () => {
  test('a prober that fails while the change spreads is told, and the table is taken', async () => {
    let failed = false;
    const step = await change({
      batch: (answers, batch) => {
        if (batch !== 4 || failed) return answers;
        failed = true;
        return fails('the prober hangs');
      },
    });
    expect(step.findings).toEqual(['infrastructure-broken: the prober hangs']);
    expect(step.cells.every((cell) => cell.outcome === 'pass')).toBe(true);
    expect(step.outcome).toBe('infrastructure-broken');
  });

  test('any other error is a bug and goes on', async () => {
    const bug = { batch: () => fails('x') };
    const target = new FakeTarget(bug);
    target.probe = () => Promise.reject(new RangeError('a bug'));
    await expect(run(target)).rejects.toThrow('a bug');
  });
});
