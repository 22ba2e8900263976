/** The maps and texts of Kubernetes' objects, read by the keys that their schema has: what all readers here begin with. */
import { isMap, isScalar, isSeq } from 'yaml';
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';

/** Something in a document, and where it stands. */
export interface Field {
  readonly value: unknown;
  readonly path: string;
  /** Where it stands in a map. */
  readonly key?: unknown;
}

export type Fields = ReadonlyMap<string, Field>;

/** What to say of a key that is written here although this map has it not. */
export interface Remark {
  readonly code?: string;
  readonly what: string;
  readonly rule: string;
  readonly example?: string;
}

export interface Schema {
  readonly keys: readonly string[];
  /** Goes on the sentence "Here stands X, but … is meant." */
  readonly meant: string;
  /** Said of an unknown key, in the place of a list of the keys. */
  readonly rule?: string;
  readonly mistaken?: ReadonlyMap<string, Remark>;
}

export const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

export const item = (path: string, index: number): string => `${path}[${index}]`;

/** The fields of a map; what is no map, and keys that it has not, become problems. Undefined if it is no map. */
export function readFields(sheet: Sheet, { value, path }: Field, schema: Schema): Fields | undefined {
  const found = new Map<string, Field>();
  for (const [name, entry] of sheet.entries(value, path, undefined, schema.meant)) {
    const field = { value: entry.value, path: below(path, name) };
    if (schema.keys.includes(name)) {
      found.set(name, field);
      continue;
    }
    const remark = schema.mistaken?.get(name);
    sheet.add({
      at: sheet.at(entry.key, field.path),
      ...(remark ?? {
        what: `There is no key "${name}" here.${hint(name, schema.keys)}`,
        rule: schema.rule ?? `The keys are ${schema.keys.join(', ')}.`,
      }),
      code: remark?.code ?? 'unknown-key',
    });
  }
  return isMap(sheet.resolve(value)) ? found : undefined;
}

/** The fields of a map of which only some matter. */
export function someFields(sheet: Sheet, { value, path }: Field, meant: string): Fields {
  const entries = [...sheet.entries(value, path, undefined, meant)];
  return new Map(
    entries.map(([name, { key, value: inside }]) => [name, { key, value: inside, path: below(path, name) }]),
  );
}

export function missing(sheet: Sheet, map: Field, key: string, rule: string, example: string): void {
  sheet.add({
    code: 'missing-key',
    at: sheet.at(sheet.resolve(map.value), below(map.path, key)),
    what: `The key "${key}" is missing.`,
    rule,
    example,
  });
}

export function readItems(sheet: Sheet, list: Field, example: string): readonly Field[] {
  return sheet.items(list.value, list.path, example).map((value, index) => ({ value, path: item(list.path, index) }));
}

/** Whether nothing stands where a value may stand: `from:`, or `from: null`. */
export function isNothing(sheet: Sheet, value: unknown): boolean {
  const node = sheet.resolve(value);
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

export function isEmptyList(sheet: Sheet, value: unknown): boolean {
  const node = sheet.resolve(value);
  return isSeq(node) && node.items.length === 0;
}

/**
 * A text, which may be empty. Kubernetes reads YAML 1.1, where `yes`, `on` and `1_000` without quotes are no texts; this
 * project reads YAML 1.2, where they are. So they are refused.
 */
export function readText(sheet: Sheet, { value, path }: Field, example: string): string | undefined {
  const scalar = sheet.resolve(value);
  if (!isScalar(scalar) || typeof scalar.value !== 'string') {
    sheet.wrongType(value, path, 'a text', example);
    return undefined;
  }
  return refuseUnquoted(sheet, scalar, path) ? undefined : scalar.value;
}

/** A plain word that is no text to YAML 1.1 becomes a problem. */
export function refuseUnquoted(sheet: Sheet, node: unknown, path: string): boolean {
  const word = isScalar(node) && node.type === 'PLAIN' ? String(node.value) : undefined;
  const other = word === undefined ? undefined : otherThanText(word);
  if (other === undefined) return false;
  sheet.add({
    code: 'unquoted-text',
    at: sheet.at(node, path),
    what: `Without quotes "${word ?? ''}" is ${other} to Kubernetes, which reads YAML 1.1.`,
    rule: 'Such a text stands in quotes.',
    example: `"${word ?? ''}"`,
  });
  return true;
}

/** What YAML 1.1 makes of a plain word that YAML 1.2 leaves a text. */
function otherThanText(word: string): string | undefined {
  if (/^(y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/.test(word)) return 'a boolean';
  if (/^[-+]?(0b[01_]+|0x[\da-fA-F_]+|\d[\d_]*|\d[\d_]*\.[\d_]*)$/.test(word)) return 'a number';
  return undefined;
}

/** A whole number without a leading zero, which YAML 1.1 would read as octal. */
export function readNumber(sheet: Sheet, { value, path }: Field, meant: string, example: string): number | undefined {
  const number = sheet.whole(value, path, meant, example);
  const node = sheet.resolve(value);
  const source = isScalar(node) ? node.source : undefined;
  if (number === undefined || source === undefined || !/^[-+]?0\d/.test(source)) return number;
  sheet.add({
    code: 'leading-zero',
    at: sheet.at(value, path),
    what: `${source} is octal to Kubernetes, which reads YAML 1.1, and decimal elsewhere.`,
    rule: 'A number has no leading zero.',
    example,
  });
  return undefined;
}
