import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepText, summaryText } from '../../../modules/report/terminal.ts';
import { styleOf, type Style } from '../../../modules/report/style.ts';
import { columns } from '../../../modules/report/text.ts';
import type { Outcome, Report, Verdict } from '../../../modules/verify/report.ts';
import {
  deadListener,
  hole,
  hostileSample,
  largeShape,
  lostBetweenHosts,
  sample,
  slow,
  smallShape,
  starsShape,
} from './sample.ts';

const plain: Style = { colour: false, width: 80 };
const wide: Style = { colour: false, width: 140 };
const all = (report: Report, style: Style): string =>
  [...report.steps.map((_, index) => stepText(report, index, style)), summaryText(report, style)].join('\n');

/** The matrix of what was observed, in all its parts. */
const observed = (text: string): string =>
  text
    .split('\n\n')
    .filter((part) => part.includes('OBSERVED'))
    .join('\n');

/** Made once: it has 150,000 cells. */
const large = sample(largeShape, hole);

const scenarios: readonly [string, () => Report][] = [
  ['all right', () => sample(starsShape)],
  ['a hole', () => sample(starsShape, hole)],
  ['a dead listener', () => sample(starsShape, deadListener)],
  ['a slow change', () => sample(starsShape, slow)],
  ['packets lost between hosts', () => sample(starsShape, lostBetweenHosts)],
  ['a hundred tasks', () => large],
  ['hostile names', hostileSample],
];

describe('the terminal', () => {
  it.each<[string, () => Report, Style]>([
    ['right.80.txt', () => sample(starsShape), plain],
    ['right.140.txt', () => sample(starsShape), wide],
    ['hole.80.txt', () => sample(starsShape, hole), plain],
    ['dead-listener.80.txt', () => sample(starsShape, deadListener), plain],
    ['slow.80.txt', () => sample(starsShape, slow), plain],
    ['lost-between-hosts.140.txt', () => sample(starsShape, lostBetweenHosts), wide],
    ['hundred-tasks.80.txt', () => large, plain],
  ])('looks like this: %s', async (name, make, style) => {
    const report = make();
    const text = `${stepText(report, 2, style)}\n${summaryText(report, style)}`;
    await expect(text).toMatchFileSnapshot(`../../golden/report/${name}`);
  });

  it.each(scenarios)('keeps to its width, commands aside: %s', (_, make) => {
    const report = make();
    for (const width of [60, 80, 140]) {
      const lines = all(report, { colour: false, width }).split('\n');
      const long = lines.filter((line) => columns(line) > width && !line.includes('calicoctl'));
      expect(long).toEqual([]);
    }
  });

  it.each(scenarios)('says the same with colour as without: %s', (_, make) => {
    const report = make();

    const stripped = all(report, { colour: true, width: 80 }).replace(/\u001b\[[0-9;]*m/g, '');
    const trim = (text: string): string => text.replace(/ +$/gm, '');
    expect(trim(stripped)).toBe(trim(all(report, plain)));
  });

  it('lets no control character through', () => {
    expect(all(hostileSample(), plain)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('shows any cell that is not right, without colour, and never as passing', () => {
    const right = sample(smallShape);
    const step = right.steps[2]!;
    const cell = fc.record({
      index: fc.nat(step.cells.length - 1),
      outcome: fc.constantFrom<Outcome[]>('policy-wrong', 'infrastructure-broken', 'slow'),
      observed: fc.constantFrom<Verdict[]>('open', 'refused', 'dropped', 'rejected', 'broken'),
    });
    const marks: Record<Outcome, string> = { 'policy-wrong': '!!', 'infrastructure-broken': '??', slow: '~', pass: '' };
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 12 }), fc.constantFrom(60, 80, 140), (faults, width) => {
        const cells = step.cells.map((one, index) => {
          const fault = faults.find((each) => each.index === index);
          return fault ? { ...one, observed: fault.observed, outcome: fault.outcome } : one;
        });
        const report = { ...right, steps: [{ ...step, cells }] };
        const text = stepText(report, 0, { colour: false, width });
        const outcomes = new Set(cells.map((one) => one.outcome));
        // The matrix itself marks the worst; a mark that a worse one hides stands among the differences.
        const worst = outcomes.has('policy-wrong')
          ? 'policy-wrong'
          : outcomes.has('infrastructure-broken')
            ? 'infrastructure-broken'
            : 'slow';
        expect(observed(text)).toContain(marks[worst]);
        for (const outcome of outcomes) expect(text).toContain(marks[outcome]);
        expect(text).toContain(`${String(new Set(faults.map((each) => each.index)).size)} cell`);
      }),
      { numRuns: 150 },
    );
  });

  it('tells one of each kind, however many there are of another', () => {
    const right = sample(smallShape);
    const step = right.steps[2]!;
    // Found by the property above once: ten stories, the last of them a late answer.
    const wrong = [0, 10, 75, 31, 6, 1, 25].map((index) => [index, 'policy-wrong', 'open'] as const);
    const faults = [
      ...wrong,
      [2, 'policy-wrong', 'refused'],
      [3, 'policy-wrong', 'dropped'],
      [4, 'infrastructure-broken', 'open'],
      [76, 'slow', 'open'],
    ] as const;
    const cells = step.cells.map((one, index) => {
      const fault = faults.find((each) => each[0] === index);
      return fault ? { ...one, outcome: fault[1], observed: fault[2] } : one;
    });
    const text = stepText({ ...right, steps: [{ ...step, cells }] }, 0, { colour: false, width: 60 });
    expect(text).toContain('but late');
  });

  it('never counts a broken denial as nothing passing', () => {
    const text = observed(stepText(sample(starsShape, deadListener), 2, wide));
    const backend = text.split('\n').find((line) => line.trimStart().startsWith('backend'));
    expect(backend).toContain('?? broken: tcp 9000');
  });

  it('splits a network only where its tasks differ', () => {
    const rows = (report: Report): string[] =>
      observed(stepText(report, 2, wide))
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)[0]!)
        .filter((label) => /^[a-z]/.test(label));
    expect(rows(sample(starsShape, hole))).toEqual(
      expect.arrayContaining(['backend@general-2', 'backend@general-{1,3}', 'client']),
    );
    // Where every task is hit alike, rows stay whole and the cell tells same host from across hosts.
    const lost = stepText(sample(starsShape, lostBetweenHosts), 2, wide);
    expect(lost).not.toContain('client@general-1  ');
    expect(lost).toContain('across hosts: !! -; same host: tcp 9000');
  });

  it('limits what it lists, and says how much it left out', () => {
    const text = stepText(sample(largeShape, lostBetweenHosts), 2, plain);
    expect(text).toMatch(/and [\d,]+ more/);
    expect(text.split('\n').length).toBeLessThan(140);
  });

  it('says so when nothing was probed', () => {
    const right = sample(smallShape);
    const steps = [{ ...right.steps[0]!, cells: [], controls: [], outcome: 'infrastructure-broken' as const }];
    const text = stepText({ ...right, steps }, 0, plain);
    expect(text).toContain('?? No cell was probed.');
    expect(text).toContain('?? controls');
    expect(text).not.toContain('✓');
  });

  it('adds up: rules decide as many cells as there are', () => {
    const text = stepText(sample(starsShape), 2, plain);
    const table = text.slice(text.indexOf('decided by'));
    const counts = [...table.matchAll(/^ +([\d,]+) {2}/gm)].map((match) => Number(match[1]!.replace(',', '')));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(660);
  });
});

describe('the style', () => {
  const terminal = { isTTY: true, columns: 120 };
  it.each<[string, { isTTY?: boolean; columns?: number }, Record<string, string>, Style]>([
    ['colour on a terminal', terminal, {}, { colour: true, width: 120 }],
    ['plain elsewhere', {}, {}, { colour: false, width: 100 }],
    ['NO_COLOR on a terminal', terminal, { NO_COLOR: '1' }, { colour: false, width: 120 }],
    ['an empty NO_COLOR does not count', terminal, { NO_COLOR: '' }, { colour: true, width: 120 }],
    ['FORCE_COLOR elsewhere', {}, { FORCE_COLOR: '1' }, { colour: true, width: 100 }],
    ['FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, { colour: false, width: 120 }],
    ['NO_COLOR wins', {}, { NO_COLOR: '1', FORCE_COLOR: '1' }, { colour: false, width: 100 }],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, { colour: false, width: 120 }],
    ['a very narrow one', { isTTY: true, columns: 12 }, {}, { colour: true, width: 40 }],
  ])('%s', (_, stream, env, style) => {
    expect(styleOf(stream, env)).toEqual(style);
  });
});
