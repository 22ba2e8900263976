import type { Seat } from '../modules/node/plan.ts';

/** A node among the masters. */
export interface Master {
  /** `master-1`; on hosts the machine's name. */
  readonly name: string;
  readonly address: string;
  /** Position among the masters, from 1. */
  readonly number: number;
}

/**
 * The node as a master, or undefined for an agent.
 * @throws Error for a master without an address, which preflight refuses.
 */
export function master({ group }: Seat): Master | undefined {
  if (group.role !== 'master') return undefined;
  const { name, address, number } = group;
  if (address === undefined || number === undefined) throw new Error(`${name} has no address`);
  return { name, address, number };
}
