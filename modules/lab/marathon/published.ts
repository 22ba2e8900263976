/**
 * Marathon's published types of apps and groups, as one version has them. Up to 1.4 Marathon itself drops what it does not
 * know, and starts the task without it; here that is refused, because a probe that meant it would lie.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { compare } from '../../release/version.ts';
import { root } from '../../root/root.ts';

export interface Fault {
  /** As Marathon writes it: `/container/docker/network`. */
  readonly path: string;
  readonly error: string;
}

/** Judges values by the types of a version. */
export function published(version: string): (kind: 'app' | 'group', value: unknown) => readonly Fault[] {
  const whole = JSON.parse(readFileSync(join(root, 'modules/lab/marathon/app.schema.json'), 'utf8')) as object;
  const { $defs } = cut(whole, version) as { readonly $defs: object };
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    strictTuples: false,
    allowUnionTypes: true,
    allErrors: true,
  });
  const made = new Map<string, ValidateFunction>();
  return (kind, value) => {
    const check = made.get(kind) ?? ajv.compile({ $ref: `#/$defs/${kind}`, $defs });
    made.set(kind, check);
    return check(value) ? [] : (check.errors ?? []).map(fault);
  };
}

/** Takes away what a version does not have yet, and the marks. */
function cut(schema: unknown, version: string): unknown {
  if (Array.isArray(schema)) return schema.map((one) => cut(one, version));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'x-since' || key === '$comment' || later(value, version)) continue;
    kept[key] = cut(value, version);
  }
  const words = (schema as Marked)['x-since'];
  if (typeof words === 'object' && Array.isArray(kept['enum']))
    kept['enum'] = kept['enum'].filter((word) => compare(version, words[String(word)] ?? '0') >= 0);
  return kept;
}

interface Marked {
  /** Of a field; or of the words of an enum that came later than it. */
  readonly 'x-since'?: string | Readonly<Record<string, string>>;
}

function later(value: unknown, version: string): boolean {
  const since = typeof value === 'object' && value !== null ? (value as Marked)['x-since'] : undefined;
  return typeof since === 'string' && compare(version, since) < 0;
}

function fault({ instancePath, message = '', params }: ErrorObject): Fault {
  const extra: unknown = (params as { additionalProperty?: unknown }).additionalProperty;
  if (typeof extra === 'string') return { path: `${instancePath}/${extra}`, error: 'this version knows no such field' };
  const { allowedValues } = params as { allowedValues?: unknown };
  const words = Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : '';
  return { path: instancePath === '' ? '/' : instancePath, error: `${message}${words}` };
}
