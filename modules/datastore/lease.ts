/**
 * A lease in etcd: a key that one holder has at a time, and that goes by itself when the holder is gone.
 *
 *     claim(etcd, key, holder, ttlSeconds) -> who has it now: `holder` itself, or somebody else. Asked again, it renews.
 *     release(etcd, key, holder)           -> gives it up; what is somebody else's stays
 */
import { EtcdError, type Etcd } from './etcd.ts';

export async function claim(etcd: Etcd, key: string, holder: string, ttl: number): Promise<string> {
  for (;;) {
    try {
      await etcd.set(key, holder, { prevExist: false, ttl });
      return holder;
    } catch (error) {
      if (!(error instanceof EtcdError && error.errorCode === 105)) throw error;
    }
    const { node } = await etcd.get(key);
    // It went in this very moment: try again.
    if (node?.value === undefined) continue;
    if (node.value !== holder) return node.value;
    try {
      await etcd.set(key, holder, { prevValue: holder, ttl });
      return holder;
    } catch (error) {
      if (!(error instanceof EtcdError && [100, 101].includes(error.errorCode))) throw error;
    }
  }
}

export async function release(etcd: Etcd, key: string, holder: string): Promise<void> {
  try {
    await etcd.deleteIf(key, holder);
  } catch (error) {
    // Nothing there, or another's.
    if (!(error instanceof EtcdError && [100, 101].includes(error.errorCode))) throw error;
  }
}
