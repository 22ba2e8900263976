/**
 * No text makes a parser slow: sixteen times the text takes at most some sixty times as long. What grows with the square
 * of it takes two hundred and fifty times as long, and what is worse does not end at all. FUZZ_LENGTH is the number of
 * characters of the longest texts.
 */
import { expect, test } from 'vitest';
import type { Fuzzed } from './judge.ts';
import { long, type Family } from './long.ts';
import { parsers } from './parsers.ts';
import { within } from './run.ts';

const length = Number(process.env['FUZZ_LENGTH'] ?? 4_000);
/** What is this fast may grow as it likes: nobody waits for it, and clocks are not exact. In milliseconds. */
const unnoticed = 25;
const patience = 20_000;

test.each(parsers)('$name takes a time that grows with the text', { timeout: 600_000 }, (parser) => {
  expect(long(parser).flatMap((family) => slownessOf(parser, family) ?? [])).toEqual([]);
});

function slownessOf(parser: Fuzzed, { name, text }: Family): string | undefined {
  const time = milliseconds(parser, text(length));
  if (time === undefined) return `${name}: no end after ${patience / 1000} s`;
  if (time <= unnoticed || time <= quickest(parser, text(length / 16)) * 60) return undefined;
  // Told only if it goes on like that, and not once: the machine has other things to do, and memory to tidy up.
  const [once, more] = [quickest(parser, text(length)), quickest(parser, text(length * 4))];
  if (more <= once * 9) return undefined;
  return `${name}: ${once.toFixed(0)} ms for ${length} characters, ${more.toFixed(0)} ms for four times as many`;
}

function quickest(parser: Fuzzed, text: string): number {
  return Math.min(...[1, 2, 3].map(() => milliseconds(parser, text) ?? Infinity));
}

/** Of the processor: other processes do not count. */
function milliseconds(parser: Fuzzed, text: string): number | undefined {
  return within(patience, () => {
    const start = process.cpuUsage();
    parser.parse(text);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
}
