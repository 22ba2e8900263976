/** Names and labels as Kubernetes takes them. */
import type { Labels } from '../model.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, readText, refuseUnquoted, someFields } from './fields.ts';

const word = /^[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/;
const dnsLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

export const namespaceRule =
  'The name of a namespace has small letters, digits and dashes, starts and ends with a letter or digit, and has at most 63 of them.';
export const nameRule =
  'A name has small letters, digits, dashes and dots, a letter or digit on both sides of each dot and at both ends, and at most 253 of them.';
const keyRule =
  'A label’s key has letters, digits, "-", "_" and ".", a letter or digit at both ends, at most 63 of them; before it may stand a DNS name and a slash.';
const valueRule =
  'A label’s value has letters, digits, "-", "_" and ".", a letter or digit at both ends, at most 63 of them; or it is empty.';

export const isNamespaceName = (text: string): boolean => text.length <= 63 && dnsLabel.test(text);

export const isObjectName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((part) => dnsLabel.test(part));

export function isLabelKey(text: string): boolean {
  const parts = text.split('/');
  const name = parts.pop()!;
  return (
    name.length <= 63 && word.test(name) && (parts.length === 0 || (parts.length === 1 && isObjectName(parts[0]!)))
  );
}

export const isLabelValue = (text: string): boolean => text === '' || (text.length <= 63 && word.test(text));

/** Checked: a key that is none becomes a problem. */
export function checkLabelKey(sheet: Sheet, key: string, node: unknown, path: string): boolean {
  if (isLabelKey(key)) return true;
  sheet.add({
    code: 'bad-label-key',
    at: sheet.at(node, path),
    what: `"${key}" cannot be the key of a label.`,
    rule: keyRule,
    example: 'example.com/role: client',
  });
  return false;
}

export function readLabelValue(sheet: Sheet, field: Field, example: string): string | undefined {
  const text = readText(sheet, field, example);
  if (text === undefined || isLabelValue(text)) return text;
  sheet.add({
    code: 'bad-label-value',
    at: sheet.at(field.value, field.path),
    what: `"${text}" cannot be the value of a label.`,
    rule: valueRule,
    example,
  });
  return undefined;
}

/** The pairs of a map from keys of labels to values, in their order. */
export function readPairs(sheet: Sheet, map: Field, meant: string): readonly (readonly [string, string])[] {
  return [...someFields(sheet, map, meant)].flatMap(([key, field]) => {
    if (refuseUnquoted(sheet, field.key, field.path) || !checkLabelKey(sheet, key, field.key, field.path)) return [];
    const value = readLabelValue(sheet, field, `${key}: "client"`);
    return value === undefined ? [] : [[key, value] as const];
  });
}

export function readLabels(sheet: Sheet, map: Field): Labels {
  return Object.fromEntries(readPairs(sheet, map, 'a map of labels such as {role: client}'));
}
