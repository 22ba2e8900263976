/** Selectors of labels: LabelSelector of the Kubernetes API, and the plain pairs of v1alpha1. */
import { isMap, isSeq } from 'yaml';
import type { LabelRequirement, LabelSelector } from '../change.ts';
import { hint } from '../hint.ts';
import type { Sheet } from '../syntax/sheet.ts';
import { type Field, missing, readFields, readItems, readText, type Schema } from './fields.ts';
import { checkLabelKey, readLabelValue, readPairs } from './label.ts';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
const expressionExample = '- {key: role, operator: In, values: [client]}';
const selectorSchema: Schema = {
  keys: ['matchLabels', 'matchExpressions'],
  meant: 'a selector of labels, such as {matchLabels: {role: client}}, or {} for all,',
  rule: 'A selector has "matchLabels" and "matchExpressions"; plain pairs stand under "matchLabels".',
};
const expressionSchema: Schema = {
  keys: ['key', 'operator', 'values'],
  meant: 'an expression with "key", "operator" and "values"',
};

/** A LabelSelector. All parts must hold. */
export function readSelector(sheet: Sheet, selector: Field): LabelSelector {
  const fields = readFields(sheet, selector, selectorSchema);
  const labels = fields?.get('matchLabels');
  const expressions = fields?.get('matchExpressions');
  const pairs = labels === undefined ? [] : readPairs(sheet, labels, 'a map of labels, or {} for none,');
  return [
    ...pairs.map(equals),
    ...(expressions === undefined ? [] : readItems(sheet, expressions, expressionExample)).flatMap((one) => {
      const requirement = readExpression(sheet, one);
      return requirement === undefined ? [] : [requirement];
    }),
  ];
}

/** The selector of v1alpha1: plain pairs. `matchLabels` with a map behind it is the way of the later versions. */
export function readFlatSelector(sheet: Sheet, selector: Field): LabelSelector {
  const node = sheet.resolve(selector.value);
  const later = !isMap(node)
    ? undefined
    : ['matchLabels', 'matchExpressions'].find((key) => {
        const value = sheet.resolve(node.get(key, true));
        return isMap(value) || isSeq(value);
      });
  if (later === undefined) {
    return readPairs(sheet, selector, 'a map of labels such as {role: client}, or {} for all,').map(equals);
  }
  sheet.add({
    code: 'not-in-this-version',
    at: sheet.at(selector.value, selector.path),
    what: `v1alpha1 has no "${later}".`,
    rule: 'Its selectors are plain pairs of key and value, all of which must hold. k8s-policy 0.1 failed at anything else, and left standing what it had programmed before.',
    example: '{role: client}',
  });
  return [];
}

const equals = ([key, value]: readonly [string, string]): LabelRequirement => ({
  key,
  operator: 'In',
  values: [value],
});

function readExpression(sheet: Sheet, expression: Field): LabelRequirement | undefined {
  const fields = readFields(sheet, expression, expressionSchema);
  if (fields === undefined) return undefined;
  const rule = 'An expression has a key and an operator.';
  const key = fields.get('key');
  const operator = fields.get('operator');
  if (key === undefined) missing(sheet, expression, 'key', rule, expressionExample);
  if (operator === undefined) missing(sheet, expression, 'operator', rule, expressionExample);
  const keyText = key === undefined ? undefined : readText(sheet, key, 'key: role');
  const isKey = key !== undefined && keyText !== undefined && checkLabelKey(sheet, keyText, key.value, key.path);
  const known = operator === undefined ? undefined : readOperator(sheet, operator);
  const values = readValues(sheet, expression, fields.get('values'), known);
  return isKey && known !== undefined ? { key: keyText, operator: known, values } : undefined;
}

function readOperator(sheet: Sheet, field: Field): LabelRequirement['operator'] | undefined {
  const text = readText(sheet, field, 'operator: In');
  const known = operators.find((one) => one === text);
  if (known !== undefined || text === undefined) return known;
  sheet.add({
    code: 'unknown-operator',
    at: sheet.at(field.value, field.path),
    what: `"${text}" is no operator.${hint(text, operators)}`,
    rule: `The operators are ${operators.join(', ')}, in these letters.`,
    example: expressionExample,
  });
  return undefined;
}

function readValues(
  sheet: Sheet,
  expression: Field,
  field: Field | undefined,
  operator: LabelRequirement['operator'] | undefined,
): readonly string[] {
  const values = field === undefined ? [] : readItems(sheet, field, 'values: [client]');
  const texts = values.map((one) => readLabelValue(sheet, one, '- "client"'));
  const compares = operator === 'In' || operator === 'NotIn';
  if (compares && values.length === 0 && (field === undefined || isSeq(sheet.resolve(field.value)))) {
    sheet.add({
      code: 'missing-values',
      at: sheet.at((field ?? expression).value, (field ?? expression).path),
      what: `"${operator}" has nothing to compare with.`,
      rule: '"In" and "NotIn" have at least one value.',
      example: expressionExample,
    });
  }
  if (operator !== undefined && !compares && field !== undefined && values.length > 0) {
    sheet.add({
      code: 'needless-values',
      at: sheet.at(field.value, field.path),
      what: `"${operator}" compares with nothing, and here are values.`,
      rule: '"Exists" and "DoesNotExist" ask for the key alone.',
      example: '- {key: role, operator: Exists}',
    });
  }
  return texts.filter((text) => text !== undefined);
}
