/**
 * Composes the documents of a YAML text in a time that grows with its text, and no more: the library ends the process on thousands of
 * open brackets, compares every key of a map with every other, and loses count of lines in what is no YAML.
 *
 *     composeYaml(text) -> at least one document, with what is wrong among their errors, and where the lines begin
 */
import {
  isScalar,
  Lexer,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  visit,
  YAMLParseError,
  type Document,
} from 'yaml';
import { deepest } from '../deep.ts';

export function composeYaml(text: string): {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
} {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
  const options = { stringKeys: true, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;
  const tooDeep = deepAt(text);
  const parsed = parseAllDocuments(tooDeep === undefined ? text : '~', options);
  const documents = parsed.length === 0 ? [parseDocument('', options)] : parsed;
  if (tooDeep !== undefined) {
    documents[0]!.errors.push(wrong(tooDeep, 'IMPOSSIBLE', `It is nested in more than ${deepest} levels`));
  }
  for (const yaml of documents) {
    visit(yaml, {
      Map: (_, { items }) => {
        const seen = new Set<unknown>();
        for (const { key } of items) {
          if (!isScalar(key)) continue;
          if (seen.has(key.value)) {
            yaml.errors.push(wrong(key.range?.[0] ?? 0, 'DUPLICATE_KEY', 'Map keys must be unique'));
          }
          seen.add(key.value);
        }
      },
    });
  }
  return { documents, lines };
}

function wrong(offset: number, code: YAMLParseError['code'], message: string): YAMLParseError {
  return new YAMLParseError([offset, offset + 1], code, message);
}

/**
 * Where the text is nested too deep, if anywhere: more brackets are open, or more columns are indented to. A map and a
 * list in it may share a column, and of "key:" both the key and the colon count.
 */
function deepAt(text: string): number | undefined {
  const columns: number[] = [];
  let [offset, lineStart, open] = [0, 0, 0];
  /** Only dashes, question marks and colons stand before a token that begins something deeper. */
  let leading = true;
  for (const token of new Lexer().lex(text)) {
    const control = /^[\x02\x18\x1f]/.test(token);
    if (control) {
      if (token === '\x18') open = 0;
      continue;
    }
    if (token === '[' || token === '{') open++;
    else if (token === ']' || token === '}') open = Math.max(0, open - 1);
    else if (open <= 0 && (leading || token === ':') && /^[^\s#]/.test(token)) {
      const column = offset - lineStart;
      while (columns.length > 0 && columns.at(-1)! >= column) columns.pop();
      columns.push(column);
    }
    if (open + columns.length / 2 > deepest) return offset;
    offset += token.length;
    const newline = token.lastIndexOf('\n');
    if (newline >= 0) [lineStart, leading] = [offset - token.length + newline + 1, true];
    else if (!/^(?:[-?:]|\s+)$/.test(token)) leading = false;
  }
  return undefined;
}
