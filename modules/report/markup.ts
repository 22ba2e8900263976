/** XML and HTML from templates in which every value is escaped, unless it is markup itself. */
import { clean } from './clean.ts';

/** Text that is already markup. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Markup | string | number | undefined | false | readonly Value[];

/** `undefined` and `false` are nothing; lists are joined; anything else is cleaned and escaped. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + show(values[index - 1]) + part));
}

function show(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value));
  return value.map(show).join('');
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escape = (text: string): string => clean(text).replace(/[&<>"']/g, (char) => escapes[char]!);

/** Text of several lines, each cleaned and escaped. */
export const lines = (list: readonly string[]): Markup => new Markup(list.map(escape).join('\n'));
