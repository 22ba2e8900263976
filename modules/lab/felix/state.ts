/** What the stand-in for Felix knows: a mirror of `/calico/v1`, kept up to date event by event. */
import { parseEndpoint, parseKey, parseRules, parseTags, type EndpointValue } from '../../datastore/calico.ts';
import type { EtcdEvent, EtcdNode } from '../../datastore/etcd.ts';
import type { Direction, Profile } from '../../policy/model.ts';
import { profileFault } from '../../policy/valid.ts';

export class FelixState {
  readonly host: string;
  /** Endpoints of this host by key: these get chains and routes. */
  readonly local = new Map<string, EndpointValue>();
  /** Endpoints of other hosts by key: these only fill ipsets. */
  readonly remote = new Map<string, EndpointValue>();
  readonly tags = new Map<string, readonly string[]>();
  readonly rules = new Map<string, Pick<Profile, Direction>>();

  constructor(host: string) {
    this.host = host;
  }

  /** Starts over from a whole tree, as Felix does after it lost its place in etcd's history. */
  load(tree: EtcdNode | undefined): void {
    for (const map of [this.local, this.remote, this.tags, this.rules]) map.clear();
    if (tree) this.#visit(tree);
  }

  apply({ action, node }: EtcdEvent): void {
    if (action === 'delete' || action === 'expire' || action === 'compareAndDelete') this.#remove(node.key);
    else if (!node.dir && node.value !== undefined) this.#put(node.key, node.value);
  }

  /** A profile counts when both its keys are there and its rules are valid, as in Felix; the tags count in any case. */
  profile(name: string): Profile | undefined {
    const tags = this.tags.get(name);
    const rules = this.rules.get(name);
    if (!tags || !rules) return undefined;
    const profile = { name, tags, ...rules };
    return profileFault(profile) === undefined ? profile : undefined;
  }

  /** All addresses of all endpoints, on any host, with a profile that carries the tag. */
  members(tag: string): string[] {
    const found = new Set<string>();
    for (const endpoint of [...this.local.values(), ...this.remote.values()]) {
      if (endpoint.profiles.some((profile) => this.tags.get(profile)?.includes(tag))) {
        for (const address of endpoint.addresses) found.add(address);
      }
    }
    return [...found].sort();
  }

  #visit(node: EtcdNode): void {
    if (node.value !== undefined) this.#put(node.key, node.value);
    for (const child of node.nodes ?? []) this.#visit(child);
  }

  /** What cannot be read is taken for missing, as in Felix: one bad value must not stop all the others. */
  #put(key: string, value: string): void {
    try {
      this.#read(key, value);
    } catch {
      this.#remove(key);
    }
  }

  #read(key: string, value: string): void {
    const parsed = parseKey(key);
    switch (parsed.kind) {
      case 'endpoint':
        (parsed.host === this.host ? this.local : this.remote).set(key, parseEndpoint(value));
        return;
      case 'tags':
        this.tags.set(parsed.profile, parseTags(value));
        return;
      case 'rules':
        this.rules.set(parsed.profile, parseRules(value));
        return;
      case 'other':
        return;
    }
  }

  /** A deletion names the topmost key only. */
  #remove(key: string): void {
    for (const map of [this.local, this.remote]) {
      for (const endpoint of map.keys()) if (under(endpoint, key)) map.delete(endpoint);
    }
    for (const map of [this.tags, this.rules]) {
      const leaf = map === this.tags ? 'tags' : 'rules';
      for (const name of map.keys()) if (under(`/calico/v1/policy/profile/${name}/${leaf}`, key)) map.delete(name);
    }
  }
}

const under = (key: string, folder: string): boolean => key === folder || key.startsWith(`${folder}/`);
