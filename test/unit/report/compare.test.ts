import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare, ending, type Kind } from '../../../modules/report/compare.ts';
import { comparedText } from '../../../modules/report/compared.ts';
import { json } from '../../../modules/report/json.ts';
import { readReport } from '../../../modules/report/read.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import type { Cell, Report } from '../../../modules/verify/report.ts';
import { deadListener, hole, hostileSample, sample, slow, smallShape, starsShape } from './sample.ts';

const kinds = (before: Report, after: Report): Partial<Record<Kind, number>> => {
  const found: Partial<Record<Kind, number>> = {};
  for (const { kind } of compare(before, after).differences) found[kind] = (found[kind] ?? 0) + 1;
  return found;
};

const changed = (report: Report, change: (cell: Cell, index: number) => Cell | undefined): Report => ({
  ...report,
  steps: report.steps.map((step) => ({
    ...step,
    cells: step.cells.flatMap((cell, index) => change(cell, index) ?? []),
  })),
});

describe('two reports', () => {
  test('of the same run differ in nothing', () => {
    const comparison = compare(sample(starsShape), sample(starsShape));
    expect(comparison).toMatchObject({ differences: [], worse: false });
    expect(ending(comparison)).toBe('pass');
    expect(comparedText(comparison)).toContain('lab: as before.');
  });

  test('a hole makes it worse, and mending it better', () => {
    const [right, wrong] = [sample(starsShape), sample(starsShape, hole)];
    expect(kinds(right, wrong)).toEqual({ worse: 9 });
    expect(ending(compare(right, wrong))).toBe('worse');
    expect(kinds(wrong, right)).toEqual({ better: 9 });
    expect(ending(compare(wrong, right))).toBe('pass');
    expect(compare(wrong, wrong)).toMatchObject({ differences: [], worse: false });
  });

  test('a later run that could not find out is neither better nor worse, and says so', () => {
    expect(ending(compare(sample(starsShape), sample(starsShape, deadListener)))).toBe('infrastructure-broken');
  });

  test('slower is worse, with both times', () => {
    const comparison = compare(sample(starsShape), sample(starsShape, slow));
    expect(comparison.worse).toBe(true);
    const pace = comparison.paces.find(({ what, after }) => what === 'programmed' && after === undefined);
    expect(pace?.before).toBe(55);
    expect(comparedText(comparison)).toMatch(/programmed: 55 ms -> not seen/);
  });

  test('a cell that nobody asks any more makes a green run worse', () => {
    const before = sample(starsShape);
    const after = changed(before, (cell, index) => (index < 3 ? undefined : cell));
    expect(kinds(before, after)).toEqual({ 'no longer asked': 9 });
    expect(ending(compare(before, after))).toBe('worse');
    expect(kinds(after, before)).toEqual({ 'asked for the first time': 9 });
    expect(ending(compare(after, before))).toBe('pass');
  });

  test('a cell that is asked for the first time and is wrong is worse', () => {
    const after = sample(starsShape, hole);
    const before = changed(after, (cell) => (cell.outcome === 'pass' ? cell : undefined));
    expect(kinds(before, after)).toEqual({ worse: 9 });
  });

  test('policy that means something else, and packets that follow it, is no fault', () => {
    const before = sample(smallShape);
    const after = changed(before, (cell, index) =>
      index === 0
        ? {
            ...cell,
            expected: cell.expected === 'allow' ? 'deny' : 'allow',
            observed: cell.expected === 'allow' ? 'dropped' : 'open',
          }
        : cell,
    );
    expect(kinds(before, after)).toEqual({ 'meant otherwise': 3 });
    expect(ending(compare(before, after))).toBe('pass');
  });

  test('tasks in another order are the same tasks', () => {
    const report = sample(starsShape);
    const last = report.tasks.length - 1;
    const turned: Report = {
      ...changed(report, (cell) => ({ ...cell, from: last - cell.from, to: last - cell.to })),
      tasks: [...report.tasks].reverse(),
    };
    expect(compare(report, turned).differences).toEqual([]);
  });

  test('there and back again: what is worse one way is better the other', () => {
    const base = sample(smallShape);
    const run = fc.array(fc.nat(2), { minLength: base.steps[0]!.cells.length, maxLength: base.steps[0]!.cells.length });
    const of = (marks: readonly number[]): Report =>
      changed(base, (cell, index) =>
        marks[index] === 0 ? cell : { ...cell, outcome: marks[index] === 1 ? 'policy-wrong' : 'slow' },
      );
    fc.assert(
      fc.property(run, run, (one, other) => {
        const [there, back] = [kinds(of(one), of(other)), kinds(of(other), of(one))];
        expect([there.worse, there.better, there.otherwise]).toEqual([back.better, back.worse, back.otherwise]);
      }),
      { numRuns: 50 },
    );
  });

  test('names of other people do not colour the terminal or turn the text around', () => {
    const text = comparedText(
      compare(
        hostileSample(),
        changed(hostileSample(), () => undefined),
      ),
    );
    expect(text).toMatch(/no longer asked: \d/);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
  });
});

describe('a report is read from a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'compare-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (text: string): string => {
    writeFileSync(join(folder, 'report.json'), text);
    return join(folder, 'report.json');
  };

  test.each([
    ['right', () => sample(smallShape)],
    ['slow', () => sample(smallShape, slow)],
    ['hostile', hostileSample],
  ] as const)('and is what was written: %s', (_, make) => {
    expect(readReport(file(json(make())))).toEqual(make());
  });

  const refused = (text: string): string => {
    try {
      readReport(file(text));
    } catch (error) {
      if (error instanceof Refusal) return error.problems.map(({ code, what }) => `${code}: ${what}`).join('\n');
      throw error;
    }
    return 'read';
  };

  test('not JSON', () => expect(refused('no')).toContain('not-a-report'));
  test('JSON of something else', () => expect(refused('{}')).toMatch(/not-a-report: .*must have required property/));
  test('a report of another version', () => {
    expect(refused(json(sample(smallShape)).replace('report/1', 'report/9'))).toMatch(/\/schema must be/);
  });
  test('a cell that speaks of a task that is not there', () => {
    const report = sample(smallShape);
    expect(refused(json({ ...report, tasks: report.tasks.slice(1) }))).toMatch(
      /\/steps\/0\/cells\/\d+ speaks of a task/,
    );
  });
  test('a file that is not there', () => {
    expect(() => readReport(join(folder, 'nowhere.json'))).toThrow(Refusal);
  });
});
