/**
 * What goes with what, as data. Sources: the compatibility tables of calico-containers v0.17 to v0.23, the change logs
 * of Docker, etcd, Mesos and clusterd, and net-modules' README.
 */
import type { ReleaseChannel } from './channel.ts';
import { compare } from './version.ts';

/** From the first version that will do up to the first that will not any more; undefined means no such end. */
export interface Span {
  readonly from: string;
  readonly below?: string;
  readonly why: string;
}

/** What a channel takes of components that it does not build itself. */
export const spans: Readonly<Record<ReleaseChannel['name'], Readonly<Record<string, Span>>>> = {
  classic: {
    'calico-node': {
      from: '0.17',
      below: '0.24',
      why: 'classic is the calico-containers line, v0.17 to v0.23; later Calico has other plugins and commands',
    },
    docker: {
      from: '1.9',
      below: '23.0',
      why: 'networks of Calico are global, which needs --cluster-store: libnetwork came with Docker 1.9, and 23.0 took the store away',
    },
    etcd: {
      from: '2.0.10',
      below: '3.6',
      why: 'Calico before v3 speaks the v2 API of etcd, as it is since 2.0.10, and etcd 3.6 took it away',
    },
    mesos: { from: '0.26', why: 'Mesos before 0.26 cannot give tasks addresses of their own' },
  },
  current: {
    'calico-node': {
      from: '2.0',
      below: '3.0',
      why: 'Calico v2.x is the last line with a Docker plugin and on the v2 API of etcd',
    },
    docker: {
      from: '1.12.3',
      below: '23.0',
      why: 'networks of Calico are global, which needs --cluster-store: 23.0 took it away, and before 1.12.3 the plugin refuses networks without a subnet',
    },
    etcd: {
      from: '2.0.10',
      below: '3.6',
      why: 'Calico before v3 speaks the v2 API of etcd, as it is since 2.0.10, and etcd 3.6 took it away',
    },
    mesos: { from: '1.0', why: 'CNI came with Mesos 1.0' },
  },
};

/** Which Docker plugin goes with which calico/node of the classic line, from this version of calico/node on. */
export const dockerPlugins: readonly { readonly calico: string; readonly plugin: string }[] = [
  { calico: '0.17', plugin: 'v0.8.0' },
  { calico: '0.21', plugin: 'v0.9.0' },
  { calico: '0.23', plugin: 'v0.10.0' },
];

/** Mesos versions that net-modules 0.2 loads into: a C++ module fits the Mesos it was built against. */
export const netModulesMesos: Span = {
  from: '0.27',
  below: '0.29',
  why: 'net-modules 0.2 is a C++ module built against Mesos 0.27 and 0.28, and does not load into another',
};

/** First Docker that runs on a host with cgroup v2. */
export const dockerOnCgroup2 = '20.10';

/** clusterd, the living fork of Mesos, is versioned 1.11.0-0.9.0: Mesos' version, a dash, its own. */
export function clusterd(mesos: string): string | undefined {
  return /^v?1\.1[1-9]\.[0-9]+-([0-9]+\.[0-9]+(?:\.[0-9]+)?)/.exec(mesos)?.[1];
}

/** The cgroup versions that an agent's Linux launcher, and so the Unified Containerizer, runs on. */
export function cgroupsOf(mesos: string): readonly ('v1' | 'v2')[] {
  const own = clusterd(mesos);
  if (own === undefined || compare(own, '0.5') < 0) return ['v1'];
  return compare(own, '0.6') < 0 ? ['v1', 'v2'] : ['v2'];
}
