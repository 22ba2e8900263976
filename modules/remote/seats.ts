/** Who is who: the nodes of a description, the agents that Mesos knows, and how to log in to each. Pure. */
import type { Cluster, Node } from '../cluster/cluster.ts';
import type { Login } from '../hosts/login.ts';
import type { RegisteredAgent } from '../mesos/mesos.ts';
import type { Problem } from '../problem/problem.ts';

/** A machine: how to log in, and its IPv4 address among the machines. */
export interface Machine {
  readonly login: Login;
  readonly address: string;
}

/** What an inventory tells of a cluster. */
export interface Ground {
  readonly masters: readonly (Machine & { readonly name: string })[];
  /** Agents that are described one by one, by node. */
  readonly agents: ReadonlyMap<string, Machine>;
  /** How to log in to an agent that only Mesos knows of. `open`: masters that let us in, where that is known. */
  readonly login: ((node: string, address: string, open?: readonly string[]) => Login) | undefined;
}

export interface Seat extends Machine {
  readonly node: string;
  /** As Mesos knows it. */
  readonly hostname: string;
}

/** Every agent of the description with its machine; or what is missing. */
export function seatsOf(
  cluster: Cluster,
  ground: Ground,
  registered: readonly RegisteredAgent[],
): { readonly seats: readonly Seat[]; readonly problems: readonly Problem[] } {
  const active = registered.filter((agent) => agent.active);
  const nodes = cluster.nodes.filter(({ role }) => role === 'agent');
  if (active.length === 0) return { seats: [], problems: [nobody(cluster, nodes)] };
  const seats: Seat[] = [];
  const problems: Problem[] = [];
  const taken = new Set<string>();
  for (const node of nodes) {
    const machine = ground.agents.get(node.name);
    const agent = machine === undefined ? nextOf(node, active, taken) : byAddress(node, machine, active);
    if (agent === undefined) {
      problems.push(missing(cluster, node, machine, active));
      continue;
    }
    taken.add(agent.id);
    const address = machine?.address ?? hostOf(agent.address);
    const login = machine?.login ?? ground.login?.(node.name, address);
    if (login !== undefined) seats.push({ node: node.name, hostname: agent.hostname, address, login });
  }
  return { seats, problems };
}

/** The same without Mesos, where the description or the inventory has every agent; undefined where it has not. */
export function describedSeats(cluster: Cluster, { agents }: Ground): readonly Seat[] | undefined {
  const nodes = cluster.nodes.filter(({ role }) => role === 'agent');
  const seats = nodes.flatMap(({ name }): Seat[] => {
    const machine = agents.get(name);
    return machine === undefined ? [] : [{ node: name, hostname: name, ...machine }];
  });
  return seats.length < nodes.length ? undefined : seats;
}

/** A cloud's agents come and go: the pool is known by an attribute, and within a pool any order that stays will do. */
function nextOf(
  { pool }: Node,
  active: readonly RegisteredAgent[],
  taken: ReadonlySet<string>,
): RegisteredAgent | undefined {
  return active
    .filter((agent) => agent.attributes['pool'] === pool && !taken.has(agent.id))
    .sort((one, other) => (one.address < other.address ? -1 : 1))[0];
}

const byAddress = (
  { name }: Node,
  { address }: Machine,
  active: readonly RegisteredAgent[],
): RegisteredAgent | undefined =>
  active.find((agent) => hostOf(agent.address) === address || [address, name].includes(agent.hostname));

/** `10.0.0.2` of `10.0.0.2:5051`. */
const hostOf = (address: string): string => address.replace(/:\d+$/, '');

const nobody = (cluster: Cluster, nodes: readonly Node[]): Problem => ({
  code: 'verify-no-agents',
  at: { file: cluster.file },
  what: `no agent is registered with the Mesos master, and ${nodes.length} are described.`,
  remedy: 'on an agent: systemctl status mesos-agent, and its log',
});

const missing = (
  cluster: Cluster,
  { name, pool }: Node,
  machine: Machine | undefined,
  active: readonly RegisteredAgent[],
): Problem => ({
  code: 'verify-agent-not-registered',
  at: { file: cluster.file },
  what: `the agent ${name} (${machine?.address ?? `pool ${pool}`}) is not registered with the Mesos master; those that are: ${active
    .map((agent) => `${agent.hostname} (${hostOf(agent.address)})`)
    .join(', ')}.`,
  remedy: 'on it: systemctl status mesos-agent, and its log',
});
