/**
 * Takes secrets out of texts that leave a cluster: what stands under a name that speaks of a secret, and what looks like
 * one by itself. In doubt it takes too much. Pure.
 */

export interface Redacted {
  readonly text: string;
  /** How many things were taken out. */
  readonly removed: number;
}

const mark = '[REMOVED]';

const words: ReadonlySet<string> = new Set([
  ...[
    'pass',
    'passwd',
    'password',
    'passphrase',
    'pgpass',
    'pwd',
    'secret',
    'secrets',
    'token',
    'tokens',
    'jwt',
    'bearer',
  ],
  ...['credential', 'credentials', 'auth', 'auths', 'authorization', 'cookie', 'apikey', 'privatekey', 'accesskey'],
]);
const parts = /passw|passphrase|secret|token|credential|api_?key|private_?key|access_?key|signing_?key|encryption_?key/;

/** Whether what stands under a name is a secret: `DB_PASSWORD`, `identityToken`, `registry.auth`; not `ETCD_AUTHORITY`. */
export function looksSecret(name: string): boolean {
  const plain = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll('-', '_');
  return parts.test(plain) || plain.split(/[^a-z0-9]+/).some((word) => words.has(word));
}

export function redact(text: string): Redacted {
  const count = { removed: 0 };
  return { text: whole(text, count), removed: count.removed };
}

interface Count {
  removed: number;
}

/** JSON by its structure, everything else by its lines. */
function whole(text: string, count: Count): string {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(walk(JSON.parse(text), count), null, 2);
    } catch {
      // Cut off, or only like JSON.
    }
  }
  return lines(text, count);
}

function walk(value: unknown, count: Count): unknown {
  if (typeof value === 'string') return /^\s*[[{]/.test(value) ? whole(value, count) : lines(value, count);
  if (Array.isArray(value)) return value.map((each) => walk(each, count));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  // {"name": "DB_PASSWORD", "value": "…"}, as Docker and Mesos write variables.
  const named = fields.some(([key, of]) => /^(name|key)$/i.test(key) && typeof of === 'string' && looksSecret(of));
  return Object.fromEntries(
    fields.map(([key, of]) => [
      lines(key, count),
      looksSecret(key) || (named && /^value$/i.test(key)) ? wipe(of, count) : walk(of, count),
    ]),
  );
}

/** All of it but what says only yes, no, or nothing. */
function wipe(value: unknown, count: Count): unknown {
  if (value === null || value === '' || typeof value === 'boolean') return value;
  count.removed += 1;
  return mark;
}

function lines(text: string, count: Count): string {
  return rules.reduce((so, rule) => rule(so, count), text);
}

type Rule = (text: string, count: Count) => string;

/** Puts the mark in the place of what the pattern finds, behind what its group `keep` has found. */
const by =
  (pattern: RegExp): Rule =>
  (text, count) =>
    text.replaceAll(pattern, (...all: unknown[]) => {
      const groups = all.at(-1);
      const keep: unknown = typeof groups === 'object' && groups !== null && 'keep' in groups ? groups.keep : '';
      count.removed += 1;
      return `${typeof keep === 'string' ? keep : ''}${mark}`;
    });

/** A private key; where its end is cut off, all that follows. */
const keys = by(
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z0-9 ]{0,40}-----(?:[\s\S]*?-----END [A-Z0-9 ]{0,80}-----|[\s\S]*)/g,
);

/** A private key whose begin is cut off: the lines of base64 before its end. */
const headless: Rule = (text, count) => {
  if (!/-----END [A-Z0-9 ]{0,40}PRIVATE KEY/.test(text)) return text;
  const all = text.split('\n');
  for (const [index, line] of all.entries()) {
    if (!/-----END [A-Z0-9 ]{0,40}PRIVATE KEY/.test(line)) continue;
    for (let at = index; at >= 0 && (at === index || /[A-Za-z0-9+/=]{20,}/.test(all[at]!)); at -= 1) all[at] = mark;
    count.removed += 1;
  }
  return all.join('\n');
};

/** `http://user:password@host`: all before the last @ of the word. */
const userinfo = by(/(?<keep>\b[a-z][a-z0-9+.-]*:\/\/)(?!\[REMOVED\]@)[^\s"'<>]*(?=@)/gi);

/** Only where small and capital letters and digits are mixed: names, paths and hexadecimal numbers are not. */
function mixed(pattern: RegExp): Rule {
  return (text, count) =>
    text.replaceAll(pattern, (found) => {
      if (!/[a-z]/.test(found) || !/[A-Z]/.test(found) || !/\d/.test(found)) return found;
      count.removed += 1;
      return mark;
    });
}

/** What is a secret by its own looks: `Bearer …`, tokens of well-known services, long mixtures of letters and digits. */
const looks = [
  by(/(?<keep>\b(?:Bearer|Basic|Digest|Negotiate)\s+)(?!\[REMOVED\])[^\s"',;]{6,}/gi),
  by(/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g),
  by(/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g),
  by(/\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|ya29\.|AIza)[\w.-]{10,}/g),
  mixed(/[\w+-]{32,}={0,2}/g),
  // A line of base64: part of a key whose frame is missing.
  mixed(/(?<![^\s":])[A-Za-z0-9+/]{60,}={0,2}(?![^\s",\\])/g),
];

/** A name, an equals sign or colon or the blank of an option, and where the value begins. */
const named =
  /(?<![\w.-])(?<quote>\\*["'])?(?<name>-{0,2}[A-Za-z_][\w.-]*)(?:\k<quote>)?(?<sign>[ \t]*[=:][ \t]*|[ \t]+)/g;

const underNames: Rule = (text, count) => {
  let out = '';
  let from = 0;
  for (const found of text.matchAll(named)) {
    const { name = '', sign = '', quote } = found.groups!;
    const begin = found.index + found[0].length;
    if (found.index < from || !looksSecret(name)) continue;
    // `token abc` is prose; `--token abc` is not.
    if (/^[ \t]+$/.test(sign) && !name.startsWith('--')) continue;
    if (text.startsWith(mark, begin) || text.startsWith(mark, begin + 1)) continue;
    const end = endOf(text, begin, found.index, sign, quote !== undefined);
    const value = text.slice(begin, end);
    if (/^\s*$/.test(value) || /^(true|false|null|none)$/i.test(value)) continue;
    out += text.slice(from, begin) + mark;
    from = end;
    count.removed += 1;
  }
  return out + text.slice(from);
};

/** Where the value that begins here ends. */
function endOf(text: string, begin: number, at: number, sign: string, quotedName: boolean): number {
  const line = (from: number): number => {
    const end = text.indexOf('\n', from);
    return end < 0 ? text.length : end;
  };
  const opened = /^\\*["']/.exec(text.slice(begin, begin + 20))?.[0];
  if (opened !== undefined) return quoteEnd(text, begin + opened.length, opened);
  // A list or an object, unfinished: nobody knows how far it goes.
  if (quotedName && /^[[{]/.test(text.slice(begin))) return text.length;
  if (sign.includes(':')) {
    const end = line(begin);
    return /^[|>][-+\d]*\s*$/.test(text.slice(begin, end)) ? blockEnd(text, at, end, line) : end;
  }
  // Alone on its line, a value goes to the end of it.
  const before = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  if (sign.includes('=') && /^\s*(?:export\s+|Environment=|-\s+|[+-])?["']?$/.test(before)) return line(begin);
  const blank = text.slice(begin).search(/\s/);
  return blank < 0 ? text.length : begin + blank;
}

/** The next quote with as many backslashes before it as the one that opened; the end of the text where there is none. */
function quoteEnd(text: string, from: number, opened: string): number {
  const quote = opened.at(-1)!;
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (at - slashes - 1 >= from && text[at - slashes - 1] === '\\') slashes += 1;
    if (slashes === opened.length - 1) return at + 1;
  }
  return text.length;
}

/** A block of YAML: all lines after it that are indented deeper. */
function blockEnd(text: string, at: number, end: number, line: (from: number) => number): number {
  const indent = at - (text.lastIndexOf('\n', at - 1) + 1);
  let last = end;
  while (last < text.length) {
    const next = text.slice(last + 1, line(last + 1));
    if (next.trim() !== '' && next.search(/\S/) <= indent) break;
    last = line(last + 1);
  }
  return last;
}

/** `"name": "DB_PASSWORD", "value": "…"` and the other way round, where the JSON around it is cut off. */
const pairs: readonly Rule[] = [
  (text, count) =>
    text.replaceAll(
      /("(?:name|key)"\s*:\s*"([^"]*)"\s*,\s*"value"\s*:\s*")(?:[^"\\]|\\.)*("?)/gi,
      (all: string, before: string, name: string, quote: string) =>
        replaced(all, name, `${before}${mark}${quote}`, count),
    ),
  (text, count) =>
    text.replaceAll(
      /("value"\s*:\s*")(?:[^"\\]|\\.)*("\s*,\s*"(?:name|key)"\s*:\s*"([^"]*)")/gi,
      (all: string, before: string, after: string, name: string) =>
        replaced(all, name, `${before}${mark}${after}`, count),
    ),
];

function replaced(all: string, name: string, other: string, count: Count): string {
  if (!looksSecret(name) || all === other) return all;
  count.removed += 1;
  return other;
}

const rules: readonly Rule[] = [keys, headless, userinfo, ...pairs, underNames, ...looks];
