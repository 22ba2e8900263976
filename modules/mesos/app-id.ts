/** Names of ours as one name in the path of an app: `client@general-1` is no such name to Marathon. */
import { createHash } from 'node:crypto';

/** Unique as what it is made of: whatever had to be changed carries a mark. */
export function appName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text)) return text;
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return plain === '' ? mark : `${plain}-${mark}`;
}
