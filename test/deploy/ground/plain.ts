/** The XML of AWS's query API as plain objects: a list's `item` or `member` elements are an array. */
import { SaxesParser } from 'saxes';

export type Plain = string | Plain[] | { readonly [name: string]: Plain };

/** The document's root element without its name. Empty elements are empty texts. */
export function plain(xml: string): Plain {
  interface Open {
    readonly name: string;
    readonly fields: Record<string, Plain>;
    readonly items: Plain[];
    text: string;
  }
  const stack: Open[] = [];
  let whole: Plain = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => stack.push({ name, fields: {}, items: [], text: '' }));
  parser.on('text', (text) => {
    const top = stack.at(-1);
    if (top) top.text += text;
  });
  parser.on('closetag', () => {
    const { name, fields, items, text } = stack.pop()!;
    const value: Plain = items.length > 0 ? items : Object.keys(fields).length > 0 ? fields : text.trim();
    const parent = stack.at(-1);
    if (parent === undefined) whole = value;
    else if (name === 'item' || name === 'member') parent.items.push(value);
    else parent.fields[name] = value;
  });
  parser.write(xml).close();
  return whole;
}

/** The items of a list, through lists on the way to it. */
export function itemsAt(value: Plain, path: string): Plain[] {
  let found: Plain[] = [value];
  for (const name of path.split('.')) {
    found = found.flatMap((one) => {
      const next = typeof one === 'object' && !Array.isArray(one) ? one[name] : undefined;
      return next === undefined || next === '' ? [] : Array.isArray(next) ? next : [next];
    });
  }
  return found;
}

/** The text at a place; empty where there is none. */
export function textAt(value: Plain, path: string): string {
  const [first] = itemsAt(value, path);
  return typeof first === 'string' ? first : '';
}
