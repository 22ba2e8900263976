/** The schema held against a document; what ajv finds becomes problems in terms of the person who wrote it. */
import type { DefinedError } from 'ajv/dist/2020.js';
import type { Problem } from '../problem/problem.ts';
import { nearest } from '../problem/nearest.ts';
import type { Document } from './document.ts';
import { fromPointer, valueAt, written, type Path } from './path.ts';
import { readRange } from './range.ts';
import { fields } from './schema/fields.ts';
import { rule, type Schema } from './schema/rule.ts';
import { flow, seen } from './show.ts';
import { validator } from './validator.ts';

/** An error of one of the keywords that schema.ts uses; a test walks the schema and fails on any other. */
type Broken = DefinedError & {
  keyword:
    | 'additionalProperties'
    | 'anyOf'
    | 'enum'
    | 'format'
    | 'maximum'
    | 'maxLength'
    | 'maxProperties'
    | 'minimum'
    | 'minItems'
    | 'minProperties'
    | 'pattern'
    | 'propertyNames'
    | 'required'
    | 'type'
    | 'uniqueItems';
};

/** Every problem of form that a document has; none means that its value is a `Description`. */
export function checkShape(document: Document): Problem[] {
  const validate = validator();
  if (validate(document.value)) return [];
  const errors = chooseBranches((validate.errors ?? []) as unknown as readonly Broken[], document.value);
  const problems = errors.flatMap((error) => translate(error, document));
  // A value can break two rules of one kind at once; its place is told once.
  const keys = new Set<string>();
  return problems.filter((problem) => {
    const key = `${problem.code} ${problem.at?.path ?? ''}`;
    return !keys.has(key) && keys.add(key);
  });
}

/**
 * Of the branches of an `anyOf`, keeps the errors of the one whose type the value has; when it has the type of none, the
 * one error that says so. Without this, a misspelt key in one branch would come with a complaint of every other.
 */
function chooseBranches(errors: readonly Broken[], root: unknown): readonly Broken[] {
  const forks = errors.filter((error) => error.keyword === 'anyOf');
  return errors.filter((error) =>
    forks.every((fork) => {
      if (error === fork) return meant(fork, root) === undefined;
      if (!error.schemaPath.startsWith(`${fork.schemaPath}/`)) return true;
      return meant(fork, root) === Number(error.schemaPath.slice(fork.schemaPath.length + 1).split('/')[0]);
    }),
  );
}

/** Which branch of a fork a value is meant for, by its type. */
function meant(fork: Broken, root: unknown): number | undefined {
  const value = valueAt(root, fromPointer(fork.instancePath, root));
  const branches = (fork.parentSchema as Schema).anyOf ?? [];
  const index = branches.findIndex((branch) => branch.type === typeOf(value));
  return index < 0 ? undefined : index;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return value === null ? 'null' : typeof value;
}

function translate(error: Broken, document: Document): Problem[] {
  // What is wrong with a key is told once, by the propertyNames error around it.
  if (error.propertyName !== undefined) return [];
  const path = fromPointer(error.instancePath, document.value);
  const broken = error.parentSchema as Schema;
  const name = path.length > 0 ? written(path) : 'The file';
  const last = path.at(-1);
  const at = document.at(path);
  const value = seen(error.data, document.source(path));
  const rest = { rule: `${rule(broken)}.`, ...example(broken, last) };

  switch (error.keyword) {
    case 'additionalProperties':
      return [unknownKey(error.params.additionalProperty, path, broken, document)];
    case 'required': {
      const key = error.params.missingProperty;
      const inner = broken.properties?.[key] ?? {};
      const there = Object.keys(error.data as object);
      return [
        {
          code: 'missing-key',
          at: { ...at, path: written([...path, key]) },
          what: `${name} has no ${key}${there.length > 0 ? `, only ${there.join(', ')}` : ''}.`,
          rule: inner.description ?? '',
          ...example(inner, key),
        },
      ];
    }
    case 'type':
    case 'anyOf':
      return [{ code: 'wrong-type', at, what: wrongType(name, error.data, value, broken), ...rest }];
    case 'enum': {
      const near = typeof error.data === 'string' ? nearest(error.data, broken.enum ?? []) : undefined;
      return [{ code: 'not-one-of', at, what: `${name} is ${value}.${near ? ` Did you mean ${near}?` : ''}`, ...rest }];
    }
    case 'pattern':
      return [{ code: 'bad-form', at, what: `${name} is ${value}.`, ...rest }];
    case 'format':
      return [{ code: 'bad-form', at, what: `${name} is ${value}${rangeFault(broken.format, error.data)}.`, ...rest }];
    case 'minimum':
    case 'maximum':
      return [{ code: 'out-of-range', at, what: `${name} is ${value}.`, ...rest }];
    case 'maxLength':
      return [
        {
          code: 'too-long',
          at,
          what: `${name} is ${value}, ${String(error.data).length} characters long.`,
          rule: `at most ${error.params.limit} characters.`,
          ...example(broken, last),
        },
      ];
    case 'minItems':
    case 'minProperties':
      return [
        {
          code: 'empty',
          at,
          what: `${name} is ${value}, which is empty.`,
          rule: broken.description ?? '',
          ...example(broken, last),
        },
      ];
    case 'maxProperties': {
      const keys = Object.keys(error.data as object);
      return [
        {
          code: 'two-targets',
          at: document.atKey([...path, keys[1] ?? '']),
          what: `${name} names ${keys.join(' and ')}.`,
          rule: broken.description ?? '',
          remedy: 'a file for each; take one of the keys away here',
        },
      ];
    }
    case 'uniqueItems': {
      const item = [...path, Math.max(error.params.i, error.params.j)];
      return [
        {
          code: 'item-twice',
          at: { ...document.at(item), path: written(item) },
          what: `${seen(valueAt(document.value, item), document.source(item))} stands twice in ${name}.`,
          rule: 'every entry stands once.',
          remedy: 'take one away',
        },
      ];
    }
    case 'propertyNames': {
      const key = error.params.propertyName;
      return [
        {
          code: 'bad-name',
          at: document.atKey([...path, key]),
          what: `${seen(key)} cannot be a key of ${name}.`,
          rule: `${broken.propertyNames?.patternErrorMessage ?? ''}.`,
          ...example(broken, last),
        },
      ];
    }
    default:
      return error satisfies never;
  }
}

function wrongType(name: string, data: unknown, value: string, broken: Schema): string {
  if (data === null) return `${name} is empty.`;
  if (broken.type === 'string' && typeof data === 'number')
    return `${name} is the number ${value}; as text it stands in quotes: '${value}'.`;
  if (broken.type === 'integer' && typeof data === 'string') return `${name} is the text ${value}.`;
  return `${name} is ${value}.`;
}

function unknownKey(key: string, path: Path, broken: Schema, document: Document): Problem {
  const known = Object.keys(broken.properties ?? {});
  const inner = [...path, key];
  const near = nearest(key, known);
  const elsewhere = near === undefined ? home(key, document) : undefined;
  const hint = near ? ` Did you mean ${near}?` : elsewhere ? ` It belongs at ${elsewhere}.` : '';
  const name = path.length > 0 ? written(path) : 'a description';
  return {
    code: 'unknown-key',
    at: document.atKey(inner),
    what: `${seen(key)} is no key of ${name}.${key === '<<' ? ' YAML merge keys are not read.' : hint}`,
    rule: `the keys are ${known.join(', ')}.`,
    ...(near
      ? { example: `${near}: ${flow(broken.properties?.[near]?.examples?.[0])}` }
      : { remedy: `npm run explain${path.length > 0 ? ` ${written(path)}` : ''}` }),
  };
}

/** Where a key that is right in another place belongs, on the target of this description. */
function home(key: string, document: Document): string | undefined {
  const targets = valueAt(document.value, ['target']);
  const used = typeof targets === 'object' && targets !== null ? Object.keys(targets) : [];
  return fields()
    .map(({ path }) => path)
    .filter((path) => path.split('.').at(-1) === key)
    .filter((path) => !path.startsWith('target.') || used.includes(path.split('.')[1] ?? ''))
    .sort((a, b) => a.split('.').length - b.split('.').length)[0];
}

/** What exactly is wrong with an address range, where more can be said than its rule. */
function rangeFault(format: string | undefined, data: unknown): string {
  if (!format?.startsWith('cidr') || typeof data !== 'string') return '';
  const found = readRange(data);
  if (!('fault' in found)) return ', which is not IPv4';
  switch (found.fault) {
    case 'form':
      return ', which is no address range';
    case 'no prefix':
      return ', without a prefix length';
    case 'host bits':
      return `, which lies within ${found.meant}`;
    default:
      return found satisfies never;
  }
}

function example(of: Schema, key: string | number | undefined): { example?: string } {
  const first = of.examples?.[0];
  if (first === undefined) return {};
  return { example: typeof key === 'string' ? `${key}: ${flow(first)}` : flow(first) };
}
