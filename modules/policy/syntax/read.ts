/**
 * Reads a policy file in any syntax; which one it is, is seen from the text.
 *
 *     readDocument(text, file, felix?) -> Result<PolicyDocument>; on failure, all problems of the file at once
 *
 * | syntax                                   | seen by                                          |
 * |---|---|
 * | the short form                           | a map without `kind` and `apiVersion`            |
 * | lines of `calicoctl profile`             | the first line that is no comment                |
 * | `calicoctl profile NAME rule json`       | JSON with `inbound_rules` or `outbound_rules`    |
 * | objects in etcd                          | JSON by keys that begin with `/calico/`, or etcd's answer |
 * | resources of calicoctl 1.x               | `kind` with a small letter first                 |
 * | objects of Kubernetes                    | `kind` with a capital first                      |
 *
 * Except in the short form, comments say what the file is and what is expected of it: `# title: …`, `# expect: …`.
 */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Problem } from '../../problem/problem.ts';
import type { Change } from '../change.ts';
import { isDeep } from '../deep.ts';
import type { PolicyDocument } from '../document.ts';
import { parseExpect } from './expect.ts';
import { plainFelix, type Felix } from '../felix.ts';
import { readObject } from '../kubernetes/object.ts';
import type { Result } from '../result.ts';
import { areCommands, readCommands } from './commands.ts';
import { isEtcd, readEtcdFile } from './etcd.ts';
import { readResource } from './resources.ts';
import { readRuleJson } from './rulejson.ts';
import { Sheet } from './sheet.ts';
import { readShort } from './short.ts';
import { composeYaml } from './yaml.ts';

export function readDocument(text: string, file: string, felix: Felix = plainFelix): Result<PolicyDocument> {
  const read: Result<Read | PolicyDocument> = areCommands(text)
    ? onlyChanges(readCommands(text, file))
    : (fromJson(text, file, felix) ?? fromYaml(text, file));
  if (read.ok && 'profiles' in read.value) return { ok: true, value: read.value };
  const commented = comments(text, file);
  if (!read.ok || !commented.ok) {
    return { ok: false, problems: [read, commented].flatMap((one) => (one.ok ? [] : one.problems)) };
  }
  return { ok: true, value: { file, profiles: {}, ...read.value, ...commented.value } };
}

interface Read {
  readonly changes: readonly Change[];
  readonly warnings: readonly Problem[];
}

function onlyChanges(read: Result<readonly Change[]>): Result<Read> {
  return read.ok ? { ok: true, value: { changes: read.value, warnings: [] } } : read;
}

/** Undefined for what is no JSON, or is JSON of another syntax: YAML takes that as well, and knows places. */
function fromJson(text: string, file: string, felix: Felix): Result<Read> | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  // As YAML it is refused, with its place.
  if (isDeep(json)) return undefined;
  if (isEtcd(json)) return { ok: true, value: readEtcdFile(json, file, felix) };
  const keys = typeof json === 'object' && json !== null ? Object.keys(json) : [];
  const isRules = keys.some((key) => key === 'inbound_rules' || key === 'outbound_rules') && !keys.includes('kind');
  return isRules ? onlyChanges(readRuleJson(text, file)) : undefined;
}

function fromYaml(text: string, file: string): Result<Read | PolicyDocument> {
  const { documents, lines } = composeYaml(text);
  const sheets = documents.map((yaml) => new Sheet(text, file, lines, yaml));
  const broken = documents.flatMap(({ errors }, index) => errors.map((error) => sheets[index]!.yamlProblem(error)));
  if (broken.length > 0) return { ok: false, problems: broken };

  const said = documents.flatMap(({ contents }, index) =>
    contents === null ? [] : [{ contents, sheet: sheets[index]! }],
  );
  const [first, second] = said;
  if (first === undefined || !isObject(first.contents)) {
    const sheet = first?.sheet ?? sheets[0]!;
    const document = readShort(sheet, first?.contents ?? null, file);
    if (second !== undefined) sheet.add(severalDocuments(second.sheet, second.contents));
    return sheet.problems.length > 0 ? { ok: false, problems: sheet.problems } : { ok: true, value: document };
  }
  const changes = said.flatMap(({ contents, sheet }, index) =>
    objectsIn(sheet, contents, said.length > 1 ? `[${index}]` : ''),
  );
  const problems = sheets.flatMap((sheet) => sheet.problems);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { changes, warnings: deprecatedOnce(sheets.flatMap((sheet) => sheet.warnings)) } };
}

/** A file of many pods says it once. */
function deprecatedOnce(warnings: readonly Problem[]): readonly Problem[] {
  const first = warnings.find(({ code }) => code === 'deprecated-annotation');
  return warnings.filter((one) => one === first || one.code !== 'deprecated-annotation');
}

/** One object, or a list of them as calicoctl writes it. */
function objectsIn(sheet: Sheet, node: Node | null, path: string): readonly Change[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => objectsIn(sheet, item as Node, `${path}[${index}]`));
  const kind = isMap(node) ? node.get('kind') : undefined;
  return typeof kind === 'string' && /^[a-z]/.test(kind)
    ? readResource(sheet, node, path)
    : readObject(sheet, node, path);
}

function isObject(node: Node | null): boolean {
  if (isSeq(node)) return isObject(node.items[0] as Node);
  return (
    isMap(node) && node.items.some(({ key }) => isScalar(key) && (key.value === 'kind' || key.value === 'apiVersion'))
  );
}

function severalDocuments(sheet: Sheet, node: Node | null): Problem {
  return {
    code: 'several-documents',
    at: sheet.at(node, ''),
    what: 'A second document begins here.',
    rule: 'In the short form a file is one YAML document.',
  };
}

/** What comments say of a file whose syntax has no place for it. */
function comments(text: string, file: string): Result<Pick<PolicyDocument, 'title' | 'expect'>> {
  let title = file
    .split('/')
    .at(-1)!
    .replace(/\.\w+$/, '');
  const problems: Problem[] = [];
  const expect: { text: string; line: number }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [whole, key, said] = /^# (title|expect):\s*(.*?)\s*$/.exec(line) ?? [];
    if (whole === undefined || said === undefined) continue;
    if (key === 'title') title = said === '' ? title : said;
    else {
      const at = { file, line: index + 1, column: line.indexOf(said, 9) + 1 };
      const parsed = parseExpect(said, at);
      if (parsed.ok) expect.push({ text: said, line: index + 1 });
      else problems.push(...parsed.problems);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: { title, expect } };
}
