/** What starts the probe tasks of a run on a real cluster: Marathon, or the Docker of each agent. */
import type { Cluster } from '../cluster/cluster.ts';
import type { Problem } from '../problem/problem.ts';
import type { TaskSpec } from '../verify/target.ts';

export const launcherNames = ['marathon', 'docker'] as const;
export type LauncherName = (typeof launcherNames)[number];

export interface Placed {
  readonly name: string;
  /** IPv4, as the launcher says; the agent proves it later. */
  readonly address: string;
  /** Of a process in its network namespace, where the launcher knows one. */
  readonly pid?: number;
}

/** Every failure is a `TargetFailed`. */
export interface Launcher {
  /** Starts all, beside those of earlier calls. What was begun before a failure stays for `end`. */
  start(tasks: readonly TaskSpec[], signal: AbortSignal): Promise<readonly Placed[]>;
  /** What Mesos calls a task that was started; not there where Mesos has no part in it. */
  readonly called?: (task: string) => string | undefined;
  /** Ends tasks of that name, or all that the run has started; none is fine. */
  end(names?: readonly string[]): Promise<void>;
}

/** Why this launcher cannot start the tasks of a cluster; undefined where it can. */
export function unfit({ file, networks }: Cluster, launcher: LauncherName): Problem | undefined {
  if (launcher === 'marathon') return undefined;
  const others = Object.values(networks).filter(({ containerizer }) => containerizer !== 'docker');
  if (others.length === 0) return undefined;
  return {
    code: 'verify-launcher',
    at: { file, path: 'networks' },
    what: `networks of the Unified Containerizer: ${others.map(({ name }) => name).join(', ')}.`,
    rule: '--launcher docker starts containers, which only Docker networks have.',
    remedy: 'verify it through Marathon, without the option',
  };
}
