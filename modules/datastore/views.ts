/** What tasks leave in Calico's datastore, by names under which a person finds it again. */
import { createHash } from 'node:crypto';
import { Address4 } from 'ip-address';
import type { EtcdNode } from './etcd.ts';

export interface Leaf {
  readonly key: string;
  readonly value: string;
}

/** An address that is given out in a block. */
export interface Given {
  readonly address: string;
  /** The whole handle, where it has one. */
  readonly handle: string | undefined;
  readonly name: string;
}

/** Where tasks leave something. */
export const folders = {
  hosts: '/calico/v1/host',
  ipam: '/calico/ipam/v2',
  policy: '/calico/v1/policy',
  pools: '/calico/v1/ipam/v4/pool',
} as const;

export const leaves = (node: EtcdNode | undefined): Leaf[] => [
  ...(node?.value === undefined ? [] : [{ key: node.key, value: node.value }]),
  ...(node?.nodes ?? []).flatMap(leaves),
];

interface Block {
  readonly cidr: string;
  readonly affinity?: string | null;
  readonly allocations: readonly (number | null)[];
  readonly attributes: readonly { readonly handle_id?: string | null }[];
}

/** The block that a leaf of IPAM is; undefined for others. */
export const blockOf = ({ key, value }: Leaf): Block | undefined =>
  key.includes('/assignment/') ? (JSON.parse(value) as Block) : undefined;

/** The range of a block, of which a leaf says that it is there, or whose it is. */
export const rangeOf = ({ key }: Leaf): string | undefined =>
  /\/ipv4\/block\/([\d.]+)-(\d+)$/.exec(key)?.slice(1, 3).join('/');

export function givenIn({ cidr, affinity, allocations, attributes }: Block): Given[] {
  const host = affinity?.replace('host:', '') ?? 'no host';
  return allocations.flatMap((index, at) => {
    if (index === null) return [];
    const address = nthAddress(cidr, at);
    const handle = attributes[index]?.handle_id ?? undefined;
    return [{ address, handle, name: `${address} of ${host}, handle ${handle?.slice(0, 12) ?? 'none'}` }];
  });
}

/** The handle of a leaf of IPAM that is one: they have keys of their own. */
export const handleOf = ({ key }: Leaf): string | undefined =>
  key.includes('/handle/') ? key.split('/').at(-1)! : undefined;

export const handleName = (handle: string): string => `handle ${handle}`;

/** A profile or policy, and what it says. */
export const policyName = ({ key, value }: Leaf): string =>
  `${key.slice(folders.policy.length + 1)} ${createHash('sha256').update(value).digest('hex').slice(0, 8)}`;

/** The nth address of a block, counted from 0. */
export const nthAddress = (block: string, n: number): string =>
  Address4.fromBigInt(new Address4(block).startAddress().bigInt() + BigInt(n)).correctForm();

/** What BIRD says of a route changes with its sessions; where it leads to does not. */
export const routeName = (line: string): string => line.replace(/ (proto|metric|onlink).*$/, '').trim();
