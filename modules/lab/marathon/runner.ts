/**
 * The lab starts what the stand-in for Marathon launches: a task is a network namespace, wired and known to etcd as the
 * plugin of its containerizer does it, with the app's command as a process in it.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import { keys, profileWrites } from '../../datastore/calico.ts';
import type { Attachment } from '../../mesos/apps.ts';
import {
  endpointProfiles,
  hostProfile,
  needsHost,
  networkProfile,
  type PolicyHost,
  type PolicyNetwork,
} from '../../policy/network.ts';
import type { Profile } from '../../policy/model.ts';
import type { Lab } from '../lab.ts';
import { stableId, topology } from '../topology.ts';
import { taskTitle } from './mesos.ts';
import type { Runner, Runs, TaskToRun } from './run.ts';

/** An agent's hostname is its node's name. */
export function labRunner(lab: Lab, cluster: Cluster): Runner {
  const hosts = new Map(topology(cluster).hosts.map(({ name, address }) => [name, { name, address }]));
  const running = new Map<string, Started>();
  const inTurn = turns();

  return {
    start: (task) =>
      inTurn(async () => {
        const host = hosts.get(task.agent);
        if (host === undefined) throw new Error(`there is no host ${task.agent}`);
        const wired = await wire(lab, cluster, task, host);
        try {
          const pid = await begin(lab, wired.namespace, task.command);
          running.set(task.id, { ...wired, pid });
          return { containerId: stableId('container', task.id), pid, addresses: [wired.address] } satisfies Runs;
        } catch (error) {
          await unwire(lab, wired);
          throw error;
        }
      }),
    end: (id) =>
      inTurn(async () => {
        const started = running.get(id);
        if (started === undefined) return;
        running.delete(id);
        // Its own session: what it has started ends with it.
        await lab.call('exec', { command: ['sh', '-c', 'kill -9 "-$1" 2>/dev/null; :', 'sh', String(started.pid)] });
        await unwire(lab, started);
      }),
    async healthy(id, command) {
      const started = running.get(id);
      if (started === undefined) return false;
      const { code } = await lab.call('exec', { namespace: started.namespace, command: ['sh', '-c', command] });
      return code === 0;
    },
  };
}

interface Wired {
  readonly namespace: string;
  readonly address: string;
  /** It is the task's, and goes with it; a task that opts out has its host's. */
  readonly own: boolean;
}

interface Started extends Wired {
  readonly pid: number;
}

async function wire(lab: Lab, cluster: Cluster, task: TaskToRun, host: PolicyHost): Promise<Wired> {
  const { attachment, containerizer } = task;
  if (attachment.kind === 'host') return { namespace: host.name, address: host.address, own: false };
  const networks = networksOf(cluster, attachment, containerizer);
  await bringProfiles(lab, cluster, networks, host);
  const { via } = cluster.release.unified;
  const orchestrator = containerizer === 'docker' ? 'libnetwork' : via === 'cni' ? 'cni' : 'mesos';
  const { tasks } = await lab.call('attach', {
    tasks: [
      {
        name: task.id,
        host: host.name,
        network: networks[0]?.name ?? '',
        profiles: endpointProfiles({ networks, host }, cluster.release),
        orchestrator,
        called: taskTitle(task.app),
      },
    ],
  });
  return { namespace: task.id, address: tasks[0]!.address, own: true };
}

const unwire = async (lab: Lab, { namespace, own }: Wired): Promise<void> => {
  if (own) await lab.call('detach', { names: [namespace] });
};

/** A Docker network, or one of CNI, is there when somebody has made it; a net-group is made by who names it. */
function networksOf(
  cluster: Cluster,
  attachment: Exclude<Attachment, { readonly kind: 'host' }>,
  containerizer: 'docker' | 'mesos',
): readonly PolicyNetwork[] {
  if (attachment.kind === 'groups') {
    if (cluster.release.unified.via !== 'net-modules') throw new Error('the agents have no net-modules');
    return attachment.groups.map((name) => ({ name, containerizer }));
  }
  if (attachment.address !== undefined) throw new Error(`the lab gives no fixed address (${attachment.address})`);
  if (cluster.networks[attachment.name]?.containerizer !== containerizer)
    throw new Error(`network ${attachment.name} not found`);
  return [{ name: attachment.name, containerizer }];
}

/** The first task of a network brings its profile; one that is there is never altered. */
async function bringProfiles(
  lab: Lab,
  { release }: Cluster,
  networks: readonly PolicyNetwork[],
  host: PolicyHost,
): Promise<void> {
  const wanted: readonly Profile[] = [
    ...networks.map((network) => networkProfile(network, release)),
    ...(needsHost(networks, release) ? [hostProfile(host)] : []),
  ];
  for (const profile of wanted) {
    const { node } = await lab.call('read', { key: keys.profile(profile.name) });
    if (node === undefined) await lab.call('write', { writes: profileWrites(profile) });
  }
}

async function begin(lab: Lab, namespace: string, command: string): Promise<number> {
  const script = 'setsid sh -c "$1" >/dev/null 2>&1 </dev/null & echo $!';
  const { code, stdout, stderr } = await lab.call('exec', { namespace, command: ['sh', '-c', script, 'sh', command] });
  const pid = Number(stdout.trim());
  if (code !== 0 || !Number.isInteger(pid) || pid <= 0) throw new Error(`the command did not start: ${stderr.trim()}`);
  return pid;
}

/** One after another: the lab's list of addresses is written as a whole. */
function turns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}
