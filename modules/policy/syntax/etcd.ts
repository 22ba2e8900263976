/**
 * Objects of Calico's v1 data model in etcd, as JSON: by key, or as etcd's v2 API lists a folder.
 *
 *     isEtcd(json)                -> whether it is either
 *     readEtcdFile(json, file, felix) -> { changes, warnings, state }: what that Felix would take, and what it would not
 *
 * An object that Felix finds invalid is one that is missing there, so it is no error here: it stays as a profile with a
 * fault, and is told.
 */
import type { Place, Problem } from '../../problem/problem.ts';
import { everythingIn } from '../answer.ts';
import type { Change } from '../change.ts';
import { readEtcd, type Fault } from '../etcd.ts';
import type { Felix } from '../felix.ts';
import type { PolicyState } from '../model.ts';

export function isEtcd(json: unknown): boolean {
  const objects = everythingIn(json);
  return objects !== undefined && Object.keys(objects).every((key) => key.startsWith('/calico/'));
}

export interface EtcdFile {
  readonly changes: readonly Change[];
  readonly warnings: readonly Problem[];
  /** With the endpoints, hosts and pools that stand there too. */
  readonly state: PolicyState;
}

export function readEtcdFile(json: unknown, file: string, felix: Felix): EtcdFile {
  const { state, faults } = readEtcd(everythingIn(json) ?? {}, felix);
  const place = (path: string): Place => ({ file, path });
  return {
    state,
    warnings: faults.map((fault) => told(fault, felix, place(fault.key))),
    changes: [
      ...[...state.profiles.values()].map((profile): Change => {
        return { kind: 'profile', profile, at: place(`/calico/v1/policy/profile/${profile.name}`) };
      }),
      ...(state.tiers ?? []).flatMap(({ name: tier, order, policies }) =>
        policies.map((policy): Change => {
          const at = place(`/calico/v1/policy/tier/${tier}/policy/${policy.name}`);
          return { kind: 'policy', tier, ...(order === undefined ? {} : { tierOrder: order }), policy, at };
        }),
      ),
    ],
  };
}

function told({ effect, reason }: Fault, { version }: Felix, at: Place): Problem {
  const what: Readonly<Record<Fault['effect'], string>> = {
    missing: `Felix ${version} takes this object for missing: ${reason}.`,
    ignored: `Felix ${version} reads past a part of it: ${reason}.`,
    'not shown': `Not all of it is shown here: ${reason}.`,
  };
  return { code: `etcd-object-${effect.replaceAll(' ', '-')}`, at, what: what[effect] };
}
