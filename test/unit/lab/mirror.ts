/** A mirror of the datastore as the stand-in for Felix has it, from a state of the policy model. */
import { endpointWrite, keys } from '../../../modules/datastore/calico.ts';
import { FelixState } from '../../../modules/lab/felix/state.ts';
import { toEtcd } from '../../../modules/policy/etcd.ts';
import type { Endpoint, HostAction, PolicyState } from '../../../modules/policy/model.ts';

/** What is not said of an endpoint: it is on this host, of the profile `web`. */
export type Plugged = Partial<Endpoint> & { readonly interface?: string };

export function mirrorOf(
  policy: Pick<PolicyState, 'profiles' | 'tiers'>,
  endpoints: readonly Plugged[],
  action: HostAction = 'RETURN',
): FelixState {
  const state = new FelixState('host');
  const put = (key: string, value: string): void =>
    state.apply({ action: 'set', node: { key, value, modifiedIndex: 1 } });
  for (const [key, value] of Object.entries(toEtcd({ ...policy, endpoints: [] }))) put(key, JSON.stringify(value));
  put(keys.hostConfig('host', 'DefaultEndpointToHostAction'), action);
  for (const own of endpoints) {
    const { id = 'a', host = 'host', address = '10.65.0.64', profiles = ['web'] } = own;
    const { key, value } = endpointWrite({
      ...{ host, id, address, profiles, orchestrator: 'cni', workload: 'w', mac: 'ee:ee:ee:ee:ee:ee' },
      interface: own.interface ?? 'cali0123456789a',
    });
    const { labels, state: power = 'active', address6 } = own;
    const more = { ...(labels && { labels }), ...(address6 && { ipv6_nets: [`${address6}/128`] }), state: power };
    put(key, JSON.stringify({ ...(JSON.parse(value) as object), ...more }));
  }
  return state;
}
