/**
 * The policy of a run in a datastore that others use too: what a key held before the run is kept, and put back at the
 * end. Every change carries a marker, by which the kernel of an agent shows that the change has come that far.
 */
import { keys, profileWrites, tierWrites, type Write } from '../datastore/calico.ts';
import type { Etcd, EtcdNode } from '../datastore/etcd.ts';
import type { Profile, Tier } from '../policy/model.ts';

export interface Store {
  /** Writes, and gives the index of the last write with the marker that shows it. */
  write(
    profiles: readonly Profile[],
    tiers: readonly Tier[],
  ): Promise<{ readonly index: number; readonly marker: string }>;
  /** Everything as it was before the first write. */
  restore(): Promise<void>;
}

/**
 * `control`: the profile of the control tasks, which admits all of itself and is on every agent: one more rule in it, for
 * an address that nobody has, changes nothing. `first`: of the markers, so that two runs do not take each other's.
 */
export function storeOver(etcd: Etcd, control: string, first: number): Store {
  /** Values by key, under each root that was written; the order of the roots is that of the writes. */
  const before = new Map<string, ReadonlyMap<string, string>>();
  let plain: Profile | undefined;
  let count = first;

  const keep = async (root: string): Promise<void> => {
    if (!before.has(root)) before.set(root, values((await etcd.get(root)).node));
  };

  return {
    async write(profiles, tiers) {
      plain = profiles.find(({ name }) => name === control) ?? plain;
      const marker = markerOf(count++);
      const others = profiles.filter(({ name }) => name !== control);
      for (const { name } of others) await keep(keys.profile(name));
      for (const { name } of tiers) await keep(keys.tier(name));
      let index = 0;
      const put = async (writes: readonly Write[]): Promise<void> => {
        for (const { key, value } of writes) index = await etcd.set(key, value);
      };
      await put([...others.flatMap(profileWrites), ...tiers.flatMap(tierWrites)]);
      if (plain !== undefined) {
        await keep(keys.profile(control));
        // Last: who shows it has been told of all before it.
        await put(profileWrites(marked(plain, marker)));
      }
      return { index, marker };
    },
    async restore() {
      for (const [root, held] of [...before].reverse()) {
        if (held.size === 0) await etcd.delete(root);
        for (const [key, value] of held) await etcd.set(key, value);
        for (const key of values((await etcd.get(root)).node).keys()) if (!held.has(key)) await etcd.delete(key);
        before.delete(root);
      }
    },
  };
}

/** An address of the range for benchmarks (RFC 2544), as rules of the kernel name it. */
const markerOf = (count: number): string => `198.${18 + ((count >> 16) & 1)}.${(count >> 8) & 255}.${count & 255}/32`;

const marked = (profile: Profile, cidr: string): Profile => ({
  ...profile,
  inbound: [{ action: 'allow', from: { cidr }, to: {} }, ...profile.inbound],
});

/** Every key with its value. */
function values(node: EtcdNode | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (at: EtcdNode | undefined): void => {
    if (at?.value !== undefined) found.set(at.key, at.value);
    for (const child of at?.nodes ?? []) visit(child);
  };
  visit(node);
  return found;
}
