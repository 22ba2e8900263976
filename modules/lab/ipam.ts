/** Calico's block IPAM, as much as one launcher needs: each host hands out addresses of its own /26. */
import { nthAddress } from '../datastore/views.ts';
import { blockSize, type LabHost } from './topology.ts';
import { keys, type Write } from '../datastore/calico.ts';

export class BlockFull extends Error {
  override readonly name = 'BlockFull';
}

export class Ipam {
  readonly #blocks = new Map<string, (string | undefined)[]>();

  /** Takes the first free address of a host's block for a handle; throws BlockFull when all 64 are taken. */
  assign(host: LabHost, handle: string): string {
    const block = this.#block(host);
    const free = block.indexOf(undefined);
    if (free < 0) throw new BlockFull(`${host.name} has no address left in its block ${host.block}`);
    block[free] = handle;
    return nthAddress(host.block, free);
  }

  release(host: LabHost, handle: string): void {
    const block = this.#block(host);
    for (const [index, owner] of block.entries()) if (owner === handle) block[index] = undefined;
  }

  /** Whether an address is one of a host's block. */
  holds(host: LabHost, address: string): boolean {
    return placeOf(host, address) >= 0;
  }

  /** Takes a certain address of a host's block; false when somebody has it. */
  take(host: LabHost, address: string, handle: string): boolean {
    const block = this.#block(host);
    const place = placeOf(host, address);
    if (block[place] !== undefined) return false;
    block[place] = handle;
    return true;
  }

  /** Gives an address back, whoever has it; one that is free, or of another host, is left as it is. */
  free(host: LabHost, address: string): void {
    const place = placeOf(host, address);
    if (place >= 0) this.#block(host)[place] = undefined;
  }

  /** The block as Calico keeps it; a handle without a name is none. Source: libcalico `block.py`. */
  write(host: LabHost): Write {
    const block = this.#block(host);
    const handles = [...new Set(block.filter((handle) => handle !== undefined))];
    return {
      key: keys.block(host.block),
      value: JSON.stringify({
        cidr: host.block,
        affinity: `host:${host.name}`,
        strict_affinity: false,
        allocations: block.map((handle) => (handle === undefined ? null : handles.indexOf(handle))),
        attributes: handles.map((handle) => ({ handle_id: handle || null, secondary: {} })),
        unallocated: [...block.keys()].filter((index) => block[index] === undefined),
      }),
    };
  }

  #block(host: LabHost): (string | undefined)[] {
    let block = this.#blocks.get(host.name);
    if (!block) this.#blocks.set(host.name, (block = Array.from({ length: blockSize }, () => undefined)));
    return block;
  }
}

const placeOf = (host: LabHost, address: string): number =>
  [...Array(blockSize).keys()].findIndex((place) => nthAddress(host.block, place) === address);
