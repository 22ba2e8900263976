import { Ajv2020 } from 'ajv/dist/2020.js';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { json } from '../../../modules/report/json.ts';
import { schema } from '../../../modules/report/schema.ts';
import type { Report } from '../../../modules/verify/report.ts';
import { deadListener, hole, hostileSample, lostBetweenHosts, sample, slow, smallShape, starsShape } from './sample.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true });
const validate = ajv.compile(schema());

describe('json', () => {
  it.each<[string, () => Report]>([
    ['all right', () => sample(starsShape)],
    ['a hole', () => sample(starsShape, hole)],
    ['a dead listener', () => sample(starsShape, deadListener)],
    ['a slow change', () => sample(starsShape, slow)],
    ['packets lost between hosts', () => sample(starsShape, lostBetweenHosts)],
    ['hostile names', hostileSample],
  ])('follows its schema: %s', (_, make) => {
    const parsed: unknown = JSON.parse(json(make()));
    validate(parsed);
    expect(validate.errors).toBeNull();
  });

  it('keeps every value, with null for undefined', () => {
    const report = hostileSample();
    const expected: unknown = JSON.parse(JSON.stringify(report, (_, value: unknown) => value ?? null));
    expect(JSON.parse(json(report))).toEqual(expected);
    const parsed = JSON.parse(json(sample(smallShape, slow))) as { steps: { convergence: unknown }[] };
    expect(parsed.steps[0]!.convergence).toBeNull();
    expect(parsed.steps[2]!.convergence).toMatchObject({ programmedMs: null, closed: { slowestMs: null } });
  });

  it('has a line per cell, so that two reports can be compared with diff', () => {
    const report = sample(smallShape);
    const lines = json(report).split('\n');
    expect(lines.filter((line) => line.includes('"because"'))).toHaveLength(3 * 8 * 7 * 5);
  });

  it('refuses what is no report', () => {
    const report = JSON.parse(json(sample(smallShape))) as Record<string, unknown>;
    expect(validate({ ...report, extra: 1 })).toBe(false);
    expect(validate({ ...report, outcome: 'late' })).toBe(false);
    expect(validate({ ...report, tasks: undefined })).toBe(false);
  });
});

it('docs/report.schema.json is the schema', async () => {
  const text = await format(JSON.stringify(schema()), { parser: 'json', printWidth: 120 });
  await expect(text).toMatchFileSnapshot('../../../docs/report.schema.json');
});
