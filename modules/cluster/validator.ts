/**
 * The schema as a function. Compiling it takes some 100 ms of CPU, so the bundle of the cdktf app has the finished code in
 * this file's place (rolldown.config.js); it exports the same.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { formats } from './schema/formats.ts';
import { schema } from './schema/schema.ts';

let compiled: ValidateFunction | undefined;

/** Compiled once, and only by who needs it. */
export function validator(): ValidateFunction {
  compiled ??= compiler().compile(schema);
  return compiled;
}

/** Optimizing the code and checking the schema itself take more than twice the time of compiling it; a test checks it. */
export function compiler(source = false): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    verbose: true,
    validateSchema: false,
    code: { optimize: source, source, esm: source },
  });
  ajv.addVocabulary(['patternErrorMessage', 'x-default']);
  for (const [name, test] of Object.entries(formats)) ajv.addFormat(name, test);
  return ajv;
}
