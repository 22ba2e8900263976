import { describe, expect, it } from 'vitest';
import { junit } from '../../../modules/report/junit.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { deadListener, hole, hostileSample, sample, slow, smallShape, starsShape } from './sample.ts';
import { all, parse, type Element } from './xml.ts';

const read = (report: Report): Element => parse(junit(report));
const cases = (suites: Element, group: string): Element[] =>
  all(suites, 'testcase').filter((one) => one.attributes['classname']!.endsWith(`.${group}`));
const trouble = (one: Element): Element | undefined => one.children[0];

describe('junit', () => {
  it('has a case per step, source network, target network and traffic class', () => {
    const suites = read(sample(starsShape));
    expect(cases(suites, 'matrix')).toHaveLength(3 * 4 * 4 * 5);
    expect(cases(suites, 'controls')).toHaveLength(3 * 2 * 2);
    expect(cases(suites, 'convergence')).toHaveLength(2);
    expect(cases(suites, 'expectations')).toHaveLength(3);
    expect(suites.attributes).toMatchObject({ failures: '0', errors: '0', skipped: '0' });
    expect([...all(suites, 'failure'), ...all(suites, 'error')]).toEqual([]);
  });

  it.each<[string, () => Report]>([
    ['a hole', () => sample(starsShape, hole)],
    ['a dead listener', () => sample(starsShape, deadListener)],
    ['a slow change', () => sample(starsShape, slow)],
    ['hostile names', hostileSample],
  ])('counts what it holds: %s', (_, make) => {
    const report = make();
    const suites = read(report);
    for (const counted of [suites, ...all(suites, 'testsuite')]) {
      expect(Number(counted.attributes['tests'])).toBe(all(counted, 'testcase').length);
      expect(Number(counted.attributes['failures'])).toBe(all(counted, 'failure').length);
      expect(Number(counted.attributes['errors'])).toBe(all(counted, 'error').length);
    }
    const groups = new Set(
      report.steps.flatMap((step, index) =>
        step.cells
          .filter((cell) => cell.outcome !== 'pass')
          .map(({ from, to, traffic }) =>
            [index, report.tasks[from]!.network, report.tasks[to]!.network, traffic].join('\n'),
          ),
      ),
    );
    expect(cases(suites, 'matrix').filter(trouble)).toHaveLength(groups.size);
  });

  it('calls a wrong policy and a late one a failure, and what could not be found out an error', () => {
    const kinds = (report: Report): Set<string> =>
      new Set(
        all(read(report), 'testcase')
          .flatMap((one) => trouble(one) ?? [])
          .map((one) => `${one.name} ${one.attributes['type']!}`),
      );
    expect(kinds(sample(starsShape, hole))).toEqual(new Set(['failure policy-wrong']));
    expect(kinds(sample(starsShape, slow))).toEqual(new Set(['failure slow']));
    expect(kinds(sample(starsShape, deadListener))).toEqual(new Set(['error infrastructure-broken']));
  });

  it('is red when only the step or only the run says so', () => {
    const right = sample(smallShape);
    const run = read({ ...right, outcome: 'infrastructure-broken', verdict: 'No agent answered.' });
    expect(run.attributes).toMatchObject({ failures: '0', errors: '1' });
    const steps = right.steps.map((step) => ({ ...step, cells: [], outcome: 'policy-wrong' as const }));
    expect(read({ ...right, steps }).attributes).toMatchObject({ failures: '3' });
  });

  it('says what happened, why, and how to try it', () => {
    const bad = trouble(cases(read(sample(starsShape, hole)), 'matrix').find(trouble)!)!;
    expect(bad.attributes['message']).toBe(
      'client -> backend tcp 9000: 3 of 9 cells not as expected; ' +
        'client@general-1 -> backend@general-2: expected deny, observed open',
    );
    expect(bad.text).toContain('why: no inbound rule of backend matches');
    expect(bad.text).toContain(
      "try: npm run lab -- exec client@general-1 -- timeout 2 bash -c '</dev/tcp/192.168.1.5/9000 && echo open'",
    );
    expect(bad.text).toContain('calicoctl profile frontend rule add inbound');
  });

  it('keeps hostile names as plain text', () => {
    const suites = read(hostileSample());
    const names = all(suites, 'testsuite').map((suite) => suite.attributes['name']);
    expect(names[0]).toBe('1 </script><script>alert(1)</script>');
    expect(names[1]).toBe('2 ]]>"\'&amp;<b>');
    expect(all(suites, 'script')).toEqual([]);
  });

  it('looks like this', async () => {
    await expect(junit(sample(smallShape, hole))).toMatchFileSnapshot('../../golden/report/hole.junit.xml');
  });
});
