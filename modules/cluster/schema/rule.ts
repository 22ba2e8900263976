/** A schema in words: the rule that a message or `explain` states. */

/** What we use of JSON Schema; the whole of `schema.ts` is of this form, which a test checks. */
export interface Schema {
  readonly type?: 'string' | 'integer' | 'boolean' | 'object' | 'array';
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly 'x-default'?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly patternErrorMessage?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly anyOf?: readonly Schema[];
}

export function rule(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(rule).join(', or ');
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number from ${schema.minimum ?? 0} to ${schema.maximum ?? 'any'}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return schema.patternErrorMessage ?? `text of at most ${schema.maxLength ?? 256} characters`;
    case 'array':
      return 'a list';
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? 'a map keyed by name'
        : `a map of ${Object.keys(schema.properties ?? {}).join(', ')}`;
    case undefined:
      return 'any value';
    default:
      return schema.type satisfies never;
  }
}
