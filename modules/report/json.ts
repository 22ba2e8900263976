import type { Report } from '../verify/report.ts';

/**
 * The report as JSON: a task, cell or control per line, so that two reports can be compared with diff. What is `undefined`
 * in the type is `null` here.
 */
export function json(report: Report): string {
  return `${write(report, 0)}\n`;
}

const nullish = (_: string, value: unknown): unknown => value ?? null;

const scalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

function write(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (depth > 3 || (depth > 0 && Object.values(value).every(scalar))) return JSON.stringify(value, nullish);
  const inner = '  '.repeat(depth + 1);
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((one) => write(one, depth + 1))]
    : ['{', '}', Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${write(one, depth + 1)}`)];
  if (parts.length === 0) return `${open}${close}`;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${'  '.repeat(depth)}${close}`;
}
