/**
 * What goes with what, as data. Sources: the compatibility tables of calico-containers v0.17 to v0.23, the change logs
 * of Docker, etcd, Mesos and clusterd, and net-modules' README.
 */
import type { ReleaseChannel, SoftwareName } from './channel.ts';

/** From the first version that will do up to the first that will not any more; undefined means no such end. */
export interface Span {
  readonly from: string;
  readonly below?: string;
  readonly why: string;
}

type Spans = Readonly<Partial<Record<SoftwareName, Span>> & { docker: Span }>;

/** What a channel takes of components that it does not build itself. */
export const spans: Readonly<Record<ReleaseChannel['name'], Spans>> = {
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
    marathon: { from: '0.14', why: 'Marathon before 0.14 cannot ask for an address per task' },
    calicoctl: {
      from: '0.17',
      below: '1.0',
      why: 'calicoctl v0.x starts calico/node and has the profile commands of classic; v1.0 is another program',
    },
    'net-modules': {
      from: '0.2',
      below: '0.3',
      why: 'net-modules 0.2 is the series that was built for Mesos 0.27 and 0.28, and that calico_mesos v0.1.5 answers',
    },
    'calico-mesos': { from: '0.1.5', why: 'calico_mesos v0.1.5 is the one that goes with net-modules 0.2' },
  },
  current: {
    'calico-node': {
      from: '2.4',
      below: '3.0',
      why: 'Calico v2.x is the last line with a Docker plugin and on the v2 API of etcd, and before v2.4 its images carried other numbers (calico/node:v1.3.0 is of Calico v2.3)',
    },
    calicoctl: {
      from: '1.4',
      below: '2.0',
      why: 'calicoctl v1.4 to v1.6 goes with Calico v2.4 to v2.6; v2.0 and later writes the data of Calico v3',
    },
    cni: {
      from: '1.10',
      below: '2.0',
      why: 'v1.10 and v1.11 of the CNI plugin go with Calico v2.4 to v2.6; v2.0 and later is of Calico v3',
    },
    'cni-ipam': {
      from: '1.10',
      below: '2.0',
      why: 'v1.10 and v1.11 of the CNI plugin go with Calico v2.4 to v2.6; v2.0 and later is of Calico v3',
    },
    marathon: {
      from: '1.3',
      why: 'Marathon before 1.3 knows no networks by name for Mesos tasks, nor Docker images without Docker',
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
