/** Everything that the machines of a cluster fetch, and which of them do. Pure. */
import type { Cluster, Target } from '../cluster/cluster.ts';
import { artifacts, type Artifact } from '../release/artifact.ts';
import type { SoftwareName } from '../release/channel.ts';
import { flatcarAmi, flatcarFamily } from '../release/flatcar.ts';
import { use } from '../release/use.ts';

export interface Item {
  readonly name: SoftwareName | 'machine image';
  readonly version: string;
  readonly kind: Artifact['kind'] | 'machine image';
  /** Image reference or address; for what is looked up, how. */
  readonly from: string;
  /** `masters`, and names of agent pools. */
  readonly nodes: readonly string[];
  readonly sha256: string | undefined;
}

/** In a lab nothing is fetched; on hosts, not what is said to be there. */
export function list(cluster: Cluster): readonly Item[] {
  const { target, release, sources, agents } = cluster;
  if (target.kind === 'lab') return [];
  const nodesOf = (name: SoftwareName): string[] => {
    const { roles, containerizer } = use(release, name);
    const pools = Object.values(agents).filter(
      (pool) => containerizer === undefined || pool.containerizers.includes(containerizer),
    );
    return [
      ...(roles.includes('master') ? ['masters'] : []),
      ...(roles.includes('agent') ? pools.map((pool) => pool.name) : []),
    ];
  };
  const software = artifacts(release, sources).map(({ from, ...artifact }): Item => ({
    ...artifact,
    from: from ?? "packages of the host's distribution",
    nodes: nodesOf(artifact.name),
  }));
  return [
    ...machineImage(target, ['masters', ...Object.keys(agents)]),
    ...software.filter(({ name, nodes }) => nodes.length > 0 && !(name !== 'machine image' && present(target, name))),
  ];
}

/** What `existing` of a hosts target means by its words. */
const existing: Readonly<
  Partial<Record<SoftwareName, 'mesos' | 'marathon' | 'zookeeper' | 'etcd' | 'docker' | 'calico'>>
> = {
  mesos: 'mesos',
  marathon: 'marathon',
  zookeeper: 'zookeeper',
  etcd: 'etcd',
  docker: 'docker',
  'calico-node': 'calico',
  calicoctl: 'calico',
  'docker-plugin': 'calico',
};

function present(target: Target, name: SoftwareName): boolean {
  const word = existing[name];
  return target.kind === 'hosts' && word !== undefined && target.existing[word] === true;
}

function machineImage(target: Target, nodes: readonly string[]): Item[] {
  const item = (version: string, from: string, sha256?: string): Item[] => [
    { name: 'machine image', version, kind: 'machine image', from, nodes, sha256 },
  ];
  switch (target.kind) {
    case 'aws': {
      const { owner, name } = flatcarAmi(target.os);
      return item(
        target.os,
        target.image === undefined ? `newest AMI of owner ${owner} called ${name}` : `AMI ${target.image}`,
      );
    }
    case 'gce': {
      const { project, family } = flatcarFamily(target.os);
      return item(
        target.os,
        target.image === undefined ? `newest image of family ${family} in project ${project}` : `image ${target.image}`,
      );
    }
    case 'vagrant':
      return item(
        target.box.version ?? target.os,
        target.box.url ?? `Vagrant box ${target.box.name}`,
        target.box.sha256,
      );
    case 'hosts':
    case 'lab':
      return [];
    default:
      return target satisfies never;
  }
}
