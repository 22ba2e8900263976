/** A tar archive of plain files, as ustar has it. Pure. */

export interface Entry {
  /** Up to 100 characters, without a slash before it. */
  readonly path: string;
  readonly body: Buffer;
}

const block = 512;

/** `time`: of every file, seconds since 1970. */
export function tar(entries: readonly Entry[], time: number): Buffer {
  const parts = entries.flatMap(({ path, body }) => [
    header(path, body.length, time),
    body,
    Buffer.alloc((block - (body.length % block)) % block),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(path: string, size: number, time: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`too long for a tar: ${path}`);
  const head = Buffer.alloc(block);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  head.write(path, 0);
  head.write(octal(0o600, 8), 100);
  head.write(octal(0, 8), 108);
  head.write(octal(0, 8), 116);
  head.write(octal(size, 12), 124);
  head.write(octal(time, 12), 136);
  head.write(' '.repeat(8), 148);
  head.write('0', 156);
  head.write('ustar\0', 257);
  head.write('00', 263);
  const sum = head.reduce((so, byte) => so + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return head;
}
