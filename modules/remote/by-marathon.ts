/** Probe tasks as apps of Marathon, in one group of the run's own. */
import type { Cluster } from '../cluster/cluster.ts';
import type { Marathon } from '../mesos/marathon.ts';
import type { Master } from '../mesos/mesos.ts';
import type { Told } from '../mesos/told.ts';
import type { LaunchedApp } from '../mesos/wait.ts';
import { format } from '../problem/problem.ts';
import { TargetFailed } from '../verify/target.ts';
import type { Launcher } from './launcher.ts';
import { probeTask } from './tasks.ts';

export interface MarathonParts {
  readonly cluster: Cluster;
  readonly marathon: Marathon;
  readonly master: Master;
  /** Of all apps of this run. */
  readonly group: string;
  /** Of probe tasks of the Docker Containerizer. */
  readonly image: string;
  /** An agent's, as Mesos knows it. */
  readonly hostname: (node: string) => string;
  /** Told how far launching is. */
  readonly onProgress?: (text: string) => void;
}

/** Milliseconds. An image may have to be fetched first. */
const limits = { launch: 300_000, end: 120_000, look: 500 };

export function byMarathon(parts: MarathonParts): Launcher {
  const { cluster, marathon, master, group: whole, image, hostname, onProgress } = parts;
  /** By task: its app, and the group in which it was started. */
  const started = new Map<string, { readonly app: string; readonly group: string }>();
  let count = 0;

  return {
    async start(tasks, signal) {
      // A group that is put loses the apps that it is put without: who comes later has one of its own inside.
      const group = started.size === 0 ? whole : `${whole}/more-${++count}`;
      const specs = tasks.map((task) => probeTask(cluster, group, image, task, hostname(task.node)));
      const apps = await marathon.apps(specs);
      if (!apps.ok) throw new TargetFailed(apps.problems.map(format).join(' '));
      if (signal.aborted) throw new TargetFailed('the run is being stopped');
      for (const [index, { name }] of tasks.entries()) started.set(name, { app: specs[index]!.id, group });
      const launched = valueOf(
        await marathon.launch(
          { apps: apps.value, group },
          {
            limitMs: limits.launch,
            pauseMs: limits.look,
            signal,
            onProgress: ({ done, of, missing }) =>
              onProgress?.(
                `launch: ${done} of ${of} tasks run${missing[0] === undefined ? '' : `, not yet ${missing[0]}`}`,
              ),
          },
        ),
      );
      const addresses = await addressesOf(launched, master);
      const placed = tasks.map(({ name }, index) => ({ name, address: addresses.get(specs[index]!.id) ?? '' }));
      const silent = placed.filter(({ address }) => address === '').map(({ name }) => name);
      if (silent.length > 0)
        throw new TargetFailed(`neither Marathon nor Mesos tells an address of ${silent.join(', ')}`);
      return placed;
    },
    // As Marathon names the tasks of an app: its path, from the end.
    called: (task) => started.get(task)?.app.split('/').filter(Boolean).reverse().join('.'),
    async end(names) {
      if (started.size === 0) return;
      const own = names ?? [...started.keys()];
      const going = own.flatMap((name) => started.get(name) ?? []);
      for (const name of own) started.delete(name);
      const ids = started.size === 0 ? [whole] : emptied(going, [...started.values()]);
      try {
        valueOf(await marathon.end(ids, { limitMs: limits.end, pauseMs: limits.look }));
      } catch (error) {
        // Still there, as far as we know: to be asked for again.
        for (const [index, name] of own.entries()) if (going[index]) started.set(name, going[index]);
        throw error;
      }
    },
  };
}

interface App {
  readonly app: string;
  readonly group: string;
}

/** Groups of which nothing stays, and single apps of the others: Marathon keeps a group that has no app any more. */
function emptied(going: readonly App[], stay: readonly App[]): string[] {
  const kept = new Set(stay.map(({ group }) => group));
  return [...new Set(going.map(({ app, group }) => (kept.has(group) ? app : group)))];
}

/** By app: what Marathon says where it is in a pool of Calico, else what Mesos says. The agent proves it later. */
async function addressesOf(launched: readonly LaunchedApp[], master: Master): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const note = (app: string, all: readonly string[]): void => {
    const [address] = all.filter((one) => /^\d+\.\d+\.\d+\.\d+$/.test(one));
    if (address !== undefined) found.set(app, address);
  };
  for (const { app, addresses } of launched) note(app, addresses);
  if (found.size === launched.length) return found;
  const state = valueOf(await master.state());
  for (const { app, task } of launched) {
    if (!found.has(app)) note(app, state.tasks.find(({ id }) => id === task)?.addresses ?? []);
  }
  return found;
}

function valueOf<T>(told: Told<T>): T {
  if (!told.ok) throw new TargetFailed(format(told.problem));
  return told.value;
}
