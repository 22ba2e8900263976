/**
 * Probe tasks as containers on Calico's Docker networks, on agents that one can get to: networks are made once, looked for
 * on every agent, and go again if they were ours. The way there is handed in: SSH to real agents, or a lab's own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Order } from '../hosts/follow.ts';
import type { Outcome } from '../hosts/ssh.ts';
import { root } from '../root/root.ts';
import { TargetFailed, type TaskSpec } from '../verify/target.ts';

/** Runs a script as root on the agent of that name; `Remote` of modules/hosts does, given each agent's login. */
export type Runner = (node: string, order: Order) => Promise<Outcome>;

export interface DockerOptions {
  readonly run: Runner;
  readonly agents: readonly string[];
  /** The release's: `calico`, or `calico-ipam`. */
  readonly ipamDriver: string;
  /** Any image that has `sleep`; pulled where an agent lacks it. */
  readonly image: string;
  /** Tells this run's containers from those of others. Letters, digits and dashes. */
  readonly id: string;
}

export type DockerTask = Pick<TaskSpec, 'name' | 'node' | 'network'>;

export interface StartedTask extends DockerTask {
  /** As Docker says. It is no proof: what a task has is seen in its namespace. */
  readonly address: string;
  /** Of a process in its network namespace, as its agent counts. */
  readonly pid: number;
  /** The endpoint's id, which is Calico's too. */
  readonly endpoint: string;
}

/** Every failure is a `TargetFailed` that names the agent. */
export interface DockerLauncher {
  /** Sees to it that every agent has these networks, and that they are Calico's; gives the id of each. */
  networks(names: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** What each agent's Docker is; throws where one does not answer. */
  versions(): Promise<readonly string[]>;
  /** Starts all, or none. */
  start(tasks: readonly DockerTask[]): Promise<readonly StartedTask[]>;
  /** Ends some of them. */
  end(tasks: readonly Pick<DockerTask, 'name' | 'node'>[]): Promise<void>;
  /** Ends what was started, and removes networks that were made. */
  stop(): Promise<void>;
  /** Ends what earlier runs have left, whatever ended them; gives how many containers those were. */
  sweep(): Promise<number>;
}

/** Milliseconds for one script; above all of its own limits together but that of a pull. */
const limitMs = 300_000;

type Line = readonly string[];

export function dockerLauncher(options: DockerOptions): DockerLauncher {
  const { agents } = options;
  const made = new Set<string>();
  const [first = ''] = agents;
  const on = (node: string, what: string, steps: readonly string[]) => ask(options, node, what, steps);
  const everywhere = (what: string, step: string): Promise<readonly (readonly Line[])[]> =>
    Promise.all(agents.map((node) => on(node, what, [step])));
  const end: DockerLauncher['end'] = async (tasks) => {
    const nodes = [...new Set(tasks.map(({ node }) => node))];
    const steps = (node: string): string[] =>
      tasks.flatMap((task) => (task.node === node ? [`stop =${plain(options.id)} ${plain(task.name)} &`] : []));
    await Promise.all(nodes.map((node) => on(node, 'to end containers', [...steps(node), 'wait'])));
  };

  return {
    async versions() {
      const told = await everywhere('to say what it is', 'engine');
      return told.map(([line]) => line?.[1] ?? '');
    },
    async networks(names) {
      if (names.length === 0) return {};
      const make = await on(
        first,
        'to make networks',
        names.map((name) => `network make ${plain(name)}`),
      );
      for (const [, name = '', , , , , how] of make) if (how === 'made') made.add(name);
      const ids = new Map(make.map(([, name = '', id = '']) => [name, id]));
      const looked = agents.map(async (node) => {
        const lines =
          node === first
            ? make
            : await on(
                node,
                'to look for networks',
                names.map((name) => `network look ${name}`),
              );
        for (const line of lines) check(node, line, ids, options.ipamDriver);
      });
      await Promise.all(looked);
      return Object.fromEntries(ids);
    },
    async start(tasks) {
      const nodes = [...new Set(tasks.map(({ node }) => node))];
      const tried = await Promise.allSettled(
        nodes.map((node) =>
          startOn(
            on,
            node,
            tasks.filter((task) => task.node === node),
          ),
        ),
      );
      const failed = tried.find((one) => one.status === 'rejected');
      if (failed === undefined) return tried.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      await end(tasks);
      throw failed.reason;
    },
    end,
    async stop() {
      await everywhere('to end containers', `stop =${plain(options.id)}`);
      const gone = [...made];
      made.clear();
      if (gone.length > 0)
        await on(
          first,
          'to remove networks',
          gone.map((name) => `drop ${name}`),
        );
    },
    async sweep() {
      const told = await everywhere('to end what was left', 'stop');
      return told.flat().reduce((sum, [, count]) => sum + Number(count), 0);
    },
  };
}

async function startOn(
  on: (node: string, what: string, steps: readonly string[]) => Promise<readonly Line[]>,
  node: string,
  tasks: readonly DockerTask[],
): Promise<StartedTask[]> {
  // Docker takes no @; over all engines of a cluster store, names of containers are one space.
  const container = (name: string): string => `verify.${plain(name).replaceAll(/[^\w.-]/g, '.')}`;
  const steps = tasks.map(({ name, network }) => `task ${plain(name)} ${container(name)} ${plain(network)} &`);
  const lines = await on(node, 'to start containers', ['have_image', ...steps, 'wait']);
  const told = new Map(lines.map(([, name = '', ...rest]) => [name, rest]));
  return tasks.map((task) => {
    const [address = '-', pid = '', endpoint = '-'] = told.get(task.name) ?? [];
    if (address === '-') throw new TargetFailed(`${node}: ${task.name} has no address on the network ${task.network}`);
    return { ...task, address, pid: Number(pid), endpoint };
  });
}

async function ask(
  { run, ipamDriver, image, id }: DockerOptions,
  node: string,
  what: string,
  steps: readonly string[],
): Promise<readonly Line[]> {
  const names = [`run=${plain(id)}`, `image=${plain(image)}`, `ipam=${plain(ipamDriver)}`];
  const script = [...names, readFileSync(join(root, 'modules/remote/docker.sh'), 'utf8'), ...steps, ''].join('\n');
  const outcome = await run(node, { script, limitMs, what });
  if (!outcome.ok) throw new TargetFailed(`${node}: ${outcome.problem.what}`);
  const lines = outcome.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const failed = lines.filter(([word]) => word === 'failed');
  if (failed.length === 0) return lines.filter(([word]) => word !== '');
  const why = failed.map(([, name, ...words]) => `${name === '-' ? '' : `${name}: `}${words.join(' ')}`);
  throw new TargetFailed(`${node}: ${why.join('; ')}`);
}

/** A network of another kind would carry packets past every policy. */
function check(node: string, line: Line, ids: ReadonlyMap<string, string>, ipamDriver: string): void {
  const [, name = '', id = '', driver, scope, by] = line;
  const refuse = (why: string): never => {
    throw new TargetFailed(`${node}: ${why}`);
  };
  if (id === '-') refuse(`the network ${name} is not visible here: this Docker has another cluster store, or none`);
  if (driver !== 'calico') refuse(`there is a network ${name} that is none of Calico's, but of the driver ${driver}`);
  if (scope !== 'global') refuse(`the network ${name} is ${scope}: this Docker has no cluster store`);
  if (by !== ipamDriver) refuse(`the network ${name} has addresses of the IPAM driver ${by}, not ${ipamDriver}`);
  if (id !== ids.get(name)) refuse(`the network ${name} is another one than on the first agent`);
}

/** Goes into a script as it is. */
function plain(word: string): string {
  if (!/^[\w@.:/-]+$/.test(word)) throw new TypeError(`not a plain word: ${word}`);
  return word;
}
