/**
 * Reads a policy file in any syntax.
 *
 *     readDocument(text, file) -> Result<PolicyDocument>; on failure, all problems of the file at once
 */
import { LineCounter, parseDocument } from 'yaml';
import type { PolicyDocument } from './document.ts';
import type { Result } from './result.ts';
import { Sheet } from './syntax/sheet.ts';
import { readShort } from './syntax/short.ts';

export function readDocument(text: string, file: string): Result<PolicyDocument> {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false });
  const sheet = new Sheet(text, file, lines, yaml);
  if (yaml.errors.length > 0) {
    return { ok: false, problems: yaml.errors.map((error) => sheet.yamlProblem(error)) };
  }
  const document = readShort(sheet, yaml.contents, file);
  return sheet.problems.length > 0 ? { ok: false, problems: sheet.problems } : { ok: true, value: document };
}
