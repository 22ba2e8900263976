/** Reads one YAML document of an object of Kubernetes, for the tests of its readers. */
import type { Change } from '../../../../modules/policy/change.ts';
import { readObject } from '../../../../modules/policy/kubernetes/object.ts';
import { Sheet } from '../../../../modules/policy/syntax/sheet.ts';
import { composeYaml } from '../../../../modules/policy/syntax/yaml.ts';
import type { Problem } from '../../../../modules/problem/problem.ts';

export interface Reading {
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Of text that is YAML. */
export function reading(text: string): Reading {
  const { documents, lines } = composeYaml(text);
  const yaml = documents[0]!;
  if (yaml.errors.length > 0) throw new Error(`not YAML: ${yaml.errors[0]?.message ?? ''}`);
  const sheet = new Sheet(text, 'web.yaml', lines, yaml);
  const changes = readObject(sheet, yaml.contents, '');
  return { changes, problems: sheet.problems, warnings: sheet.warnings };
}

/** `code line path` of each. */
export function told(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ code, at }) => `${code} ${at?.line ?? 0} ${at?.path ?? ''}`.trimEnd());
}

/** What a good document changes, without the places. */
export function plain(text: string): unknown {
  const { changes, problems } = reading(text);
  if (problems.length > 0) throw new Error(told(problems).join('\n'));
  return placeless(changes);
}

export function placeless(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inside: unknown) => (key === 'at' ? undefined : inside)));
}
