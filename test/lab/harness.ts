/** Labs for tests: each with a name of its own, and gone at the end whatever happens. */
import { loadCluster } from '../../modules/cluster/load.ts';
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { endLab, type Lab } from '../../modules/lab/lab.ts';
import type { Tools } from '../../modules/lab/api.ts';
import { LabTarget } from '../../modules/lab/target.ts';
import { topology } from '../../modules/lab/topology.ts';
import { bringUp } from '../../modules/lab/up.ts';
import { shell } from '../../modules/shell/shell.ts';
import type { PolicyHost } from '../../modules/policy/network.ts';

export interface Stage {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly tools: Tools;
  readonly target: LabTarget;
  /** The lab as another run would see it, that knows nothing of what the first one started. */
  readonly another: () => LabTarget;
  /** Addresses of hosts, as a run wants them. */
  readonly host: (node: string) => PolicyHost;
  /** Runs a shell command in a host's or a task's namespace; throws when it fails. */
  readonly sh: (namespace: string | undefined, script: string) => Promise<string>;
}

let count = 0;

/** A lab of a cluster (a name, a file, or a Cluster), up with its hosts and no task. */
export async function openLab(cluster: string | Cluster = 'lab', docker = false): Promise<Stage> {
  const description = typeof cluster === 'string' ? loadCluster(cluster) : cluster;
  const name = `test-${process.pid}-${++count}`;
  const { lab, tools } = await bringUp(shell, description, name, () => undefined, { docker });
  const addresses = new Map(topology(description).hosts.map((host) => [host.name, host.address]));
  return {
    lab,
    tools,
    cluster: description,
    target: new LabTarget(lab, description, tools),
    another: () => new LabTarget(lab, description, tools),
    host: (node) => ({ name: node, address: addresses.get(node) ?? '' }),
    sh: async (namespace, script) => {
      const command = ['sh', '-ec', script];
      const output = await lab.call('exec', namespace === undefined ? { command } : { namespace, command });
      if (output.code !== 0) throw new Error(`${namespace ?? 'fabric'}: ${script}: ${output.stderr || output.stdout}`);
      return output.stdout;
    },
  };
}

export async function closeLab(stage: Stage | undefined): Promise<void> {
  if (stage) await endLab(stage.lab);
}

/** Runs something in a lab of its own. */
export async function withLab<T>(work: (stage: Stage) => Promise<T>, cluster?: string | Cluster): Promise<T> {
  const stage = await openLab(cluster);
  try {
    return await work(stage);
  } finally {
    await closeLab(stage);
  }
}
