/** What stood in the datastore before somebody wrote there, so that it can be put back. */
import type { Write } from '../datastore/calico.ts';
import type { EtcdNode } from '../datastore/etcd.ts';
import type { Undo } from './api.ts';

export class Before {
  /** By folder: whether it was there. */
  readonly #folders = new Map<string, boolean>();
  /** By key: its value; undefined where there was none in a folder that was there. */
  readonly #values = new Map<string, string | undefined>();

  get isEmpty(): boolean {
    return this.#folders.size === 0;
  }

  /** To be called before `writes`, which are in `folders`. True when there is more to put back than before. */
  async remember(
    folders: readonly string[],
    writes: readonly Pick<Write, 'key'>[],
    read: (key: string) => Promise<EtcdNode | undefined>,
  ): Promise<boolean> {
    const known = this.#folders.size + this.#values.size;
    for (const folder of folders.filter((one) => !this.#folders.has(one))) {
      const leaves = leavesOf(await read(folder));
      this.#folders.set(folder, leaves.length > 0);
      for (const [key, value] of leaves) this.#values.set(key, value);
    }
    for (const { key } of writes) {
      const old = folders.some((folder) => key.startsWith(`${folder}/`) && this.#folders.get(folder) === true);
      if (old && !this.#values.has(key)) this.#values.set(key, undefined);
    }
    return this.#folders.size + this.#values.size > known;
  }

  /** What puts it back: a folder that was new goes as a whole. */
  writes(): Undo['writes'] {
    const fresh = [...this.#folders].filter(([, was]) => !was).map(([key]) => ({ key }));
    return [...fresh, ...[...this.#values].map(([key, value]) => (value === undefined ? { key } : { key, value }))];
  }

  clear(): void {
    this.#folders.clear();
    this.#values.clear();
  }
}

const leavesOf = (node: EtcdNode | undefined): [string, string][] =>
  node?.value !== undefined ? [[node.key, node.value]] : (node?.nodes ?? []).flatMap(leavesOf);
