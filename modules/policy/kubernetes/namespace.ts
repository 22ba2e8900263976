/** Namespace, and the two annotations with which it says that what no policy admits is refused. */
import { isScalar } from 'yaml';
import type { Namespace } from '../change.ts';
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, readFields, readText } from './fields.ts';
import { readMeta } from './meta.ts';
import { objectKeys } from './policy.ts';
import { placesIn } from './place.ts';
import { alphaKey, betaKey, warnOfStrays } from './stray.ts';

const betaExample = '\'{"ingress": {"isolation": "DefaultDeny"}}\'';

export function readNamespace(sheet: Sheet, object: Field): Namespace {
  const fields = readFields(sheet, object, { keys: objectKeys, meant: 'a Namespace with "metadata"' });
  const { name, labels, annotations } = readMeta(sheet, object, fields?.get('metadata'), 'Namespace');
  warnOfStrays(sheet, annotations, 'a namespace', [alphaKey, betaKey]);
  const alpha = annotations.get(alphaKey);
  const beta = annotations.get(betaKey);
  return {
    name,
    labels,
    isolated: [
      ...(alpha !== undefined && isolatesAlpha(sheet, alpha) ? (['v1alpha1'] as const) : []),
      ...(beta !== undefined && isolatesBeta(sheet, beta) ? (['v1beta1'] as const) : []),
    ],
  };
}

/** k8s-policy 0.1 compared with the text `yes`, and took all else for no. */
function isolatesAlpha(sheet: Sheet, field: Field): boolean {
  const node = sheet.resolve(field.value);
  const value = isScalar(node) ? node.value : undefined;
  const quoted = isScalar(node) && node.type !== 'PLAIN';
  if (quoted && value === 'yes') return true;
  // Who says no, in whatever words, gets what he says.
  if (value === false || (typeof value === 'string' && ['no', 'false', 'off'].includes(value.toLowerCase())))
    return false;
  const shown = isScalar(node) ? `${quoted ? '"' : ''}${String(value)}${quoted ? '"' : ''}` : 'what stands here';
  sheet.warn({
    code: 'not-isolated',
    at: sheet.at(field.value, field.path),
    what: `The namespace is not isolated: ${shown} is not the text "yes".`,
    rule:
      value === 'yes' || value === true
        ? 'Without quotes it is a boolean to Kubernetes, and annotations are texts.'
        : 'k8s-policy 0.1 isolated for "yes" in small letters, and for nothing else.',
    example: `${alphaKey}: "yes"`,
  });
  return false;
}

function isolatesBeta(sheet: Sheet, field: Field): boolean {
  const text = readText(sheet, field, `${betaKey}: ${betaExample}`);
  const parsed = text === undefined ? undefined : parseJson(sheet, field, text);
  if (parsed === undefined) return false;
  const ingress = member(sheet, field, parsed.value, 'ingress', 'The annotation');
  const isolation = ingress === undefined ? undefined : member(sheet, field, ingress, 'isolation', '"ingress"');
  if (isolation === 'DefaultDeny') return true;
  if (isolation !== undefined) {
    sheet.warn({
      code: 'not-isolated',
      at: sheet.at(field.value, field.path),
      what: `The namespace is not isolated: ${JSON.stringify(isolation)} is not "DefaultDeny".${typeof isolation === 'string' ? hint(isolation, ['DefaultDeny']) : ''}`,
      rule: 'There is one isolation, "DefaultDeny"; Calico’s controllers took all else for none.',
      example: `${betaKey}: ${betaExample}`,
    });
  }
  return false;
}

function parseJson(sheet: Sheet, field: Field, text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    // Not every message of the engine says where.
    const where = /at position (\d+)/.exec(error instanceof Error ? error.message : '');
    sheet.add({
      code: 'bad-json',
      at: placesIn(sheet, field, text)(Number(where?.[1] ?? 0)),
      what: `The annotation is not JSON: ${text}`,
      rule: 'It is JSON inside a text. Calico’s controllers passed over what they could not read, and left the namespace as it was.',
      example: `${betaKey}: ${betaExample}`,
    });
    return undefined;
  }
}

/** The value of the one key that a map of the annotation may have. */
function member(sheet: Sheet, field: Field, map: unknown, key: string, whose: string): unknown {
  const at = sheet.at(field.value, field.path);
  const example = `${betaKey}: ${betaExample}`;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    sheet.add({
      code: 'wrong-type',
      at,
      what: `${whose} is ${JSON.stringify(map)}, but a map with "${key}" is meant.`,
      rule: 'Calico’s controllers passed over an annotation of another form, and left the namespace as it was.',
      example,
    });
    return undefined;
  }
  for (const other of Object.keys(map).filter((one) => one !== key)) {
    sheet.add({
      code: 'unknown-key',
      at,
      what: `There is no key "${other}" in the annotation.${hint(other, [key])}`,
      rule: `${whose} has the key "${key}" alone.`,
      example,
    });
  }
  return (map as Readonly<Record<string, unknown>>)[key];
}
