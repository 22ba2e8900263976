/** What the schema says of a field, as data. */
import { nearest } from '../problem/nearest.ts';
import type { Problem } from '../problem/problem.ts';
import { fields, type Field } from './schema/fields.ts';
import { rule, type Schema } from './schema/rule.ts';
import { flow } from './show.ts';

export interface Explanation {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  /** What is taken when nothing is said, in words or as it would be written; absent where nothing is taken. */
  readonly default?: string;
  /** What is accepted. */
  readonly accepts: string;
  readonly examples: readonly string[];
  /** Fields right below this one. */
  readonly fields: readonly Explanation[];
}

/** All fields at the top of a description. */
export function overview(): Explanation[] {
  return fields()
    .filter(({ path }) => !/[.[]/.test(path))
    .map((field) => explanation(field, false));
}

/** The field of a path, where names that the user chooses may stand as `*` or as a name: `agents.general.count`. */
export function explainField(path: string): Explanation | undefined {
  const field = find(path);
  return field && explanation(field, true);
}

/** What to say of a word that is no field. */
export function unknownField(word: string, others: readonly string[]): Problem {
  const paths = fields().map(({ path }) => path);
  const last = word.split('.').at(-1) ?? '';
  const elsewhere = paths.filter((path) => path.split('.').at(-1) === last);
  const near = elsewhere.length > 0 ? elsewhere.slice(0, 4).join(', ') : nearest(word, [...paths, ...others]);
  return {
    code: 'unknown-field',
    what: `${word} is no field of a description and no cluster.${near ? ` Did you mean ${near}?` : ''}`,
    rule: `fields are written like calico.mtu or agents.*.count.`,
    ...(others.length > 0 && { example: others.slice(0, 4).join(', ') }),
  };
}

/** The field of a path, as `explainField` takes it. */
export function find(path: string): Field | undefined {
  const steps = path.replaceAll(/\[[0-9]*\]/g, '.[]').split('.');
  return fields().find((field) => {
    const known = field.path.replaceAll('[]', '.[]').split('.');
    return (
      known.length === steps.length &&
      known.every((step, index) => step === steps[index] || (step === '*' && steps[index] !== '[]'))
    );
  });
}

function explanation({ path, schema, required }: Field, deep: boolean): Explanation {
  const below = deep
    ? fields().filter((field) => field.path.startsWith(path) && /^(\.[^.[]+|\[\])$/.test(field.path.slice(path.length)))
    : [];
  const usual = schema['x-default'] ?? (schema.default === undefined ? undefined : flow(schema.default));
  return {
    path,
    type: typeOf(schema),
    required,
    description: schema.description ?? '',
    ...(usual !== undefined && { default: usual }),
    accepts: rule(schema),
    examples: (schema.examples ?? []).map((example) => flow(example)),
    fields: below.map((field) => explanation(field, false)),
  };
}

function typeOf(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  switch (schema.type) {
    case 'integer':
      return 'whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
    case 'object':
      return typeof schema.additionalProperties === 'object' ? 'map keyed by name' : 'map';
    case 'string':
    case undefined:
      return 'text';
    default:
      return schema.type satisfies never;
  }
}
