/**
 * The policy of a run in a datastore that others use too: what a key held before the run is kept, and put back at the
 * end. Every change carries a marker, by which the kernel of an agent shows that the change has come that far.
 */
import { keys, profileWrites, tierWrites, type Write } from '../datastore/calico.ts';
import type { Etcd } from '../datastore/etcd.ts';
import type { Profile, Tier } from '../policy/model.ts';
import { putBack, values, type Journal, type Kept } from './journal.ts';

export interface Store {
  /** Writes, and gives the index of the last write with the marker that shows it. */
  write(
    profiles: readonly Profile[],
    tiers: readonly Tier[],
  ): Promise<{ readonly index: number; readonly marker: string }>;
  /** Everything as it was before the first write, once a write that goes on is done. */
  restore(): Promise<void>;
  /** There is nothing to put back. */
  isClean(): boolean;
}

/**
 * `control`: the profile of the control tasks, which admits all of itself and is on every agent: one more rule in it, for
 * an address that nobody has, changes nothing. `first`: of the markers, so that two runs do not take each other's.
 */
export function storeOver(etcd: Etcd, journal: Journal, control: string, first: number): Store {
  /** By root; in the order of the writes. */
  const before = new Map<string, Kept>();
  let plain: Profile | undefined;
  let count = first;
  let last: Promise<unknown> = Promise.resolve();

  const keep = async (root: string): Promise<void> => {
    if (before.has(root)) return;
    const kept = { root, held: values((await etcd.get(root)).node) };
    await journal.keep(kept);
    before.set(root, kept);
  };
  /** One after the other: an interrupt asks for everything back while a write goes on. */
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const own = last.then(work);
    last = own.catch(() => undefined);
    return own;
  };
  const write: Store['write'] = async (profiles, tiers) => {
    await journal.begin();
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
  };

  return {
    isClean: () => before.size === 0,
    write: (profiles, tiers) => next(() => write(profiles, tiers)),
    restore: () =>
      next(async () => {
        await putBack(etcd, [...before.values()]);
        await journal.settled();
        before.clear();
      }),
  };
}

/** An address of the range for benchmarks (RFC 2544), as rules of the kernel name it. */
const markerOf = (count: number): string => `198.${18 + ((count >> 16) & 1)}.${(count >> 8) & 255}.${count & 255}/32`;

const marked = (profile: Profile, cidr: string): Profile => ({
  ...profile,
  inbound: [{ action: 'allow', from: { cidr }, to: {} }, ...profile.inbound],
});
