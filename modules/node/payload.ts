/** The boot payload of a node: its plan in the form that the machine reads, packed where only that fits. */
import type { AwsTarget, Cluster, GceTarget } from '../cluster/cluster.ts';
import { cloudConfig } from './cloud-config.ts';
import { gzip } from './gzip.ts';
import { ignition, packed } from './ignition.ts';
import type { NodePlan } from './plan.ts';

export interface Payload {
  readonly format: 'cloud-config' | 'ignition';
  /** Name of the file in a rendered tree: `user-data.yaml`, `user-data.ign`. */
  readonly file: string;
  /** As a person reads it, never packed. */
  readonly plain: string;
  /** What travels, where that is text: `plain`, or an Ignition configuration that holds it packed. */
  readonly text: string;
  /** What travels, where that is not text: `plain`, packed; coreos-cloudinit unpacks it. */
  readonly gzip: Uint8Array | undefined;
  /** What travels, bytes, and the most that the platform takes. */
  readonly bytes: number;
  readonly limit: number;
}

/**
 * Bytes of user data that a platform takes: EC2 counts them before base64; a value of Google's metadata is 256 KiB.
 * Metadata is text, so only what goes to EC2 can be packed by itself.
 */
const limits = { aws: 16_384, gce: 262_144 } as const;

/** The payload, which may still be larger than `limit`: what to do about that is the business of too-large.ts. */
export function payload(target: AwsTarget | GceTarget, plan: NodePlan): Payload {
  const limit = limits[target.kind];
  const fits = (plain: string): boolean => Buffer.byteLength(plain) <= limit;
  if (target.boot === 'ignition') {
    const plain = ignition(plan);
    const text = fits(plain) ? plain : packed(plain);
    return {
      format: 'ignition',
      file: 'user-data.ign',
      plain,
      text,
      gzip: undefined,
      bytes: Buffer.byteLength(text),
      limit,
    };
  }
  const plain = cloudConfig(plan);
  const small = target.kind === 'aws' && !fits(plain) ? gzip(plain) : undefined;
  return {
    format: 'cloud-config',
    file: 'user-data.yaml',
    plain,
    text: plain,
    gzip: small,
    bytes: small?.length ?? Buffer.byteLength(plain),
    limit,
  };
}

/** For people, a line per group of nodes: `general  cloud-config  14,210 of 16,384 bytes (gzip, 41,310 plain)`. */
export function sizes({ name }: Cluster, boots: ReadonlyMap<string, { readonly payload: Payload }>): string {
  const rows = [...boots].map(([group, { payload: each }]) => [group, each.format, count(each.bytes), each] as const);
  const widest = (column: 0 | 1 | 2): number => Math.max(...rows.map((row) => row[column].length));
  const [groups, formats, bytes] = [widest(0), widest(1), widest(2)];
  const lines = rows.map(
    ([group, format, size, each]) =>
      `  ${group.padEnd(groups)}  ${format.padEnd(formats)}  ${size.padStart(bytes)} of ${count(each.limit)} bytes${packing(each)}\n`,
  );
  return `${name}: what its machines boot from\n${lines.join('')}`;
}

/** ` (gzip, 41,310 plain)`, or nothing. */
export function packing({ gzip: bytes, plain, text }: Payload): string {
  return bytes === undefined && text === plain ? '' : ` (gzip, ${count(Buffer.byteLength(plain))} plain)`;
}

export const count = (bytes: number): string => bytes.toLocaleString('en-US');
