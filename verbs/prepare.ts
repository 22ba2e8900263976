/** What comes before a lab: a description that holds, and a machine that has what it takes. */
import type { Progress } from '../modules/cli/progress.ts';
import type { Cluster } from '../modules/cluster/cluster.ts';
import { fileOf } from '../modules/cluster/load.ts';
import { readCluster } from '../modules/cluster/read.ts';
import { install, mayInstall } from '../modules/lab/install.ts';
import { missingEnginePackages } from '../modules/lab/docker/need.ts';
import { debianPackages } from '../modules/lab/programs.ts';
import { format, Refusal } from '../modules/problem/problem.ts';
import { shell } from '../modules/shell/shell.ts';

/** The cluster of a word; its warnings are said, its problems are thrown. */
export function checked(word: string, progress: Progress): Cluster {
  const { cluster, problems, warnings } = readCluster(fileOf(word));
  for (const warning of warnings) progress.say(`warning: ${format(warning)}`);
  if (cluster === undefined) throw new Refusal(problems);
  return cluster;
}

/** Programs are installed unasked only as root on Debian or with CI=true, and not without a word. */
export async function installIfNeeded(progress: Progress, docker = false): Promise<void> {
  if (process.platform !== 'linux' || !mayInstall(docker)) return;
  progress.stage(`install ${[...debianPackages, ...(docker ? missingEnginePackages() : [])].join(', ')} with apt-get`);
  await install(shell, docker);
  progress.done();
}
