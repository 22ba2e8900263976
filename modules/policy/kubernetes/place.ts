/** Where the characters of a text stand that is a value of a YAML document. */
import { isScalar } from 'yaml';
import type { Place } from '../../problem/problem.ts';
import { along } from '../result.ts';
import type { Sheet } from '../syntax/sheet.ts';
import type { Field } from './fields.ts';

/** From an offset into the text to its place; as much of it as is sure. */
export function placesIn(sheet: Sheet, { value, path }: Field, text: string): (offset: number) => Place {
  const node = sheet.resolve(value);
  const start = sheet.at(node, path);
  const range = isScalar(node) ? node.range : undefined;
  if (!isScalar(node) || !range) return () => start;
  if (node.type === 'BLOCK_LITERAL') {
    // Line by line what stands in the file below the "|"; how far it is indented is not known here.
    const { file, line = 1 } = start;
    return (offset) => ({ file, line: line + text.slice(0, offset).split('\n').length, path });
  }
  const quotes = node.type === 'PLAIN' ? 0 : 1;
  // With escapes or line breaks columns would lie: then the start is all that is sure.
  if (node.type === 'BLOCK_FOLDED' || range[1] - range[0] !== text.length + 2 * quotes) return () => start;
  return (offset) => along(start, quotes + offset);
}
