import { Ajv2020 } from 'ajv/dist/2020.js';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { readDescription } from '../../../modules/cluster/read.ts';
import { fields } from '../../../modules/cluster/schema/fields.ts';
import { formats } from '../../../modules/cluster/schema/formats.ts';
import type { Schema } from '../../../modules/cluster/schema/rule.ts';
import { published, schema } from '../../../modules/cluster/schema/schema.ts';

function checker() {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  ajv.addVocabulary(['patternErrorMessage', 'x-default']);
  for (const [name, check] of Object.entries(formats)) ajv.addFormat(name, check);
  return ajv;
}

test('docs/cluster.schema.json is what editors shall have', async () => {
  const text = await format(published(), { parser: 'json', printWidth: 120 });
  await expect(text).toMatchFileSnapshot('../../../docs/cluster.schema.json');
});

test('every field says what it means, with examples that it takes itself', () => {
  const ajv = checker();
  const root = { path: '', schema: schema as unknown as Schema };
  for (const field of [root, ...fields()]) {
    expect(field.schema.description?.length ?? 0, field.path).toBeGreaterThan(10);
    expect(field.schema.description, field.path).toMatch(/[.…]$/);
    expect(field.schema.examples?.length ?? 0, field.path).toBeGreaterThan(0);
    const check = ajv.compile(field.schema);
    for (const example of field.schema.examples ?? []) {
      expect(check(example), `${field.path}: ${JSON.stringify(example)} ${JSON.stringify(check.errors)}`).toBe(true);
    }
    if (field.schema.default !== undefined) expect(check(field.schema.default), `${field.path}: default`).toBe(true);
  }
});

test('the example of a whole description is right', () => {
  const [example] = (schema as unknown as Schema).examples ?? [];
  expect(readDescription('clusters/lab.yaml', JSON.stringify(example)).problems).toEqual([]);
});

test('the schema uses only what problems and explain have words for', () => {
  const known = new Set(
    'type description examples default x-default enum pattern format patternErrorMessage minimum maximum maxLength minItems uniqueItems minProperties maxProperties items properties required additionalProperties propertyNames anyOf'.split(
      ' ',
    ),
  );
  for (const { path, schema: one } of fields()) {
    for (const key of Object.keys(one)) expect(known, `${path}: ${key}`).toContain(key);
    // Without a limit, a rule in words would have to say "any".
    if (one.type === 'integer') expect([typeof one.minimum, typeof one.maximum], path).toEqual(['number', 'number']);
    if (one.pattern ?? one.format) expect(one.patternErrorMessage, path).toBeDefined();
    if (one.type === 'object') expect(one.additionalProperties, path).toBeDefined();
  }
});
