/**
 * Maps, texts and numbers of a calicoctl 1.x resource. calicoctl reads YAML 1.1 and refuses keys that it does not know;
 * what would be something else to it than what stands there is refused here.
 */
import { isScalar } from 'yaml';
import { hint } from '../hint.ts';
import { isName } from '../name.ts';
import type { Sheet } from './sheet.ts';

/** What stands under a key. */
export interface Field {
  readonly key: unknown;
  readonly value: unknown;
  readonly path: string;
}

export type Fields = ReadonlyMap<string, Field>;

/** Which keys a map has, by the name that a sentence has for it. */
export interface Shape {
  readonly meant: string;
  readonly keys: readonly string[];
  /** Keys of drafts and of other syntaxes, with the one that calicoctl 1.x has for it. */
  readonly drafts?: Readonly<Record<string, string>>;
}

export function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** The fields of a map by key. Others become problems; those of a draft are told with the right key. */
export function fields(sheet: Sheet, node: unknown, path: string, { meant, keys, drafts = {} }: Shape): Fields {
  const found = new Map<string, Field>();
  for (const [name, { key, value }] of sheet.entries(node, path, undefined, meant)) {
    const place = below(path, name);
    if (keys.includes(name)) found.set(name, { key, value, path: place });
    else if (Object.hasOwn(drafts, name)) {
      sheet.add({
        code: 'draft-key',
        at: sheet.at(key, place),
        what: `"${name}" is the key of another schema; calicoctl 1.x refuses it.`,
        rule: `In apiVersion v1 this is "${drafts[name]}".`,
      });
    } else {
      sheet.add({
        code: 'unknown-key',
        at: sheet.at(key, place),
        what: `There is no key "${name}" here.${hint(name, keys)}`,
        rule: `The keys are ${keys.join(', ')}.`,
      });
    }
  }
  return found;
}

export function missing(sheet: Sheet, node: unknown, path: string, key: string, rule: string, example: string): void {
  sheet.add({
    code: 'missing-key',
    at: sheet.at(node, below(path, key)),
    what: `The key "${key}" is missing.`,
    rule,
    example,
  });
}

export function text(sheet: Sheet, node: unknown, path: string, example: string): string | undefined {
  const found = sheet.text(node, path, example);
  return found === undefined || !alike(sheet, node, path) ? undefined : found;
}

/** A name of Calico's alphabet, of at most 128 characters; `what` goes on the sentence "X cannot be …". */
export function name(sheet: Sheet, node: unknown, path: string, what: string, example: string): string | undefined {
  const found = text(sheet, node, path, example);
  if (found === undefined) return undefined;
  if (isName(found) && found.length <= longestName) return found;
  sheet.add({
    code: 'bad-name',
    at: sheet.inside(node, path, found),
    what: `"${found}" cannot be ${what}.`,
    rule: `It has letters, digits, "_", "." and "-", does not start with "-", and is no longer than ${longestName}.`,
    example,
  });
  return undefined;
}

const longestName = 128;

/** A whole number in plain decimal digits: YAML 1.1 has other ideas of `010` and `1_000`. */
export function whole(sheet: Sheet, node: unknown, path: string, meant: string, example: string): number | undefined {
  const found = sheet.whole(node, path, meant, example);
  return found === undefined || !decimal(sheet, node, path, /^(0|-?[1-9]\d*)$/, example) ? undefined : found;
}

/** A number with or without a fraction. */
export function number(sheet: Sheet, node: unknown, path: string, example: string): number | undefined {
  const scalar = sheet.resolve(node);
  if (!isScalar(scalar) || typeof scalar.value !== 'number' || !Number.isFinite(scalar.value)) {
    sheet.wrongType(node, path, 'a number', example);
    return undefined;
  }
  const plain = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
  return decimal(sheet, node, path, plain, example) ? scalar.value : undefined;
}

export function truth(sheet: Sheet, node: unknown, path: string, example: string): boolean | undefined {
  const scalar = sheet.resolve(node);
  if (isScalar(scalar) && typeof scalar.value === 'boolean') return scalar.value;
  sheet.wrongType(node, path, 'true or false', example);
  return undefined;
}

function decimal(sheet: Sheet, node: unknown, path: string, plain: RegExp, example: string): boolean {
  const scalar = sheet.resolve(node);
  const source = isScalar(scalar) ? scalar.source : undefined;
  if (source === undefined || plain.test(source)) return true;
  sheet.add({
    code: 'ambiguous-yaml',
    at: sheet.at(node, path),
    what: `"${source}" is not the same number in all versions of YAML.`,
    rule: 'A number stands in plain decimal digits, without leading zeros.',
    example,
  });
  return false;
}

/** False, with a problem, for a text without quotes that YAML 1.1 takes for something else. */
export function alike(sheet: Sheet, node: unknown, path: string): boolean {
  const scalar = sheet.resolve(node);
  if (!isScalar(scalar) || scalar.type !== 'PLAIN' || scalar.source === undefined) return true;
  const { source } = scalar;
  if (!yaml11Truth.test(source) && !yaml11Number(source)) return true;
  sheet.add({
    code: 'ambiguous-yaml',
    at: sheet.at(node, path),
    what: `${source} without quotes is no text for calicoctl, which reads YAML 1.1.`,
    rule: 'A text that could be a truth value or a number stands in quotes.',
    example: `"${source}"`,
  });
  return false;
}

const yaml11Truth = /^(y|yes|on|true|n|no|off|false)$/i;

function yaml11Number(source: string): boolean {
  const digits = source.replaceAll('_', '');
  return /^[-+.\d]/.test(source) && digits !== '' && Number.isFinite(Number(digits));
}
