/** A verification of a cluster that is no lab: its machines, the ways to them, and an end in order. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../modules/cli/progress.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { exit, Refusal, type Problem } from '../modules/problem/problem.ts';
import { described, ofNodes, readInventory } from '../modules/remote/inventory.ts';
import { openRemote, type Remote } from '../modules/remote/open.ts';
import type { Ground } from '../modules/remote/seats.ts';
import { shell } from '../modules/shell/shell.ts';
import { findTerraform } from '../modules/terraform/program.ts';
import { Terraform } from '../modules/terraform/terraform.ts';
import type { Report } from '../modules/verify/report.ts';
import type { Run } from '../modules/verify/run.ts';
import type { Target } from '../modules/verify/target.ts';
import { onInterrupt } from './interrupt.ts';

export const realOptions = {
  inventory: {
    type: 'string',
    value: 'FILE',
    help: "where the machines are (default: the stack's outputs; hosts and Vagrant: the description)",
  },
  image: {
    type: 'string',
    value: 'IMAGE',
    help: 'of probe tasks under Docker: any that has sleep (default: busybox:1.36)',
  },
  'accept-new-host-keys': {
    type: 'boolean',
    explicit: true,
    help: 'take machines that nobody knows yet at their word, and show their keys; a changed key is refused',
  },
} as const;

export interface Wish {
  readonly cluster: Cluster;
  readonly options: {
    readonly inventory?: string;
    readonly image?: string;
    readonly 'accept-new-host-keys'?: boolean;
  };
  readonly progress: Progress;
  readonly holder: string;
  /** How long another verification of the same cluster is waited for, milliseconds. */
  readonly waitMs: number;
  /** Takes a Ctrl-C where the work can end in order. */
  readonly gently?: () => boolean;
}

/** What a real cluster adds to a run. */
export type Found = Pick<Run, 'host' | 'leaveTasks' | 'stages'> & { readonly id: (network: string) => string };

/** Opens the ways, lets `work` verify, and takes everything away again, on Ctrl-C too. */
export async function onReal(
  { cluster, options, progress, holder, waitMs, gently }: Wish,
  work: (target: Target, found: Found) => Promise<Report>,
): Promise<Report> {
  const begin = performance.now();
  progress.stage('find the machines');
  const ground = await groundOf(cluster, options.inventory);
  const ssh = openSsh({
    shell,
    acceptNew: options['accept-new-host-keys'] === true,
    onAccepted: (text) => progress.say(text),
  });
  let remote: Remote | undefined;
  let opening: Promise<Remote> | undefined;
  let held = false;
  const interrupt = onInterrupt(async () => {
    progress.say('Stopping: the probe tasks are ended, and the policy is put back.');
    // Before the lease is ours there is nothing to take away, and no reason to wait for logins.
    const found = held ? await opening?.catch(() => undefined) : undefined;
    try {
      await found?.target.stop();
    } catch (error) {
      progress.say(`warning: not all of it: ${error instanceof Error ? error.message : String(error)}`);
    }
    await found?.close();
    await ssh.close();
  }, gently);
  try {
    opening = openRemote({
      cluster,
      ground,
      ssh,
      image: options.image ?? 'busybox:1.36',
      onStage: (name) => progress.stage(name),
      say: (text) => progress.say(text),
      holder,
      waitMs,
      signal: interrupt.signal,
      onHeld: () => (held = true),
    });
    remote = await opening;
    progress.done();
    const stages = [{ name: 'reach the cluster', ms: Math.round(performance.now() - begin) }];
    return await work(remote.target, { host: remote.host, id: remote.id, leaveTasks: false, stages });
  } finally {
    // What fails, or ends, because it is being taken away is no news; the signal's handler ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    await remote?.close();
    await ssh.close();
    interrupt.off();
  }
}

async function groundOf(cluster: Cluster, file: string | undefined): Promise<Ground> {
  if (file !== undefined) return readFile(file, cluster);
  switch (cluster.target.kind) {
    case 'hosts':
      return described(cluster);
    case 'vagrant':
      return ofNodes(cluster, cluster.target.provider);
    case 'aws':
    case 'gce':
      return fromStack(cluster);
    case 'lab':
      throw new TypeError(`${cluster.name} is a lab`);
  }
}

function readFile(file: string, cluster: Cluster): Ground {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal([
      {
        code: 'inventory-missing',
        at: { file },
        what: `it cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      },
    ]);
  }
  return grounded(readInventory(text, file, cluster));
}

/** From the state of the stack, as `npm run deploy` left it. */
async function fromStack(cluster: Cluster): Promise<Ground> {
  const folder = join(process.env['CDKTF_OUTDIR'] ?? 'cdktf.out', 'stacks', cluster.name);
  if (!existsSync(folder)) throw new Refusal([noStack(cluster, `there is no stack in ${folder}`)], exit.unknown);
  const program = await findTerraform(shell);
  const terraform = new Terraform({ shell, program, folder, pools: Object.keys(cluster.agents), limitMs: 60_000 });
  const { inventory } = await terraform.outputs();
  if (inventory === undefined)
    throw new Refusal([noStack(cluster, `the stack in ${folder} has no outputs`)], exit.unknown);
  return grounded(readInventory(JSON.stringify(inventory), cluster.file, cluster));
}

const noStack = ({ name, file }: Cluster, why: string): Problem => ({
  code: 'inventory-missing',
  at: { file },
  what: `where the machines of ${name} are is not known: ${why}.`,
  remedy: `npm run deploy ${name}; or, with the outputs of a stack that was deployed elsewhere: --inventory FILE`,
});

function grounded(read: ReturnType<typeof readInventory>): Ground {
  if (!read.ok) throw new Refusal([read.problem]);
  return read.ground;
}
