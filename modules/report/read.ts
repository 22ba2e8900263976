/** Reports read back from their JSON, checked against their schema. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Refusal, type Problem } from '../problem/problem.ts';
import type { Report } from '../verify/report.ts';
import { schema } from './schema.ts';

let compiled: ValidateFunction | undefined;

/** The report in a file. Throws a Refusal for a file that is none. */
export function readReport(file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal([notAReport(file, `it cannot be read: ${why}`)]);
  }
  compiled ??= new Ajv2020({ strict: true }).compile(schema());
  if (!compiled(value)) {
    const [first] = compiled.errors ?? [];
    throw new Refusal([notAReport(file, `${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`.trim())]);
  }
  // What is `undefined` in the type is `null` in JSON.
  const report = JSON.parse(JSON.stringify(value), (_, one: unknown) => one ?? undefined) as Report;
  const wrong = loose(report);
  if (wrong !== undefined) throw new Refusal([notAReport(file, wrong)]);
  return report;
}

/** What no schema says: indexes that point at nothing. */
function loose({ tasks, steps }: Report): string | undefined {
  for (const [at, { cells, traffic }] of steps.entries()) {
    const index = cells.findIndex(({ from, to, traffic: kind }) => !tasks[from] || !tasks[to] || !traffic[kind]);
    if (index >= 0) return `/steps/${at}/cells/${index} speaks of a task or a class of traffic that is not there`;
  }
  return undefined;
}

const notAReport = (file: string, why: string): Problem => ({
  code: 'not-a-report',
  at: { file },
  what: `This is no report of a verification: ${why}.`,
  rule: 'docs/report.schema.json says what one is; npm run verify writes it.',
  example: 'npm run compare reports/monday/report.json reports/tuesday/report.json',
});
