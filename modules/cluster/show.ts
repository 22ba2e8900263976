import { stringify } from 'yaml';

/** A value on one line, as a person would write it in YAML, cut where it gets long. */
export function flow(value: unknown, longest = 120): string {
  return cut(
    stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trimEnd(),
    longest,
  );
}

/** What somebody wrote, as they wrote it; a private key is never repeated. */
export function seen(value: unknown, source?: string): string {
  if (value === null) return 'nothing';
  const text = (source ?? flow(value)).replaceAll(/\s+/g, ' ');
  if (text.includes('PRIVATE KEY')) return 'a private key';
  return cut(text, 60);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
