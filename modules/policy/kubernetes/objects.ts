/** The objects of Kubernetes that some files have named, each in its latest form. */
import type { Place } from '../../problem/problem.ts';
import type { Change, Namespace, NetworkPolicy, Pod } from '../change.ts';

type Placed<T> = T & { readonly at: Place };

export interface Objects {
  readonly namespaces: ReadonlyMap<string, Placed<Namespace>>;
  /** By `NAMESPACE/NAME`, as policies. */
  readonly pods: ReadonlyMap<string, Placed<Pod>>;
  readonly policies: ReadonlyMap<string, Placed<NetworkPolicy>>;
}

export const noObjects: Objects = { namespaces: new Map(), pods: new Map(), policies: new Map() };

/** An object of a name that was there already takes its place, as `kubectl apply` does it. */
export function withObjects(before: Objects, changes: readonly Change[]): Objects {
  const namespaces = new Map(before.namespaces);
  const pods = new Map(before.pods);
  const policies = new Map(before.policies);
  for (const change of changes) {
    const { at } = change;
    switch (change.kind) {
      case 'namespace':
        namespaces.set(change.namespace.name, { ...change.namespace, at });
        break;
      case 'pod':
        pods.set(keyOf(change.pod), { ...change.pod, at });
        break;
      case 'network policy':
        policies.set(keyOf(change.networkPolicy), { ...change.networkPolicy, at });
        break;
      case 'command':
      case 'rules':
      case 'profile':
      case 'policy':
        break;
    }
  }
  return { namespaces, pods, policies };
}

export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
