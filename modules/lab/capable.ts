/** What the lab can besides: one verification at a time, places that are no tasks, faults of the whole cluster. */
import { keys } from '../datastore/calico.ts';
import type { FaultKind, Faults, Lease, Place } from '../verify/target.ts';
import type { Tools } from './api.ts';
import { asked } from './asked.ts';
import type { Lab } from './lab.ts';
import { ailing } from './show.ts';

type Calls = Pick<Lab, 'call'>;

/** The holder may be left out where it gives up whatever it has. */
export function leaseOf({ call }: Calls): Lease & { readonly release: (holder?: string) => Promise<void> } {
  const key = keys.verifyLease;
  let last: string | undefined;
  return {
    claim: (holder, ttlSeconds) =>
      asked(async () => {
        last = holder;
        return (await call('claim', { key, holder, ttlSeconds })).holder;
      }),
    release: (holder = last) =>
      asked(async () => {
        if (holder !== undefined) await call('release', { key, holder });
      }),
  };
}

export const placesOf = ({ call }: Calls): Promise<readonly Place[]> =>
  asked(async () => {
    const { hosts, fabric } = (await call('layout', {})).topology;
    return [
      ...hosts.map(({ name, address }) => ({ kind: 'host' as const, name, address })),
      { kind: 'outside', name: "the fabric's gateway", address: fabric.gateway },
    ];
  });

const kinds: readonly FaultKind[] = [
  'agent stopped',
  'agent killed',
  'agent hung',
  'etcd stopped',
  'etcd black-holed',
  'bird down',
  'partition',
];

/** An engine that loses its host would have to boot with it; that is nothing that the lab can do. */
export const faultsOf = ({ call }: Calls, { versions }: Tools): Faults => ({
  kinds: versions.docker === undefined ? [...kinds, 'host rebooted'] : kinds,
  make: (kind, host) => asked(() => call('fault', { kind, host })),
  end: () => asked(() => call('heal', {})),
  ailing: () => asked(async () => ailing(await call('status', {}))),
});
