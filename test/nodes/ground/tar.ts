/** A tar archive made in memory: what images, and downloads that are archives, consist of. */

export type Entry =
  | { readonly path: string; readonly content: string | Buffer; readonly mode?: number }
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly folder: true };

const block = 512;

/** The same bytes for the same entries: owner root, time 0. Paths of up to 100 characters. */
export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(pieces), Buffer.alloc(2 * block)]);
}

function pieces(entry: Entry): Buffer[] {
  if ('folder' in entry) return [header(`${entry.path}/`, 0, 0o755, '5', '')];
  if ('link' in entry) return [header(entry.path, 0, 0o777, '2', entry.link)];
  const content = Buffer.from(entry.content);
  const padding = Buffer.alloc((block - (content.length % block)) % block);
  return [header(entry.path, content.length, entry.mode ?? 0o644, '0', ''), content, padding];
}

/** Of the format ustar: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html. */
function header(path: string, size: number, mode: number, type: string, link: string): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number): void =>
    void bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  bytes.write(path, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  bytes.write('        ', 148);
  bytes.write(type, 156);
  bytes.write(link, 157);
  bytes.write('ustar\0' + '00', 257);
  bytes.write('root', 265);
  bytes.write('root', 297);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
