/** What the stand-in for Felix knows: a mirror of `/calico/v1`, kept up to date event by event. */
import { isEndpointKey, parseValue, readEndpoint, type PluggedEndpoint } from '../../datastore/calico.ts';
import type { EtcdEvent, EtcdNode } from '../../datastore/etcd.ts';
import { readEtcd } from '../../policy/etcd.ts';
import type { HostAction, PolicyState } from '../../policy/model.ts';

/** Policy as it stands, with every endpoint of every host. */
export interface Mirrored extends PolicyState {
  readonly endpoints: readonly PluggedEndpoint[];
}

export class FelixState {
  readonly host: string;
  /** By key. What cannot be read as one is not here: Felix takes it for missing. */
  readonly #endpoints = new Map<string, PluggedEndpoint>();
  /** Everything else, by key. */
  readonly #objects = new Map<string, unknown>();
  #policy: Mirrored | undefined;

  constructor(host: string) {
    this.host = host;
  }

  /** Starts over from a whole tree, as Felix does after it lost its place in etcd's history. */
  load(tree: EtcdNode | undefined): void {
    this.#endpoints.clear();
    this.#objects.clear();
    this.#policy = undefined;
    if (tree) this.#visit(tree);
  }

  apply({ action, node }: EtcdEvent): void {
    if (action === 'delete' || action === 'expire' || action === 'compareAndDelete') this.#remove(node.key);
    else if (!node.dir && node.value !== undefined) this.#put(node.key, node.value);
  }

  /** What Felix finds invalid is missing in it, or has a fault. */
  policy(): Mirrored {
    return (this.#policy ??= {
      ...readEtcd(Object.fromEntries(this.#objects)).state,
      endpoints: [...this.#endpoints.values()],
    });
  }

  /** Endpoints of this host: these get chains and routes; all others only fill ipsets. */
  local(): readonly PluggedEndpoint[] {
    return [...this.#endpoints.values()].filter(({ host }) => host === this.host);
  }

  endpointToHost(): HostAction {
    const own = this.policy().hosts?.find(({ name }) => name === this.host);
    return own?.endpointToHost ?? 'DROP';
  }

  #visit(node: EtcdNode): void {
    if (node.value !== undefined) this.#put(node.key, node.value);
    for (const child of node.nodes ?? []) this.#visit(child);
  }

  #put(key: string, text: string): void {
    this.#policy = undefined;
    const value = parseValue(text);
    if (!isEndpointKey(key)) {
      this.#objects.set(key, value);
      return;
    }
    const endpoint = readEndpoint(key, value);
    if (endpoint === undefined) this.#endpoints.delete(key);
    else this.#endpoints.set(key, endpoint);
  }

  /** A deletion names the topmost key only. */
  #remove(folder: string): void {
    this.#policy = undefined;
    for (const map of [this.#endpoints, this.#objects]) {
      for (const key of map.keys()) if (key === folder || key.startsWith(`${folder}/`)) map.delete(key);
    }
  }
}
