import type { Containerizer, SoftwareName } from './channel.ts';

/** Which nodes run a component. */
interface Use {
  readonly roles: readonly ('master' | 'agent')[];
  /** Only on agents that offer this containerizer. */
  readonly containerizer?: Containerizer;
}

/** Masters run calico-node too, so that Marathon's health checks and who looks from there have routes to tasks. */
export const uses: Readonly<Record<SoftwareName, Use>> = {
  'calico-node': { roles: ['master', 'agent'] },
  calicoctl: { roles: ['master'] },
  'docker-plugin': { roles: ['agent'], containerizer: 'docker' },
  'calico-mesos': { roles: ['agent'], containerizer: 'mesos' },
  'net-modules': { roles: ['agent'], containerizer: 'mesos' },
  'rpm-tools': { roles: ['agent'], containerizer: 'mesos' },
  cni: { roles: ['agent'], containerizer: 'mesos' },
  'cni-ipam': { roles: ['agent'], containerizer: 'mesos' },
  docker: { roles: ['master', 'agent'] },
  etcd: { roles: ['master'] },
  zookeeper: { roles: ['master'] },
  mesos: { roles: ['master', 'agent'] },
  marathon: { roles: ['master'] },
  'mesos-dns': { roles: ['master'] },
};
