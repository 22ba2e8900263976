/** A few lines of aliases of aliases can stand for millions of nodes, all of which a reader would read. */
import { isMap, isSeq } from 'yaml';
import type { Sheet } from '../syntax/sheet.ts';

const many = 100_000;

/** Whether aliases blow a document up beyond what a person would write. */
export function isBlownUp(sheet: Sheet, root: unknown): boolean {
  const sizes = new Map<unknown, number>();
  let written = 0;
  const sizeOf = (node: unknown): number => {
    const one = sheet.resolve(node);
    if (!isMap(one) && !isSeq(one)) {
      written++;
      return 1;
    }
    const known = sizes.get(one);
    if (known !== undefined) return known;
    // What stands in itself counts once; the readers do not follow it for ever.
    sizes.set(one, 1);
    written++;
    const inside = isMap(one) ? one.items.map(({ value }) => value) : one.items;
    const size = inside.reduce<number>((sum, value) => sum + sizeOf(value), 1);
    sizes.set(one, size);
    return size;
  };
  const all = sizeOf(root);
  return all > many && all > 10 * written;
}
