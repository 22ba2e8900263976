/** The ways to the nodes of a cluster: over SSH to its machines, or into the hosts of a lab. */
import type { Cluster, Node } from '../cluster/cluster.ts';
import type { Ssh } from '../hosts/ssh.ts';
import type { Lab } from '../lab/lab.ts';
import { through } from '../mesos/doors.ts';
import { master, type RegisteredAgent } from '../mesos/mesos.ts';
import { ports } from '../node/members.ts';
import type { Problem } from '../problem/problem.ts';
import { reachMasters } from '../remote/masters.ts';
import { seatsOf, type Ground, type Machine } from '../remote/seats.ts';
import type { Bed } from './doctor.ts';

const limitMs = 120_000;

/** Mesos is there or it is not: more patience would only hide that from whoever waits. */
const patience = { limitMs: 15_000, attemptMs: 5_000, pauseMs: 250 };

interface Ways {
  readonly cluster: Cluster;
  readonly ground: Ground;
  readonly ssh: Ssh;
}

/** A bed for every node of the description; one that nobody finds has the reason in it. */
export async function overSsh(ways: Ways): Promise<readonly Bed[]> {
  const { cluster, ground, ssh } = ways;
  const masters = new Map<string, Machine>(ground.masters.map((one) => [one.name, one]));
  const agents = ground.login === undefined ? { found: ground.agents } : await askedOfMesos(ways);
  return cluster.nodes.map((node) => {
    const machine = (node.role === 'master' ? masters : agents.found).get(node.name);
    if (machine !== undefined) return bedOf(node, machine, ssh);
    const problem = (node.role === 'agent' ? agents.why?.(node) : undefined) ?? notInInventory(cluster, node);
    return { node, address: '', run: () => Promise.resolve({ problem }) };
  });
}

function bedOf(node: Node, { login, address }: Machine, ssh: Ssh): Bed {
  return {
    node,
    address,
    run: async (script, words, signal) => {
      let came: number | undefined;
      const onLine = (_: string, at: number): void => void (came ??= at);
      const order = { script, words, limitMs, what: 'the look at it', onLine, ...(signal && { signal }) };
      const outcome = await ssh.run(login, order);
      return outcome.ok ? { stdout: outcome.stdout, came: came ?? Date.now() } : { problem: outcome.problem };
    },
  };
}

interface Agents {
  /** By node. */
  readonly found: ReadonlyMap<string, Machine>;
  /** Why a node is not among them. */
  readonly why?: (node: Node) => Problem;
}

/** A cloud's agents come and go: where they are only Mesos knows, through masters that let us in. */
async function askedOfMesos({ cluster, ground, ssh }: Ways): Promise<Agents> {
  const masters = await reachMasters(ground, ssh, [ports.mesosMaster]);
  const doors = masters.doors(ports.mesosMaster);
  const shut = masters.shut[0];
  if (doors.length === 0 && shut) return { found: new Map(), why: (node) => notTold(node, shut.what) };
  const state = await master(through(doors), patience).state();
  if (!state.ok) return { found: new Map(), why: (node) => notTold(node, state.problem.what) };
  return placed(cluster, masters.ground, state.value.agents);
}

/** Those that are active first; a machine whose agent has gone silent is looked at all the more. */
export function placed(cluster: Cluster, ground: Ground, registered: readonly RegisteredAgent[]): Agents {
  const seats = seatsOf(cluster, ground, registered).seats;
  const nodes = cluster.nodes.filter(({ name }) => !seats.some(({ node }) => node === name));
  const silent = registered.flatMap((agent) => (agent.active ? [] : [{ ...agent, active: true }]));
  const more = seatsOf({ ...cluster, nodes }, ground, silent).seats;
  return { found: new Map([...seats, ...more].map((seat) => [seat.node, seat])), why: unlisted };
}

const unlisted = ({ name, pool }: Node): Problem => ({
  code: 'doctor-unlisted',
  what: `${name}: Mesos lists fewer agents with the attribute pool:${pool} than are declared, and nothing else says where it is.`,
  rule: 'machines of a cloud come and go; Mesos is asked where its agents are.',
  remedy: 'look at the group of machines of the pool in the cloud, and at mesos-agent on those that are there',
});

const notTold = ({ name }: Node, why: string): Problem => ({
  code: 'doctor-no-mesos',
  what: `${name}: Mesos did not say where its agents are: ${why}`,
  rule: 'machines of a cloud come and go; Mesos is asked where its agents are.',
  remedy: 'the leader first: see what is said of the masters; or --inventory FILE that names the agents',
});

const notInInventory = ({ file }: Cluster, { name, role }: Node): Problem => ({
  code: 'doctor-unlisted',
  at: { file },
  what: `${name}: the inventory names no ${role} of that name.`,
  rule: 'every node of the description is looked at.',
  remedy: 'the inventory of this very description: npm run deploy, then terraform output -json inventory',
});

/** Its hosts are network namespaces, on which BIRD and etcd are real. */
export async function inLab(cluster: Cluster, lab: Lab): Promise<readonly Bed[]> {
  const { topology, hosts } = await lab.call('status', {});
  return topology.hosts.map(({ name, role, address }) => {
    const processes = hosts.find((host) => host.name === name)?.processes ?? {};
    return {
      node: { name, role, containerizers: cluster.nodes.find((node) => node.name === name)?.containerizers ?? [] },
      address,
      programs: Object.fromEntries(Object.entries(processes).map(([program, { running }]) => [program, running])),
      words: ['only=network', `bird=/run/lab/bird/${name}.ctl`],
      run: async (script, words) => {
        const said = await lab.call('exec', {
          namespace: name,
          command: ['sh', '-s', ...words],
          input: script,
          timeoutMs: limitMs,
        });
        if (said.code === 0) return { stdout: said.stdout, came: Date.now() };
        return {
          problem: {
            code: 'doctor-unreached',
            what: `${name}: the look at it failed: ${said.stderr.trim().slice(-200)}.`,
          },
        };
      },
    };
  });
}
