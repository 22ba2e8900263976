/** Errors lead to the page on troubleshooting, the page to errors; each of the forty traps is on it, and what it names is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entries } from '../../modules/problem/pages.ts';
import { format } from '../../modules/problem/problem.ts';
import { root } from '../../modules/root/root.ts';

const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
const parts = page.split(/^## /m).slice(1);
const titled = (title: string): string => parts.find((part) => part.startsWith(`${title}\n`))!;
const table = titled('What cannot happen any more, and why');
const sections = parts.filter((part) => part !== table && !part.startsWith('What is proven'));
const anchor = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const sources = ['agents', 'modules', 'stacks', 'verbs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && file !== 'problem/pages.ts')
    .map((file) => readFileSync(join(root, folder, file), 'utf8')),
);
const isCode = (code: string): boolean => sources.some((text) => text.includes(`'${code}'`));

test.each(entries)('%s is a code of the sources and leads to the entry that names it', (code, to) => {
  expect(isCode(code)).toBe(true);
  const section = sections.find((one) => anchor(one.split('\n')[0]!) === to);
  expect(section?.slice(section.indexOf('- Met by:'))).toContain(`\`${code}\``);
});

describe.each(sections.map((one) => [one.split('\n')[0]!, one] as const))('%s', (title, text) => {
  test('has a symptom, a way to see it, what it is when it is well, cause and remedy', () => {
    expect(text).toMatch(
      /^.+\n\n\S[^]*?\n\n```sh\n[^`]+\n```\n\n- When it is well: [^]+\n- Cause: [^]+\n- Remedy: [^]+\n- Met by: /,
    );
  });

  test('is met by codes that lead here, or says why by none', () => {
    const met = /^- Met by: ([^]*?)\.$/m.exec(text)![1]!;
    const codes = [...met.matchAll(/`([a-z0-9-]+)`/g)].map(([, code]) => code!);
    if (met.startsWith('none: ')) expect(entries.map(([, to]) => to)).not.toContain(anchor(title));
    else {
      expect(codes.length).toBeGreaterThan(0);
      expect(codes.filter((code) => !entries.some(([each, to]) => each === code && to === anchor(title)))).toEqual([]);
    }
  });
});

/** Number, what, what prevents it, and the test that proves it. */
const rows = [...table.matchAll(/^\| (\d*[a-z]?) +\| (.+?) +\| (.+?) +\| `(.+?)` +\|$/gm)].map(
  ([, number = '', what = '', by = '', proof = '']) => ({ number, what, by, proof }),
);

test('each of the forty traps is there once: in an entry, or among what cannot happen any more', () => {
  const inEntries = sections.flatMap((text) => /^- Trap: (.+)\.$/m.exec(text)?.[1]?.split(' and ') ?? []);
  const all = [...inEntries, ...rows.map(({ number }) => number)].filter((number) => number !== '');
  expect(new Set(all).size).toBe(all.length);
  // A trap of several parts has a letter for each: either one without a letter, or a, b and so on.
  const letters = (number: number): string =>
    all
      .filter((each) => parseInt(each, 10) === number)
      .map((each) => each.replace(/\d+/, '') || '-')
      .sort()
      .join('');
  for (let number = 1; number <= 40; number++)
    expect([number, letters(number)]).toEqual([number, expect.stringMatching(/^(-|ab|abc)$/)]);
  expect(all.filter((each) => !/^([1-9]|[123]\d|40)[abc]?$/.test(each))).toEqual([]);
});

test.each(rows.map((row) => [row.what, row] as const))('what prevents "%s" is there, and so is its proof', (_, row) => {
  const named = [...row.by.matchAll(/`([^`]+)`/g)].map(([, word]) => word!);
  const paths = [...row.by.matchAll(/\b(?:agents|modules|templates)\/[\w./-]*/g)].map(([path]) =>
    path.replace(/[.:]$/, ''),
  );
  for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
  for (const code of named.filter((word) => /^[a-z]+(-[a-z]+)+$/.test(word))) expect(isCode(code), code).toBe(true);
  const text = readFileSync(join(root, row.proof), 'utf8');
  expect(text).toMatch(/\btest(\.each|\.for)?\(/);
  // Tests of traps say their numbers.
  if (row.proof.includes('/traps-')) expect(text).toContain(`'trap ${parseInt(row.number, 10)}: `);
});

test('the table has rows, and each says by what', () => {
  expect(rows.length).toBe(table.split('\n').filter((line) => line.startsWith('| ')).length - 2);
  expect(rows.length).toBeGreaterThan(15);
});

test('an error with an entry ends with its address, another with its code', () => {
  expect(format({ code: 'public-range', what: 'x.' })).toMatch(
    /\[public-range\] see docs\/troubleshooting\.md#a-pool-of-public-addresses$/,
  );
  expect(format({ code: 'usage', what: 'x.' })).toMatch(/\[usage\]$/);
});
