/** The network of the control tasks, made for a run and taken away after it, and the ids that Docker gave to networks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import type { Remote } from '../hosts/ssh.ts';
import { format } from '../problem/problem.ts';
import { root } from '../root/root.ts';
import { controlNetwork } from '../verify/plan.ts';
import { TargetFailed } from '../verify/target.ts';
import type { Seat } from './seats.ts';
import { containerizerOf } from './tasks.ts';

type Deed = 'make' | 'tell' | 'drop';

const limitMs = 150_000;
const script = (): string => readFileSync(join(root, 'modules/remote/networks.sh'), 'utf8');

/** Makes it, and gives the id of each Docker network by name. */
export async function makeControl(
  remote: Remote,
  cluster: Cluster,
  seats: readonly Seat[],
): Promise<Map<string, string>> {
  const kind = kindOf(cluster);
  const ids = new Map<string, string>();
  if (kind === undefined) return ids;
  const names = Object.values(cluster.networks).flatMap(({ name, containerizer }) =>
    containerizer === 'docker' ? [name] : [],
  );
  const [first, ...others] = seats;
  if (first === undefined) return ids;
  const told = [
    await ask(remote, cluster, first, 'make', names),
    ...(await Promise.all(
      others.map((seat) => ask(remote, cluster, seat, kind === 'docker' ? 'tell' : 'make', names)),
    )),
  ];
  for (const [index, own] of told.entries()) {
    for (const [name, id] of own) {
      const known = ids.get(name) ?? id;
      if (id === '-') throw new TargetFailed(`${seats[index]!.node}: there is no Docker network ${name}`);
      if (known !== id)
        throw new TargetFailed(
          `the Docker network ${name} has one id on ${first.node} and another on ${seats[index]!.node}: it is not shared`,
        );
      ids.set(name, id);
    }
  }
  return ids;
}

export async function dropControl(remote: Remote, cluster: Cluster, seats: readonly Seat[]): Promise<void> {
  const kind = kindOf(cluster);
  if (kind === undefined) return;
  const where = kind === 'docker' ? seats.slice(0, 1) : seats;
  await Promise.all(where.map((seat) => ask(remote, cluster, seat, 'drop', [])));
}

/** Net-groups need no making. */
function kindOf(cluster: Cluster): 'docker' | 'cni' | undefined {
  if (containerizerOf(cluster, controlNetwork) === 'docker') return 'docker';
  return cluster.release.unified.via === 'cni' ? 'cni' : undefined;
}

async function ask(
  remote: Remote,
  cluster: Cluster,
  seat: Seat,
  deed: Deed,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const words = [deed, kindOf(cluster)!, cluster.release.docker.ipamDriver, controlNetwork, ...names];
  const outcome = await remote.run(seat.login, { script: script(), words, limitMs, what: 'the networks of its tasks' });
  if (!outcome.ok) throw new TargetFailed(format(outcome.problem));
  return new Map([...outcome.stdout.matchAll(/^network (\S+) (\S+)$/gm)].map(([, name, id]) => [name!, id!] as const));
}
