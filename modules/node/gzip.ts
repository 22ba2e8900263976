import { gzipSync } from 'fflate';

/** A text packed: the same bytes on every machine and on every day. */
export const gzip = (text: string): Uint8Array => gzipSync(new TextEncoder().encode(text), { level: 9, mtime: 0 });
