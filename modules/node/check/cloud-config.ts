/**
 * Whether coreos-cloudinit will do with a cloud-config what its writer meant. Its own `-validate` says nothing of dashed
 * keys, which Flatcar ignores; this refuses them, whatever the program refuses, and what it takes but hardly anybody
 * means. test/unit/node/check.test.ts holds its verdicts beside those of the real program, as they were observed.
 */
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { Problem } from '../../problem/problem.ts';
import { isCloudConfig } from './form.ts';
import { sorted, type Path, type Say } from './say.ts';
import { checkSense } from './sense.ts';

/** Names that coreos-cloudinit replaces before it reads the YAML: by nothing where the platform does not tell. */
export type Substitution = (typeof substitutions)[number];
const substitutions = ['$private_ipv4', '$public_ipv4', '$private_ipv6', '$public_ipv6'] as const;

/** What EC2 and Google Compute Engine tell every machine about itself; a public address is not for all. */
export const cloudTells: readonly Substitution[] = ['$private_ipv4'];

/**
 * Everything that is wrong with a cloud-config, from its first line to its last.
 * @param file what problems call it
 * @param tells what the platform tells the machine about itself
 */
export function checkCloudConfig(file: string, text: string, tells: readonly Substitution[]): readonly Problem[] {
  const problems: Problem[] = [];
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { version: '1.1', lineCounter, prettyErrors: false });
  const say: Say = (code, at, what, rule) => {
    const path = typeof at === 'number' ? '' : at.join('.');
    const { line, col: column } = lineCounter.linePos(typeof at === 'number' ? at : offset(document, at));
    const place = { file, line, column, ...(path !== '' && { path }) };
    problems.push({
      code,
      at: place,
      what: path === '' ? what : `${path}: ${what}`,
      ...(rule !== undefined && { rule }),
    });
  };
  checkText(document, text, tells, say);
  if (problems.length === 0) {
    const value: unknown = document.toJS();
    if (isCloudConfig(value, say)) checkSense(value, say);
  }
  return sorted(problems);
}

/** What can be said of the text without knowing a single key. */
function checkText(document: Document.Parsed, text: string, tells: readonly Substitution[], say: Say): void {
  if (text.split('\n', 1)[0] !== '#cloud-config') {
    say(
      'not-cloud-config',
      0,
      'the first line is not #cloud-config.',
      'by that line alone a machine knows what it is.',
    );
    return;
  }
  for (const { code, message, pos } of document.errors) {
    if (code === 'DUPLICATE_KEY') say('duplicate-key', pos[0], 'a key stands twice in one map.');
    else say('bad-yaml', pos[0], `${message}.`);
  }
  for (const { index } of text.matchAll(/[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd]/g)) {
    say('control-character', index, 'a character that YAML takes only as an escape within quotes.');
  }
  for (const { index } of unquoted(document, text).matchAll(/\t/g)) {
    say('tab', index, 'a tab between words.', 'YAML is laid out with blanks.');
  }
  for (const name of substitutions) {
    const index = tells.includes(name) ? -1 : text.search(new RegExp(`(?<!\\\\)\\${name}`));
    if (index >= 0) {
      const rule = `coreos-cloudinit puts nothing in its place where the platform does not tell; \\${name} stays as it is.`;
      say('empty-substitution', index, `${name} becomes an empty string here.`, rule);
    }
  }
}

/** The text with blanks for all that stands in quotes or in a block of lines. */
function unquoted(document: Document.Parsed, text: string): string {
  let rest = text;
  visit(document, {
    Scalar(_, { type, range }) {
      if (!range || type === 'PLAIN') return;
      rest = rest.slice(0, range[0]) + ' '.repeat(range[1] - range[0]) + rest.slice(range[1]);
    },
  });
  return rest;
}

/** Where a key or a list's entry stands, or the nearest map or list around one that is missing. */
function offset(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const around = document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    const key = isMap(around)
      ? around.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.key
      : undefined;
    const found = key ?? document.getIn(path.slice(0, length), true);
    if (isNode(found) && found.range) return found.range[0];
  }
  return document.contents?.range[0] ?? 0;
}
