/** How far each host's agent is, as it reports it to etcd. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd, EtcdNode } from '../datastore/etcd.ts';

const root = '/calico/felix/v1';

export class Followed {
  /** By host: the index of the store that its agent has programmed. */
  readonly #programmed = new Map<string, number>();

  /** Reads and watches, for ever. */
  async follow(etcd: Etcd): Promise<never> {
    for (;;) {
      try {
        const { node, index } = await etcd.get(root);
        this.#visit(node);
        for await (const event of etcd.watch(root, index + 1, new AbortController().signal)) this.#visit(event.node);
      } catch {
        await sleep(20);
      }
    }
  }

  /** Waits until the agents of all these hosts have programmed an index. */
  async reached(
    names: readonly string[],
    index: number,
    limitMs: number,
  ): Promise<{ hosts: Record<string, number>; ms: number; done: boolean }> {
    const begin = performance.now();
    for (;;) {
      const hosts = Object.fromEntries(names.map((name) => [name, this.#programmed.get(name) ?? 0]));
      const done = Object.values(hosts).every((applied) => applied >= index);
      const ms = performance.now() - begin;
      if (done || ms > limitMs) return { hosts, ms: Math.round(ms), done };
      await sleep(3);
    }
  }

  #visit(node: EtcdNode | undefined): void {
    const host = /\/host\/([^/]+)\/last_reported_status$/.exec(node?.key ?? '')?.[1];
    if (host && node?.value) {
      this.#programmed.set(host, (JSON.parse(node.value) as { applied_index: number }).applied_index);
    }
    for (const child of node?.nodes ?? []) this.#visit(child);
  }
}
