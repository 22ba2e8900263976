/** The schema held against a cloud-config, and what ajv finds told in terms of its writer. */
import { Ajv2020, type DefinedError, type ValidateFunction } from 'ajv/dist/2020.js';
import { nearest } from '../../problem/nearest.ts';
import { forbidden, schema, type CloudConfig } from '../schema/cloud-config.ts';
import type { Path, Say } from './say.ts';

/** An error of one of the keywords that the schema uses. */
type Broken = DefinedError & {
  keyword: 'additionalProperties' | 'enum' | 'minLength' | 'pattern' | 'required' | 'type';
};

let compiled: ValidateFunction<CloudConfig> | undefined;

export function isCloudConfig(value: unknown, say: Say): value is CloudConfig {
  compiled ??= new Ajv2020({ strict: true, allErrors: true, verbose: true }).compile<CloudConfig>(schema);
  if (compiled(value)) return true;
  for (const error of (compiled.errors ?? []) as unknown as readonly Broken[]) translate(error, say);
  return false;
}

function translate(error: Broken, say: Say): void {
  const parts = error.instancePath.split('/').slice(1);
  const path = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const seen = JSON.stringify(error.data);
  switch (error.keyword) {
    case 'additionalProperties': {
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      strangeKey([...path, error.params.additionalProperty], known, say);
      return;
    }
    case 'required':
      say('missing-key', path, `${error.params.missingProperty} is missing.`);
      return;
    case 'type':
      say(
        'wrong-type',
        path,
        `${seen} is no ${error.params.type}.`,
        error.params.type === 'string'
          ? 'what YAML takes for a number, yes or no is a string only in quotes.'
          : undefined,
      );
      return;
    case 'enum':
      say('bad-value', path, `${seen} is none of ${error.params.allowedValues.join(', ')}.`);
      return;
    case 'pattern':
      say('bad-value', path, `${seen} is not of the form ${error.params.pattern}.`);
      return;
    case 'minLength':
      say('bad-value', path, 'it is empty.');
      return;
    default:
      error satisfies never;
  }
}

function strangeKey(path: Path, known: readonly string[], say: Say): void {
  const key = String(path.at(-1));
  const underscored = key.replaceAll('-', '_');
  const why =
    forbidden[
      path
        .map((part) => (typeof part === 'number' ? '[]' : part))
        .join('.')
        .replaceAll('.[]', '[]')
    ];
  if (why !== undefined) {
    say('forbidden-key', path, 'not to be used.', `${why}.`);
  } else if (underscored !== key && known.includes(underscored)) {
    say(
      'dashed-key',
      path,
      `written with dashes it means nothing; write ${underscored}.`,
      'since 3975 Flatcar ignores dashed keys without a word, and coreos-cloudinit -validate calls them valid.',
    );
  } else {
    const near = nearest(key, known);
    say('unknown-key', path, `there is no such key.${near === undefined ? '' : ` Did you mean ${near}?`}`);
  }
}
