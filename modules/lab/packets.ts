/** What probes send, and what an answer is told by. */
import type { Version } from './syscall.ts';

/** Up to the size that is asked for, less the IPv4 header, and that of UDP, which the kernel adds. */
export function filled(bytes: Buffer, { size = 0, protocol }: { size?: number; protocol: string }): Buffer {
  return Buffer.concat([bytes], Math.max(bytes.length, size - 20 - (protocol === 'udp' ? 8 : 0)));
}

/** `mc01`, then the nonce: 8 bytes. */
export function question(nonce: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.write('mc01');
  bytes.writeUInt32BE(nonce, 4);
  return bytes;
}

export const echoReply = { 4: 0, 6: 129 } as const;

/** An echo request; the kernel fills in the identifier and the checksum. */
export function echo(nonce: number, version: Version): Buffer {
  const bytes = Buffer.alloc(16);
  bytes[0] = version === 4 ? 8 : 128;
  question(nonce).copy(bytes, 8);
  return bytes;
}
