/** What a release needs of the hosts that it runs on. Sources: the minimum versions of each project's guides. */
import type { ReleaseChannel } from './channel.ts';
import { felixKnowsLooseRpf, ipipNeedsRestart } from './calico.ts';
import { dockerOnCgroup2 } from './docker.ts';
import { etcdFlags } from './etcd.ts';
import { spans, type Span } from './fit.ts';
import { cgroupsOf } from './mesos.ts';
import { compare } from './version.ts';

export interface Needs {
  /** The cgroup versions that both Docker and Mesos run on. */
  readonly cgroups: readonly ('v1' | 'v2')[];
  /** Which Docker: one with an external key-value store, where networks of scope `global` are kept. */
  readonly docker: Span;
  /** Kernel modules that nobody loads by himself: what calicoctl checks for, and the tunnel's. */
  readonly modules: readonly string[];
  /** Kernel settings. rp_filter is strict: Felix exits on loose, and anti-spoofing of tasks depends on it. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** Whether Felix can be told to go on where somebody sets rp_filter to loose all the same. */
  readonly looseRpf: boolean;
  readonly etcd: { readonly api: 'v2'; readonly flags: readonly string[] };
  /** Pools that get IP-in-IP after calico-node has started have no effect until it starts again. */
  readonly ipipNeedsRestart: boolean;
}

/** How a cluster uses its release. */
export interface Usage {
  /** A pool wraps packets in IP-in-IP. */
  readonly encapsulated: boolean;
}

export function needs(release: ReleaseChannel, { encapsulated }: Usage): Needs {
  const docker = compare(release.docker.version, dockerOnCgroup2) < 0 ? ['v1'] : ['v1', 'v2'];
  const mesos: readonly string[] = cgroupsOf(release.mesos);
  return {
    cgroups: (['v1', 'v2'] as const).filter((version) => docker.includes(version) && mesos.includes(version)),
    docker: spans[release.name].docker,
    modules: ['ip6_tables', 'xt_set', ...(encapsulated ? ['ipip'] : [])],
    sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.default.rp_filter': 1 },
    looseRpf: felixKnowsLooseRpf(release.calico),
    etcd: { api: 'v2', flags: etcdFlags(release.software.etcd?.version ?? '0') },
    ipipNeedsRestart: ipipNeedsRestart(release.calico),
  };
}
