/** What changed between versions of calico/node and of what goes with it, as far as a node notices. */
import type { ReleaseChannel } from './channel.ts';
import { compare } from './version.ts';

/**
 * Whether this Felix goes on with loose reverse-path filtering when FELIX_IGNORELOOSERPF says so. Felix exits where
 * rp_filter is 2, which systemd sets since 240; the setting came with Felix 1.4.1b1, in calico/node v0.21. Before,
 * only rp_filter 1 helps.
 */
export function felixKnowsLooseRpf(calico: string): boolean {
  return compare(calico, '0.21') >= 0;
}

/** Up to v0.20 a node that runs when a pool gets IP-in-IP has no address on its tunnel until it is started again. */
export function ipipNeedsRestart(calico: string): boolean {
  return compare(calico, '0.21') < 0;
}

/** calico_mesos up to v0.1.5 puts `ng_` before a net-group's name to make its profile's; v0.1.6 does not. */
export function netGroupPrefix(calicoMesos: string): 'ng_' | '' {
  return compare(calicoMesos, '0.1.6') < 0 ? 'ng_' : '';
}

/**
 * The variables that tell calico/node and calicoctl of this version where etcd is: any number of endpoints
 * (`http://10.0.0.16:2379`) since v0.18, the first of them alone before. Source: pycalico/datastore.py.
 */
export function etcdVariables(
  version: string,
  endpoints: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  if (compare(version, '0.18') >= 0) return [['ETCD_ENDPOINTS', endpoints.join(',')]];
  const [scheme = '', authority = ''] = (endpoints[0] ?? '').split('://');
  return [
    ['ETCD_AUTHORITY', authority],
    ['ETCD_SCHEME', scheme],
  ];
}

/**
 * From v0.18 on calico/node registers its host by itself; the v0.17 one expects that calicoctl, which starts it, has done
 * so. Source: calicoctl/calico_ctl/node.py and calico_node/startup.py at the tags.
 */
export function nodeRegistersItself(calico: string): boolean {
  return compare(calico, '0.18') >= 0;
}

/** Version of calicoctl, `v1.6.5`; with calico-containers it is that of calico/node. */
export function calicoctlOf({ software, calico }: Pick<ReleaseChannel, 'software' | 'calico'>): string {
  return software.calicoctl?.version ?? calico;
}

/** Up to 0.23 calicoctl edits profiles, `calicoctl profile …`; from 1.0 on it replaces whole resources. */
export function hasProfileCommand(channel: Pick<ReleaseChannel, 'software' | 'calico'>): boolean {
  return calicoctlOf(channel).startsWith('v0.');
}
