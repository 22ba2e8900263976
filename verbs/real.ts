/** A verification of a cluster that is no lab: its machines, the ways to them, and an end in order. */
import type { Progress } from '../modules/cli/progress.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { openSsh } from '../modules/hosts/ssh.ts';
import { Refusal } from '../modules/problem/problem.ts';
import { launcherNames, type LauncherName } from '../modules/remote/launcher.ts';
import { openRemote, type Remote } from '../modules/remote/open.ts';
import { shell } from '../modules/shell/shell.ts';
import type { Report } from '../modules/verify/report.ts';
import type { Run } from '../modules/verify/run.ts';
import type { Target } from '../modules/verify/target.ts';
import { groundOf, groundOptions } from './ground.ts';
import { onInterrupt } from './interrupt.ts';

export const realOptions = {
  ...groundOptions,
  launcher: {
    type: 'string',
    value: 'LAUNCHER',
    help: 'what starts the probe tasks of a real cluster: marathon (default), or docker, the Docker of each agent',
  },
  image: {
    type: 'string',
    value: 'IMAGE',
    help: 'of probe tasks under Docker: any that has sleep (default: busybox:1.36)',
  },
} as const;

export interface Wish {
  readonly cluster: Cluster;
  readonly options: {
    readonly inventory?: string;
    readonly launcher?: string;
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
  const launcher = launcherOf(options.launcher);
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
      launcher,
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

function launcherOf(word = 'marathon'): LauncherName {
  const found = launcherNames.find((name) => name === word);
  if (found !== undefined) return found;
  throw new Refusal([
    {
      code: 'usage',
      what: `--launcher is "${word}".`,
      rule: `launchers are ${launcherNames.join(', ')}.`,
      example: '--launcher docker',
    },
  ]);
}
