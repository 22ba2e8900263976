/** The probe tasks of a run as Marathon is to start them. Pure. */
import type { Cluster } from '../cluster/cluster.ts';
import { appName } from '../mesos/app-id.ts';
import type { Attachment, ProbeTask } from '../mesos/apps.ts';
import type { Containerizer } from '../release/channel.ts';
import type { TaskSpec } from '../verify/target.ts';

/** That of the control tasks is in no description: they run in what the first agent has. */
export function containerizerOf(cluster: Cluster, network: string): Containerizer {
  const own = cluster.networks[network]?.containerizer;
  if (own !== undefined) return own;
  const first = cluster.nodes.find(({ role }) => role === 'agent');
  return first === undefined || first.containerizers.includes('docker') ? 'docker' : 'mesos';
}

/**
 * They only wait: what answers in their networks is started from the host, and ends with the run, so that any image with
 * `sleep` will do. `hostname`: of an agent as Mesos knows it.
 */
export function probeTask(
  cluster: Cluster,
  group: string,
  image: string,
  { name, node, network }: TaskSpec,
  hostname: string,
): ProbeTask {
  const containerizer = containerizerOf(cluster, network);
  return {
    id: `${group}/${appName(name)}`,
    agent: hostname,
    containerizer,
    ...(containerizer === 'docker' ? { image } : {}),
    command: 'sleep 86400',
    cpus: 0.01,
    mem: 32,
    attachment: attachmentOf(cluster, containerizer, network),
    labels: { 'mesos-calico': 'verify', task: name, node },
  };
}

function attachmentOf({ release }: Cluster, containerizer: Containerizer, network: string): Attachment {
  if (containerizer === 'mesos' && release.unified.via === 'net-modules') return { kind: 'groups', groups: [network] };
  return { kind: 'network', name: network };
}
