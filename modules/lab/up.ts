/** From a cluster description to a lab that runs: checks this machine, starts the lab, builds its hosts. */
import type { Cluster } from '../cluster/cluster.ts';
import { exit, Refusal, type Problem } from '../problem/problem.ts';
import type { Shell } from '../shell/shell.ts';
import { specs } from '../verify/states.ts';
import type { Tools } from './api.ts';
import { engineHere } from './docker/need.ts';
import { endLab, startLab, type Lab } from './lab.ts';
import { isRoot, permissionProblems, unshareCommand } from './permission.ts';
import { missingPrograms, tools } from './programs.ts';
import { neighbourLimit, roomProblems, type Crowd } from './room.ts';
import { enginePlan, topology } from './topology.ts';

export interface Up {
  readonly lab: Lab;
  readonly tools: Tools;
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
}

/** Told the name of each stage as it begins. */
export type OnStage = (name: string) => void;

/** What this machine lacks for a lab; throws a Refusal with all of it, exit code 3: nothing was found out. */
export async function checkMachine(shell: Shell, docker = false): Promise<Tools> {
  const refuse = (problems: readonly Problem[]): never => {
    throw new Refusal(problems, exit.unknown);
  };
  if (process.platform !== 'linux') {
    refuse([
      {
        code: 'lab-needs-linux',
        what: `the lab is made of Linux network namespaces, and this is ${process.platform}.`,
        remedy: 'run it on Linux: vagrant up with any Linux box on this computer, or a small machine in a cloud',
      },
    ]);
  }
  const engine = docker ? await engineHere(shell) : undefined;
  const missing = [...missingPrograms(), ...(typeof engine === 'object' ? engine : [])];
  if (missing.length > 0) refuse(missing);
  const forbidden = await permissionProblems(shell);
  if (forbidden.length > 0) refuse(forbidden);
  const found = await tools(shell, unshareCommand(isRoot()));
  if (!('restore' in found)) return refuse(found);
  return typeof engine === 'string' ? { ...found, versions: { ...found.versions, docker: engine } } : found;
}

/** Brings the lab up under a name. Whatever fails, or if the signal comes, nothing of it is left. */
export async function bringUp(
  shell: Shell,
  cluster: Cluster,
  name: string,
  onStage: OnStage,
  { docker = false }: { readonly docker?: boolean } = {},
): Promise<Up> {
  const stages: { name: string; ms: number }[] = [];
  const stage = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    onStage(title);
    const begin = performance.now();
    const result = await work();
    stages.push({ name: title, ms: Math.round(performance.now() - begin) });
    return result;
  };
  if (docker && !cluster.nodes.some((node) => node.containerizers.includes('docker'))) throw new Refusal([noDocker]);
  const plan = topology(cluster);
  const found = await stage('check this machine', () => checkMachine(shell, docker));
  const crowded = roomProblems(crowd(cluster), neighbourLimit());
  if (crowded.length > 0) throw new Refusal(crowded, exit.unknown);
  const lab = await stage('start the lab', () => startLab(shell, name));
  try {
    const engines = docker ? { engines: enginePlan(cluster, String(lab.pid)) } : {};
    const whole = docker
      ? 'wire hosts, start etcd, BIRD, agents and Docker engines'
      : 'wire hosts, start etcd, BIRD and agents';
    await stage(whole, () => lab.call('build', { topology: { ...plan, ...engines }, tools: found }));
    return { lab, tools: found, stages };
  } catch (error) {
    await endLab(lab);
    throw error;
  }
}

/** The tasks that a verification of the cluster starts. */
function crowd(cluster: Cluster): Crowd {
  const { tasks, guards } = specs(cluster);
  const byHost = new Map<string, number>();
  for (const { node } of [...tasks, ...guards]) byHost.set(node, (byHost.get(node) ?? 0) + 1);
  return { hosts: cluster.nodes.length, tasks: byHost };
}

const noDocker: Problem = {
  code: 'lab-docker-without-agents',
  what: 'no agent of this cluster has the Docker Containerizer, so no task would run in an engine.',
  rule: '--docker is for tasks on networks of the Docker Containerizer.',
  example: 'agents: { general: { count: 3, containerizers: [docker] } }',
  remedy: 'without --docker',
};
