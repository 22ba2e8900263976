/** A way in which an agent runs tasks. `mesos` is the Unified Containerizer. */
export type Containerizer = 'docker' | 'mesos';

/** How packets between tasks of two hosts travel. `ipip-cross-subnet` wraps them only between subnets. */
export type Encapsulation = 'none' | 'ipip' | 'ipip-cross-subnet';

/** Versions that go together, and what they turn a network into. Data, not code. */
export interface ReleaseChannel {
  readonly name: 'classic' | 'current';
  readonly title: string;
  /** Version of calico/node. */
  readonly calico: string;
  readonly mesos: string;
  readonly docker: {
    readonly version: string;
    /** What the Docker plugin names a network's profile and tag after. */
    readonly profileName: 'network id' | 'network name';
    readonly ipamDriver: 'calico' | 'calico-ipam';
  };
  readonly unified: {
    readonly via: 'net-modules' | 'cni';
    /** Put before the net-group's name to make its profile's name. */
    readonly profilePrefix: 'ng_' | '';
  };
  /** What this Calico knows how to do with a pool; the pools of v0.x know only IP-in-IP on or off. */
  readonly encapsulations: readonly Encapsulation[];
  /** The AS number that this Calico takes when nobody says one. */
  readonly asNumber: number;
  /** The components, by name; what a channel does not use is absent. */
  readonly software: Readonly<Partial<Record<SoftwareName, Software>>>;
}

/** A channel as it is written down, before it is known where it shall run. */
export interface Channel extends ReleaseChannel {
  /** What is taken in place of `software` on Flatcar, which has no packages: all of Mesos runs in containers there. */
  readonly flatcar: ReleaseChannel['software'];
}

/** All that a description can override, by name. */
export const softwareNames = [
  'calico-node',
  'calicoctl',
  'docker-plugin',
  'calico-mesos',
  'net-modules',
  'rpm-tools',
  'cni',
  'cni-ipam',
  'docker',
  'etcd',
  'zookeeper',
  'mesos',
  'marathon',
  'mesos-dns',
] as const;
export type SoftwareName = (typeof softwareNames)[number];

/** One component: which version, and from where where that is not the version's usual place. */
export interface Software {
  readonly version: string;
  /** Whole image reference with its tag, before the registry prefix. */
  readonly image?: string;
  readonly url?: string;
  /** The address is the description's own word: no mirror goes before it. */
  readonly ownUrl?: true;
  /** 64 hexadecimal digits; checked after download where it is given. */
  readonly sha256?: string;
  /** Why this version, where a reader would expect another. */
  readonly why?: string;
}
