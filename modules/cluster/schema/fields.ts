/** All fields of a description, as `explain` names them. A name that the user chooses is `*`, a list's entry is `[]`. */
import type { Schema } from './rule.ts';
import { schema } from './schema.ts';

export interface Field {
  /** `agents.*.count`, `access.adminCidrs[]`. */
  readonly path: string;
  readonly schema: Schema;
  readonly required: boolean;
}

let all: readonly Field[] | undefined;

/** In the order of the schema, parents before children. */
export function fields(): readonly Field[] {
  all ??= [...walk(schema as unknown as Schema, '')];
  return all;
}

function* walk(of: Schema, path: string): Generator<Field> {
  for (const branch of of.anyOf ?? []) yield* walk(branch, path);
  for (const [key, inner] of Object.entries(of.properties ?? {})) {
    const own = path === '' ? key : `${path}.${key}`;
    yield { path: own, schema: inner, required: of.required?.includes(key) ?? false };
    yield* walk(inner, own);
  }
  if (typeof of.additionalProperties === 'object') {
    yield { path: `${path}.*`, schema: of.additionalProperties, required: false };
    yield* walk(of.additionalProperties, `${path}.*`);
  }
  if (of.items) {
    yield { path: `${path}[]`, schema: of.items, required: false };
    yield* walk(of.items, `${path}[]`);
  }
}
