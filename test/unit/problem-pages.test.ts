/** Errors lead to the page on troubleshooting, and the page to errors. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entries } from '../../modules/problem/pages.ts';
import { format } from '../../modules/problem/problem.ts';
import { root } from '../../modules/root/root.ts';

const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
const sections = page.split(/^## /m).slice(1, -2);
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

test.each(entries)('%s is a code of the sources and leads to the entry that names it', (code, to) => {
  expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true);
  const section = sections.find((one) => anchor(one.split('\n')[0]!) === to);
  expect(section).toContain(`\`${code}\``);
});

test.each(sections.map((one) => [one.split('\n')[0]!, one] as const))(
  '%s is met by a code, or says why not',
  (title, text) => {
    const met = /^- Met by: (.*)\.$/m.exec(text)![1]!;
    if (!met.startsWith('none: ')) expect(entries.map(([, to]) => to)).toContain(anchor(title));
  },
);

test('an error with an entry ends with its address, another with its code', () => {
  expect(format({ code: 'public-range', what: 'x.' })).toMatch(
    /\[public-range\] see docs\/troubleshooting\.md#a-pool-of-public-addresses$/,
  );
  expect(format({ code: 'usage', what: 'x.' })).toMatch(/\[usage\]$/);
});
