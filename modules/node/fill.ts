/** Fills in templates strictly: a place without a value and a value without a place are both mistakes of ours. */
import type { Content, Values } from './fragment.ts';

/** Text of each file under templates/, by its path there: `etcd/etcd.service`. */
export type Templates = ReadonlyMap<string, string>;

const place = /\{\{([a-z][a-zA-Z0-9]*)\}\}/g;
const placeAlone = /^[ \t]*\{\{([a-z][a-zA-Z0-9]*)\}\}[ \t]*\n/gm;

/**
 * The text of a content, ending in a newline.
 * A line that holds nothing but a place vanishes where its value is empty, so that a template can have optional lines.
 * @throws Error on an unknown template, a missing or an unused value.
 */
export function text(content: Content, templates: Templates): string {
  if ('json' in content) return `${JSON.stringify(content.json, null, 2)}\n`;
  if ('lines' in content) return content.lines.map((line) => `${line}\n`).join('');
  const template = templates.get(content.template);
  if (template === undefined) throw new Error(`there is no template ${content.template}`);
  return fill(content.template, template, content.with ?? {});
}

function fill(name: string, template: string, values: Values): string {
  const used = new Set<string>();
  const valueOf = (key: string): string => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) throw new Error(`template ${name} needs a value for ${key}`);
    used.add(key);
    return String(value);
  };
  const filled = template
    .replace(placeAlone, (line, key: string) => (valueOf(key) === '' ? '' : line))
    .replace(place, (_, key: string) => valueOf(key));
  const unused = Object.keys(values).filter((key) => !used.has(key));
  if (unused.length > 0) throw new Error(`template ${name} has no place for ${unused.join(', ')}`);
  return filled;
}
