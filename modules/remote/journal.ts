/**
 * What a run has to put back, kept in the cluster's etcd for as long as it lasts: a run that was killed cannot put it back
 * itself, so the next one does. It stands beside the lease, and does not end with it.
 */
import { EtcdError, type Etcd, type EtcdNode } from '../datastore/etcd.ts';
import { TargetFailed } from '../verify/target.ts';

/** A folder of etcd as it was before the run wrote there. */
export interface Kept {
  readonly root: string;
  /** Values by key; none where there was no such folder. */
  readonly held: ReadonlyMap<string, string>;
}

export interface Journal {
  /** Is to come before the run makes anything. @throws TargetFailed when another run has the cluster by now. */
  begin(): Promise<void>;
  /** Is to come before the first write there. */
  keep(kept: Kept): Promise<void>;
  /** What was kept is put back. */
  settled(): Promise<void>;
  /** False: there is nothing to put back, or another run has done so. */
  isOurs(): Promise<boolean>;
  /** Nothing of the run is left. */
  end(): Promise<void>;
}

export interface Left {
  /** Who ran it. */
  readonly holder: string;
  /** Of its tasks: their group in Marathon, or `docker:` and what their containers are labelled with. */
  readonly group: string;
  /** In the order of its writes. */
  readonly kept: readonly Kept[];
}

const folder = '/mesos-calico/undo';
const runKey = `${folder}/run`;
const keptFolder = `${folder}/before`;

export function journalOver(etcd: Etcd, run: { readonly holder: string; readonly group: string }): Journal {
  const own = JSON.stringify(run);
  let begun = false;
  let count = 0;
  const isOurs = async (): Promise<boolean> => begun && (await etcd.get(runKey)).node?.value === own;
  return {
    isOurs,
    async begin() {
      if (begun) {
        if (!(await isOurs())) throw takenOver();
        return;
      }
      try {
        await etcd.set(runKey, own, { prevExist: false });
      } catch (error) {
        if (error instanceof EtcdError && error.errorCode === 105) throw takenOver();
        throw error;
      }
      begun = true;
    },
    async keep({ root, held }) {
      const value = JSON.stringify({ root, held: Object.fromEntries(held) });
      await etcd.set(`${keptFolder}/${String(count++).padStart(6, '0')}`, value);
    },
    async settled() {
      await etcd.delete(keptFolder);
    },
    async end() {
      if (await isOurs()) await forget(etcd, own);
      begun = false;
    },
  };
}

/** What a run has left that ended before it had put all back. */
export async function leftOver(etcd: Etcd): Promise<Left | undefined> {
  const run = (await etcd.get(runKey)).node?.value;
  if (run === undefined) return undefined;
  const { holder, group } = JSON.parse(run) as Pick<Left, 'holder' | 'group'>;
  const nodes = [...((await etcd.get(keptFolder)).node?.nodes ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1));
  const kept = nodes.map(({ value = '' }) => {
    const { root, held } = JSON.parse(value) as { readonly root: string; readonly held: Record<string, string> };
    return { root, held: new Map(Object.entries(held)) };
  });
  return { holder, group, kept };
}

/** Once all of it is put back. */
export const cleared = (etcd: Etcd, { holder, group }: Left): Promise<void> =>
  forget(etcd, JSON.stringify({ holder, group }));

/** Last the name of the run: whoever is killed in between is found again. */
async function forget(etcd: Etcd, run: string): Promise<void> {
  await etcd.delete(keptFolder);
  await etcd.deleteIf(runKey, run);
}

/** Last what was written first. Said twice it is the same. */
export async function putBack(etcd: Etcd, kept: readonly Kept[]): Promise<void> {
  for (const { root, held } of [...kept].reverse()) {
    if (held.size === 0) await etcd.delete(root);
    for (const [key, value] of held) await etcd.set(key, value);
    for (const key of values((await etcd.get(root)).node).keys()) if (!held.has(key)) await etcd.delete(key);
  }
}

/** Every key with its value. */
export function values(node: EtcdNode | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (at: EtcdNode | undefined): void => {
    if (at?.value !== undefined) found.set(at.key, at.value);
    for (const child of at?.nodes ?? []) visit(child);
  };
  visit(node);
  return found;
}

const takenOver = (): TargetFailed =>
  new TargetFailed('another verification has taken this cluster over, and has put back what this one wrote');
