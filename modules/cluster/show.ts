import { stringify } from 'yaml';

/** A value on one line, as a person would write it in YAML, cut where it gets long. */
export function flow(value: unknown, longest = 120): string {
  return cut(line(value), longest);
}

/** What somebody wrote, as they wrote it; a private key is never repeated. */
export function seen(value: unknown, source?: string): string {
  if (value === null) return 'nothing';
  const text = (source ?? line(value)).replaceAll(/\s+/g, ' ');
  if (text.includes('PRIVATE KEY')) return 'a private key';
  return cut(text, 60);
}

function line(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${scalar(key)}: ${line(inner)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return scalar(value);
}

/** Through the library, in a flow list, so that what needs quotes there gets them. */
function scalar(value: unknown): string {
  return stringify([value], { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false, singleQuote: true })
    .trim()
    .slice(1, -1);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
