/** `90s`, `10m`, `2h` on a command line. */
import { Refusal } from '../problem/problem.ts';

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds; throws a Refusal that names the option. */
export function duration(option: string, word: string): number {
  const [, number, unit] = /^(\d{1,5})([smh])$/.exec(word) ?? [];
  if (number !== undefined && unit !== undefined) return Number(number) * units[unit]!;
  throw new Refusal([
    {
      code: 'usage',
      what: `--${option} is "${word}".`,
      rule: 'a time is a whole number with s, m or h.',
      example: `--${option} 10m`,
    },
  ]);
}
