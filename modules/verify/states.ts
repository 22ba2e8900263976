/** The policy states that a run walks through, worked out from the cluster and its policy files. Pure. */
import type { Cluster, Node } from '../cluster/cluster.ts';
import { bring } from '../policy/bring.ts';
import { compile, type Attachment, type Compiled } from '../policy/compile.ts';
import type { PolicyDocument } from '../policy/document.ts';
import { checkExpect, parseExpect, type Expectation } from '../policy/syntax/expect.ts';
import { plainFelix, type Felix } from '../policy/felix.ts';
import type { PolicyState, Traffic } from '../policy/model.ts';
import type { Names } from '../policy/names.ts';
import { standInId, type PolicyHost, type PolicyNetwork } from '../policy/network.ts';
import { trafficClasses } from '../policy/traffic.ts';
import { Refusal, type Place, type Problem } from '../problem/problem.ts';
import { controlNetwork, controlTier } from './plan.ts';
import type { TaskSpec } from './target.ts';

/** One step: the policy files up to it, compiled. */
export interface Step {
  readonly title: string;
  readonly file: string | undefined;
  readonly state: PolicyState;
  readonly commands: readonly string[];
  readonly expectations: readonly { readonly text: string; readonly where: string; readonly parsed: Expectation }[];
}

export interface Course {
  /** As the plugins make it, before any policy file. */
  readonly start: PolicyState;
  readonly steps: readonly Step[];
  /** Classes of traffic that any step tells apart. */
  readonly traffic: readonly Traffic[];
  readonly names: Names;
  readonly warnings: readonly Problem[];
}

/** Where a task gets its address once it runs; before that, any address will do to check the policy. */
export type Addresses = (task: string) => string;

/** One task of each network on each agent that can run it, and two control tasks on each agent: a way has two ends. */
export function specs(cluster: Cluster): { tasks: Omit<TaskSpec, 'profiles'>[]; guards: Omit<TaskSpec, 'profiles'>[] } {
  const agents = agentsOf(cluster);
  const tasks = Object.values(cluster.networks).flatMap((network) =>
    agents
      .filter((node) => node.containerizers.includes(network.containerizer))
      .map((node) => ({ name: `${network.name}@${node.name}`, node: node.name, network: network.name })),
  );
  const guards = agents.flatMap((node) =>
    [controlNetwork, `${controlNetwork}-2`].map((name) => ({
      name: `${name}@${node.name}`,
      node: node.name,
      network: controlNetwork,
    })),
  );
  return { tasks, guards };
}

function agentsOf({ nodes }: Cluster): readonly Node[] {
  return nodes.filter(({ role }) => role === 'agent');
}

/** An address for each agent, from the same range. */
export function anyHost(cluster: Cluster): (node: string) => PolicyHost {
  const index = new Map(cluster.nodes.map(({ name }, at) => [name, at]));
  return (name) => {
    const at = index.get(name) ?? 0;
    return { name, address: `198.19.${(at >> 8) & 255}.${at & 255}` };
  };
}

/** An address for each task, from the range for benchmarks: only to have a complete state before anything runs. */
export function anyAddress({ tasks, guards }: ReturnType<typeof specs>): Addresses {
  const index = new Map([...tasks, ...guards].map((task, at) => [task.name, at]));
  return (task) => {
    const at = index.get(task) ?? 0;
    return `198.18.${(at >> 8) & 255}.${at & 255}`;
  };
}

/**
 * Compiles the steps. `walk`: one step for each policy file; else one step with all of them. `id`: that of the Docker
 * network of that name, where a real Docker has given it one.
 * Throws a Refusal with every problem of every file.
 */
export function course(
  cluster: Cluster,
  documents: readonly PolicyDocument[],
  walk: boolean,
  address: Addresses,
  host: (node: string) => PolicyHost,
  id: (network: string) => string = standInId,
  felix: Felix = plainFelix,
): Course {
  const networks = networksOf(cluster, id);
  const { tasks, guards } = specs(cluster);
  const hosts = agentsOf(cluster).map(({ name }) => host(name));
  const endpoints: Attachment[] = [...tasks, ...guards].map((task) => ({
    id: task.name,
    address: address(task.name),
    networks: [task.network],
    host: host(task.node),
  }));
  const upTo = (count: number): Compiled => {
    const source = { channel: cluster.release, networks, endpoints, hosts };
    const compiled = compile({ ...source, documents: documents.slice(0, count) });
    if (!compiled.ok) throw new Refusal(compiled.problems);
    return { ...compiled.value, state: withControl(compiled.value.state) };
  };
  const all = upTo(documents.length);
  const start = upTo(0);
  const counts = walk && documents.length > 0 ? documents.map((_, index) => index + 1) : [documents.length];
  const problems: Problem[] = [];
  let previous = start;
  const steps = counts.map((count): Step => {
    const now = upTo(count);
    const document = documents[count - 1];
    const last = count === documents.length;
    const lines = [
      ...(document?.expect ?? []).map(({ text, line }) => ({ text, at: { file: document!.file, line } })),
      ...(last ? own(cluster) : []),
    ];
    const before = withoutControl(previous.state);
    const step: Step = {
      title: walk ? (document?.title ?? 'As declared') : 'As declared',
      file: walk ? document?.file : undefined,
      state: now.state,
      // To word it takes most of the time of a course, and a draft is not read.
      get commands() {
        return bring(cluster.release, before, withoutControl(now.state), now.names);
      },
      expectations: lines.flatMap((line) => expectation(line, cluster, problems)),
    };
    previous = now;
    return step;
  });
  if (problems.length > 0) throw new Refusal(problems);
  const states = [start, ...counts.map(upTo)].map(({ state }) => state);
  const profiles = states.flatMap((state) => [...state.profiles.values()]);
  const tiers = states.flatMap((state) => state.tiers ?? []);
  return {
    start: start.state,
    steps,
    traffic: trafficClasses(profiles, { tiers, felix }),
    names: all.names,
    warnings: all.warnings,
  };
}

/** What is declared, without what a verification needs besides; its network stays. */
function withoutControl({ tiers, ...rest }: PolicyState): PolicyState {
  const declared = tiers?.filter(({ name }) => name !== controlTier);
  return declared === undefined ? rest : { ...rest, tiers: declared };
}

function withControl(state: PolicyState): PolicyState {
  if (state.tiers === undefined) return state;
  const allow = [{ action: 'allow', from: {}, to: {} }] as const;
  const policy = { name: controlTier, selector: `network == "${controlNetwork}"`, inbound: allow, outbound: allow };
  return { ...state, tiers: [...state.tiers, { name: controlTier, order: -1, policies: [policy] }] };
}

function networksOf(cluster: Cluster, id: (network: string) => string): PolicyNetwork[] {
  const networks = Object.values(cluster.networks);
  const runs = cluster.nodes.find((node: Node) => node.role === 'agent')?.containerizers ?? [];
  const control = {
    name: controlNetwork,
    containerizer: runs.includes('docker') ? ('docker' as const) : ('mesos' as const),
  };
  return [
    ...networks.map(({ name, containerizer, group, labels }) => ({ name, containerizer, group, labels, id: id(name) })),
    // Of no group: no policy is about it.
    { ...control, id: id(control.name) },
  ];
}

const own = (cluster: Cluster): { text: string; at: Place }[] =>
  cluster.expect.map((text, index) => ({ text, at: { file: cluster.file, path: `expect[${index}]` } }));

function expectation(
  { text, at }: { text: string; at: Place },
  cluster: Cluster,
  problems: Problem[],
): Step['expectations'] {
  const parsed = parseExpect(text, at);
  if (!parsed.ok) {
    problems.push(...parsed.problems);
    return [];
  }
  problems.push(...checkExpect(parsed.value, Object.keys(cluster.networks), at));
  const where = [at.file, at.line ?? at.path].filter((part) => part !== undefined).join(':');
  return [{ text, where, parsed: parsed.value }];
}
