/** A way in which an agent runs tasks. `mesos` is the Unified Containerizer. */
export type Containerizer = 'docker' | 'mesos';

/** Versions that go together, and what they turn a network into. Data, not code. */
export interface ReleaseChannel {
  readonly name: 'classic' | 'current';
  readonly title: string;
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
}
