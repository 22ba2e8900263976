/** One lab in which policy is held against the evaluator: nine tasks on three agents, and whatever etcd shall say of them. */
import { expect } from 'vitest';
import { keys, type Write } from '../../modules/datastore/calico.ts';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import type { LabTask } from '../../modules/lab/api.ts';
import { LabTarget } from '../../modules/lab/target.ts';
import { topology, type LabHost } from '../../modules/lab/topology.ts';
import { describe } from '../../modules/policy/describe.ts';
import { toEtcd } from '../../modules/policy/etcd.ts';
import type { Evaluator } from '../../modules/policy/evaluate.ts';
import type {
  AnyPacket,
  Decision,
  Endpoint,
  IpVersion,
  PolicyState,
  Rule,
  Traffic,
} from '../../modules/policy/model.ts';
import { ruleText } from '../../modules/policy/text.ts';
import { packetOf, probeable } from '../../modules/policy/traffic.ts';
import { probeOf, services } from '../../modules/verify/plan.ts';
import type { LaunchedTask, Observation } from '../../modules/verify/target.ts';
import { benchCluster } from './bench.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

/** Warm namespaces of one machine answer at once; what does not fit gets a second look with more time. */
const quickMs = 100;
const slowMs = 400;

/** Somebody who sends or answers: a task, or a host by its own address. */
export interface Party extends LaunchedTask {
  /** IPv6, where the lab has been given it. */
  readonly address6?: string;
}

export interface Question {
  readonly from: Party;
  readonly to: Party;
  readonly traffic: Traffic;
  readonly decision: Decision;
  /** Of the packet; 4 where it is not said. */
  readonly version?: IpVersion;
}

export interface Kernel {
  readonly stage: Stage;
  readonly tasks: readonly Party[];
  /** The three agents. */
  readonly hosts: readonly Party[];
  /** Puts the state into etcd, and waits until every agent has it in its kernel. Endpoints are called like their tasks. */
  readonly program: (state: PolicyState) => Promise<void>;
  /** The questions that the kernel answers otherwise than they were decided, in words. */
  readonly wrong: (questions: readonly Question[], traffic: readonly Traffic[]) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** `six`: with an address of IPv6 for every task and every host. */
export async function openKernel({ six = false } = {}): Promise<Kernel> {
  const stage = await openLab(benchCluster());
  try {
    return await furnish(stage, six);
  } catch (error) {
    await closeLab(stage);
    throw error;
  }
}

async function furnish(stage: Stage, six: boolean): Promise<Kernel> {
  const { lab, cluster, tools } = stage;
  const target = new LabTarget(lab, cluster, tools, { timeoutMs: quickMs });
  const agents = topology(cluster).hosts.filter(({ role }) => role === 'agent');
  const specs = agents.flatMap(({ name: node }) =>
    ['a', 'b', 'c'].map((one) => ({ name: `${one}@${node}`, node, network: 'client', profiles: [] })),
  );
  const launched = await target.launch(specs, { tcp: [9000], udp: [9000] });
  const { tasks: known } = await lab.call('status', {});
  const { tasks, hosts } = six
    ? await wireSix(stage, known, launched, agents.map(partyOf))
    : { tasks: launched, hosts: agents.map(partyOf) };
  const endpoints = new Map(
    await Promise.all(known.map(async (task) => [task.name, await endpointOf(stage, task)] as const)),
  );
  let stored = new Map<string, string>();

  const program = async (state: PolicyState): Promise<void> => {
    const wanted = new Map(textsOf(state, endpoints, agents).map(({ key, value }) => [key, value]));
    const writes: { readonly key: string; readonly value?: string }[] = [
      ...[...stored.keys()].filter((key) => !wanted.has(key)).map((key) => ({ key })),
      ...[...wanted].filter(([key, value]) => stored.get(key) !== value).map(([key, value]) => ({ key, value })),
    ];
    const done = await Promise.all(writes.map((write) => lab.call('write', { writes: [write] })));
    stored = wanted;
    const { behind } = await target.programmed({ index: Math.max(0, ...done.map((one) => one.index)) }, 10_000);
    expect(behind).toEqual([]);
  };

  const wrong = async (questions: readonly Question[], traffic: readonly Traffic[]): Promise<string[]> => {
    const names = [...tasks, ...(questions.some(({ to }) => hosts.includes(to)) ? hosts : [])].map(({ name }) => name);
    await lab.call('listen', { listen: names.map((namespace) => ({ namespace, six, ...services(traffic) })) });
    let left: readonly { readonly question: Question; readonly answer?: Observation }[] = questions.map((question) => ({
      question,
    }));
    for (const timeoutMs of [quickMs, slowMs]) {
      const probes = left.map(({ question: { from, to, traffic: kind, decision, version = 4 } }) => ({
        ...probeOf(from.name, to, kind, decision.allow),
        address: version === 4 ? to.address : to.address6!,
      }));
      const answers = await target.probe(probes, timeoutMs);
      left = left
        .map(({ question }, index) => ({ question, answer: answers[index]! }))
        .filter(({ question, answer }) => !fits(question, answer));
      if (left.length === 0) break;
    }
    return left.map(({ question, answer }) => inWords(question, answer));
  };
  return { stage, tasks, hosts, program, wrong, close: () => closeLab(stage) };
}

/** What every party asks every other one, in each class that can be probed. `icmp` is that of the IP version. */
export function questions(
  { decide }: Evaluator,
  pairs: readonly (readonly [from: Party, to: Party])[],
  traffic: readonly Traffic[],
  version: IpVersion = 4,
): readonly Question[] {
  return pairs.flatMap(([from, to]) =>
    traffic.filter(probeable).map((kind) => {
      const decision = decide(from.name, to.name, packetFor(kind, version));
      return { from, to, traffic: kind, decision, version };
    }),
  );
}

export function packetFor(traffic: Traffic, version: IpVersion = 4): AnyPacket {
  if (version === 4) return packetOf(traffic);
  if (traffic.protocol === 'icmp') return { protocol: 'icmpv6', type: 128, code: 0 };
  return { ...packetOf(traffic), ipVersion: 6 };
}

export const everyPair = (from: readonly Party[], to: readonly Party[]): readonly (readonly [Party, Party])[] =>
  from.flatMap((one) => to.filter((other) => other !== one).map((other) => [one, other] as const));

/** As short as a person would write it, so that a failing case can be read. */
export function shown({ profiles, tiers = [], endpoints, hosts = [] }: PolicyState): string {
  const lists = (rules: Readonly<Record<'inbound' | 'outbound', readonly Rule[]>>): readonly string[] => [
    ...['  inbound', ...rules.inbound.map((one) => `    ${ruleText(one)}`)],
    ...['  outbound', ...rules.outbound.map((one) => `    ${ruleText(one)}`)],
  ];
  const order = ({ order: place }: { readonly order?: number }): string =>
    place === undefined ? '' : `, order ${place}`;
  const labelled = (labels: object = {}): string =>
    Object.keys(labels).length === 0 ? '' : `, labels ${JSON.stringify(labels)}`;
  return [
    ...tiers.flatMap((tier) => [
      `tier ${tier.name}${order(tier)}`,
      ...tier.policies.flatMap((policy) => [
        `policy ${policy.name} of ${tier.name}${order(policy)}, for ${policy.selector}`,
        ...lists(policy),
      ]),
    ]),
    ...[...profiles.values()].flatMap((profile) => [
      `profile ${profile.name}, tags ${profile.tags.join(' ') || 'none'}${labelled(profile.labels)}`,
      ...lists(profile),
    ]),
    ...endpoints.map(
      ({ id, address, profiles: own, labels, state = 'active' }) =>
        `${id} ${address}, ${state}: ${own.join(' ') || 'no profile'}${labelled(labels)}`,
    ),
    ...hosts.map(({ name, endpointToHost }) => `${name}: ${endpointToHost ?? ''}`),
  ].join('\n');
}

function textsOf(
  state: PolicyState,
  endpoints: ReadonlyMap<string, EtcdNode>,
  agents: readonly LabHost[],
): readonly Write[] {
  const objects = toEtcd({ profiles: state.profiles, tiers: state.tiers ?? [], endpoints: [] });
  const text = ([key, value]: readonly [string, unknown]): Write => ({ key, value: JSON.stringify(value) });
  return [
    ...Object.entries(objects).map(text),
    ...state.endpoints.map((endpoint) => endpointWrite(endpoint, endpoints.get(endpoint.id)!)),
    ...agents.map(({ name }) => ({
      key: keys.hostConfig(name, 'DefaultEndpointToHostAction'),
      value: state.hosts?.find((host) => host.name === name)?.endpointToHost ?? 'RETURN',
    })),
  ];
}

function endpointWrite({ profiles, labels, address6, state = 'active' }: Endpoint, { key, value }: EtcdNode): Write {
  const own = {
    ...(JSON.parse(value!) as object),
    ...{ state, profile_ids: profiles },
    ...(address6 === undefined ? {} : { ipv6_nets: [`${address6}/128`] }),
    ...(labels && { labels }),
  };
  return { key, value: JSON.stringify(own) };
}

function fits({ decision }: Question, { verdict, arrived }: Observation): boolean {
  return decision.allow ? verdict === 'open' : verdict === 'dropped' && !arrived;
}

function inWords({ from, to, traffic, decision, version }: Question, answer?: Observation): string {
  const note = answer?.note === undefined ? '' : ` (${answer.note})`;
  const seen = answer?.verdict === 'dropped' && answer.arrived ? 'dropped, but it arrived' : answer?.verdict;
  const on = version === 6 ? `IPv6 ${traffic.name}` : traffic.name;
  return `${from.name} to ${to.name} on ${on}: ${seen ?? 'nothing'}${note}, but ${describe(decision)}`;
}

/**
 * Gives the lab IPv6 as Calico wires it: a /128 for each task and its host's side of the pair as its gateway, and a
 * network of tasks for each host. BIRD has no part in it: the routes between hosts are static.
 */
async function wireSix(
  { sh, lab }: Stage,
  known: readonly LabTask[],
  launched: readonly Party[],
  agents: readonly Party[],
): Promise<Pick<Kernel, 'tasks' | 'hosts'>> {
  const set = (name: string): string => `for f in /proc/sys/net/ipv6/conf/*; do echo 0 > $f/${name}; done`;
  // An address that is still looked for among the neighbours answers to nobody, for a second: so none is looked for.
  const on = [set('accept_dad'), set('disable_ipv6')].join('\n');
  const hosts = agents.map((host, index) => ({ ...host, address6: `fd64::${index + 1}` }));
  const net = (host: string): string => `fd65:0:0:${hosts.findIndex(({ name }) => name === host) + 1}`;
  const tasks = launched.map((task) => {
    const own = launched.filter(({ node }) => node === task.node).indexOf(task);
    return { ...task, address6: `${net(task.node)}::${own + 1}` };
  });
  for (const { name, address6 } of hosts) {
    const others = hosts.filter((one) => one.name !== name);
    const routes = others.map((one) => `ip route add ${net(one.name)}::/64 via ${one.address6}`);
    const lines = [on, `ip addr add ${address6}/64 dev eth0 nodad`, ...routes];
    await sh(name, [...lines, 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'].join('\n'));
  }
  for (const { name, node, address6 } of tasks) {
    const plug = known.find((task) => task.name === name)!.interface;
    const local = /inet6 (fe80:[^/]*)/.exec(await sh(node, `ip -6 addr show dev ${plug} scope link`))?.[1];
    if (local === undefined) throw new Error(`${plug} of ${name} has no address of IPv6`);
    const lines = [on, `ip addr add ${address6}/128 dev eth0 nodad`, `ip route add default via ${local} dev eth0`];
    await sh(name, lines.join('\n'));
  }
  // Nobody listens any more: turning IPv6 on and off is the listeners' business as a rule.
  await lab.call('listen', {
    listen: [...tasks, ...hosts].map(({ name }) => ({ namespace: name, six: true, tcp: [], udp: [] })),
  });
  return { tasks, hosts };
}

function partyOf({ name, address }: LabHost): Party {
  return { name, node: name, network: '', profiles: [], address };
}

async function endpointOf({ lab }: Stage, { host, interface: name }: LabTask): Promise<EtcdNode> {
  const { node } = await lab.call('read', { key: `${keys.host(host)}/workload` });
  const leaves = (at: EtcdNode | undefined): EtcdNode[] => (at?.nodes ? at.nodes.flatMap(leaves) : at ? [at] : []);
  return leaves(node).find((leaf) => leaf.value?.includes(name)) ?? expect.fail(`no endpoint ${name}`);
}
