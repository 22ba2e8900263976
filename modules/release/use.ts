import type { Containerizer, ReleaseChannel, SoftwareName } from './channel.ts';
import { hasGateway } from './etcd.ts';

/** Which nodes fetch a component. */
export interface Use {
  readonly roles: readonly ('master' | 'agent')[];
  /** Only agents that offer this containerizer. */
  readonly containerizer?: Containerizer;
}

const masters: Use = { roles: ['master'] };
const all: Use = { roles: ['master', 'agent'] };
const dockerAgents: Use = { roles: ['agent'], containerizer: 'docker' };
const unifiedAgents: Use = { roles: ['agent'], containerizer: 'mesos' };

const uses: Readonly<Record<SoftwareName, Use | ((release: ReleaseChannel) => Use)>> = {
  // Masters run it too, so that Marathon's health checks and who looks from there have routes to tasks.
  'calico-node': all,
  calicoctl: all,
  'docker-plugin': dockerAgents,
  'calico-mesos': unifiedAgents,
  'net-modules': unifiedAgents,
  'rpm-tools': unifiedAgents,
  cni: unifiedAgents,
  'cni-ipam': unifiedAgents,
  docker: all,
  // The plugins of classic know one address of etcd: a gateway on each agent, where etcd can be one.
  etcd: ({ name, software }) => (name === 'classic' && hasGateway(software.etcd?.version ?? '0') ? all : masters),
  zookeeper: masters,
  mesos: all,
  marathon: masters,
  'mesos-dns': masters,
};

export function use(release: ReleaseChannel, name: SoftwareName): Use {
  const found = uses[name];
  return typeof found === 'function' ? found(release) : found;
}
