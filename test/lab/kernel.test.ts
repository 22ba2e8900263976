/**
 * The evaluator against the kernel: random policy is put into one lab, and every cell of every class of traffic must do
 * what the evaluator says. `FC_SEED` repeats a run, `FC_RUNS` makes it longer.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../modules/cluster/cluster.ts';
import { keys, profileWrites } from '../../modules/datastore/calico.ts';
import type { EtcdNode } from '../../modules/datastore/etcd.ts';
import type { LabTask } from '../../modules/lab/api.ts';
import { LabTarget } from '../../modules/lab/target.ts';
import { topology } from '../../modules/lab/topology.ts';
import { describe } from '../../modules/policy/describe.ts';
import { compileState } from '../../modules/policy/evaluate.ts';
import type { Peer, PolicyState, PortRange, Profile, Rule, Traffic } from '../../modules/policy/model.ts';
import { formatRule } from '../../modules/policy/rule.ts';
import { packetOf, trafficClasses } from '../../modules/policy/traffic.ts';
import { cellsOf, probeOf, services } from '../../modules/verify/plan.ts';
import type { LaunchedTask, Observation } from '../../modules/verify/target.ts';
import { benchCluster } from './bench.ts';
import { closeLab, openLab, type Stage } from './harness.ts';

const runs = Number(process.env['FC_RUNS'] ?? 60);
const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);

/** Warm namespaces of one machine answer at once; what does not fit gets a second look with more time. */
const quickMs = 100;
const slowMs = 400;

let stage: Stage;
let target: LabTarget;
let tasks: readonly LaunchedTask[];
let endpoints: ReadonlyMap<string, EtcdNode>;
let stored = new Set<string>();

beforeAll(async () => {
  const cluster = benchCluster();
  stage = await openLab(cluster);
  try {
    await start(cluster);
  } catch (error) {
    await closeLab(stage);
    throw error;
  }
  return () => closeLab(stage);
});

async function start(cluster: Cluster): Promise<void> {
  target = new LabTarget(stage.lab, cluster, stage.tools, { timeoutMs: quickMs });
  const hosts = topology(cluster).hosts.filter(({ role }) => role === 'agent');
  const specs = hosts.flatMap(({ name: node }) =>
    ['a', 'b', 'c'].map((one) => ({ name: `${one}@${node}`, node, network: 'client', profiles: [] })),
  );
  tasks = await target.launch(specs, { tcp: [9000], udp: [9000] });
  const { tasks: known } = await stage.lab.call('status', {});
  endpoints = new Map(
    await Promise.all(known.map(async (task) => [task.name, await endpointOf(task)] as [string, EtcdNode])),
  );
}

async function endpointOf({ host, interface: name }: LabTask): Promise<EtcdNode> {
  const { node } = await stage.lab.call('read', { key: `${keys.host(host)}/workload` });
  const leaves = (at: EtcdNode | undefined): EtcdNode[] => (at?.nodes ? at.nodes.flatMap(leaves) : at ? [at] : []);
  return leaves(node).find((leaf) => leaf.value?.includes(name)) ?? expect.fail(`no endpoint ${name}`);
}

// Nine tasks: a@ b@ c@ on each of three agents, whose blocks are the second to the fourth /26 of the pool.
const cidr = fc.constantFrom(
  '0.0.0.0/0',
  '10.65.0.0/16',
  '10.65.0.64/26',
  '10.65.0.128/25',
  '10.65.0.192/26',
  '10.65.0.64/32',
  '10.65.0.129/32',
  '10.65.0.193/32',
  '10.65.0.0/26',
  '172.16.0.0/12',
);
/** Carried by several profiles, by one, and by none. */
const tag = fc.constantFrom('red', 'green', 'blue', 'nobody');
const port = fc.constantFrom(1024, 2000, 2001, 2002, 9000, 9001, 30000, 60000);
const single = port.map((one): PortRange => ({ from: one, to: one }));
const range = fc.tuple(port, port).map(([a, b]): PortRange => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const targetPorts = fc.array(fc.oneof(single, range), { maxLength: 3 });
/** Wide: the prober takes a fresh source port each time, so that no conntrack entry answers for an earlier policy. */
const sourcePorts = fc.constantFrom<PortRange[]>(
  [{ from: 1024, to: 32767 }],
  [{ from: 32768, to: 45000 }],
  [{ from: 45001, to: 65535 }],
);

const peer = (ports?: fc.Arbitrary<PortRange[]>): fc.Arbitrary<Peer> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: fc.record({ tag, cidr, ...(ports ? { ports } : {}) }, { requiredKeys: [] }) },
  );
const action = fc.oneof(
  { weight: 3, arbitrary: fc.constant('allow' as const) },
  { arbitrary: fc.constant('deny' as const), weight: 1 },
);
const icmp = fc.oneof(
  fc.record({ type: fc.constantFrom(0, 3, 8) }),
  fc.record({ type: fc.constantFrom(3, 8), code: fc.constantFrom(0, 1) }),
);
const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ action, from: peer(), to: peer() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      action,
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      from: peer(sourcePorts),
      to: peer(targetPorts),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { action, protocol: fc.constant('icmp' as const), icmp, from: peer(), to: peer() },
      { requiredKeys: ['action', 'protocol', 'from', 'to'] },
    ),
  },
);
const rules = fc.array(rule, { maxLength: 4 });
/** Half of the time everything may leave: else two random sides would hardly ever agree. */
const outbound = fc.oneof(fc.constant<Rule[]>([{ action: 'allow', from: {}, to: {} }]), rules);
/** Ports without a protocol: Felix throws the whole profile away, and keeps its tags. */
const invalid: Rule = { action: 'allow', from: {}, to: { ports: [{ from: 9000, to: 9000 }] } };

const names = ['p0', 'p1', 'p2', 'p3'] as const;
const profile = (name: string): fc.Arbitrary<Profile | undefined> =>
  fc
    .record({
      name: fc.constant(name),
      tags: fc.uniqueArray(fc.constantFrom('red', 'green', 'blue'), { maxLength: 2 }),
      inbound: rules,
      outbound,
      fate: fc.integer({ min: 0, max: 19 }),
    })
    .map(({ fate, ...one }) => {
      if (fate === 18) return undefined;
      return fate === 19 ? { ...one, inbound: [...one.inbound, invalid] } : one;
    });
const lists = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...names, 'missing'), { maxLength: 2 }) },
  ),
  { minLength: 9, maxLength: 9 },
);
const world = fc.record({ profiles: fc.tuple(...names.map(profile)), lists });
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function stateOf({ profiles, lists: own }: World): PolicyState {
  return {
    profiles: new Map(profiles.flatMap((one) => (one === undefined ? [] : [[one.name, one]]))),
    endpoints: tasks.map(({ name, address }, index) => ({ id: name, address, profiles: own[index]! })),
  };
}

/** Puts the state into etcd, and waits until every agent has it in its kernel. */
async function program({ profiles, endpoints: list }: PolicyState): Promise<void> {
  const writes = [
    ...[...stored].filter((name) => !profiles.has(name)).map((name) => ({ key: keys.profile(name) })),
    ...[...profiles.values()].flatMap(profileWrites),
    ...list.map(({ id, profiles: profile_ids }) => {
      const { key, value } = endpoints.get(id)!;
      return { key, value: JSON.stringify({ ...(JSON.parse(value!) as object), profile_ids }) };
    }),
  ];
  const done = await Promise.all(writes.map((write) => stage.lab.call('write', { writes: [write] })));
  stored = new Set(profiles.keys());
  const index = Math.max(...done.map((one) => one.index));
  const { behind } = await target.programmed({ index }, 10_000);
  expect(behind).toEqual([]);
}

interface Question {
  readonly from: LaunchedTask;
  readonly to: LaunchedTask;
  readonly traffic: Traffic;
  readonly allow: boolean;
  readonly why: string;
}

const seen = { cells: 0, allowed: 0, cases: 0 };

/** The cells in which the kernel does otherwise than the evaluator says, in words. */
async function differences(state: PolicyState, inKernel = state): Promise<string[]> {
  const traffic = trafficClasses(state.profiles.values());
  const evaluator = compileState(state);
  await program(inKernel);
  await stage.lab.call('listen', {
    listen: tasks.map(({ name }) => ({ namespace: name, ...services(traffic) })),
  });
  const questions = cellsOf(tasks.length, traffic).map(({ from, to, traffic: kind }): Question => {
    const decision = evaluator.decide(tasks[from]!.name, tasks[to]!.name, packetOf(traffic[kind]!));
    const why = describe(decision);
    return { from: tasks[from]!, to: tasks[to]!, traffic: traffic[kind]!, allow: decision.allow, why };
  });
  seen.cases += 1;
  seen.cells += questions.length;
  seen.allowed += questions.filter(({ allow }) => allow).length;
  let left: { question: Question; answer?: Observation }[] = questions.map((question) => ({ question }));
  for (const timeoutMs of [quickMs, slowMs]) {
    const answers = await target.probe(
      left.map(({ question: { from, to, traffic: kind, allow } }) => probeOf(from.name, to, kind, allow)),
      timeoutMs,
    );
    left = left
      .map(({ question }, index) => ({ question, answer: answers[index]! }))
      .filter(({ question: { allow }, answer }) =>
        allow ? answer.verdict !== 'open' : answer.verdict !== 'dropped' || answer.arrived,
      );
    if (left.length === 0) return [];
  }
  return left.map(
    ({ question: { from, to, traffic: kind, why }, answer }) =>
      `${from.name} to ${to.name} on ${kind.name}: ${answer?.verdict ?? 'nothing'}${answer?.note === undefined ? '' : ` (${answer.note})`}, but ${why}`,
  );
}

/** As short as a person would write it, so that a failing case can be read. */
function shown(state: PolicyState): string {
  const lines = (list: readonly Rule[]): string[] => list.map((one) => `    ${formatRule(one)}`);
  return [
    ...[...state.profiles.values()].flatMap(({ name, tags, inbound: into, outbound: out }) => [
      `profile ${name}, tags ${tags.join(' ') || 'none'}`,
      '  inbound',
      ...lines(into),
      '  outbound',
      ...lines(out),
    ]),
    ...state.endpoints.map(({ id, address, profiles }) => `${id} ${address}: ${profiles.join(' ') || 'no profile'}`),
  ].join('\n');
}

test(
  `the kernel does what the evaluator says, in ${runs} random policies (FC_SEED=${seed})`,
  { timeout: runs * 4_000 },
  async () => {
    const property = fc.asyncProperty(world, async (one) => {
      const state = stateOf(one);
      const wrong = await differences(state);
      if (wrong.length > 0)
        throw new Error(`${wrong.length} cells differ:\n${wrong.slice(0, 10).join('\n')}\n\n${shown(state)}`);
    });
    // A shrunk case is worth a minute; a search without end is not.
    const result = await fc.check(property, {
      seed,
      numRuns: runs,
      endOnFailure: false,
      interruptAfterTimeLimit: 60_000 * Math.max(1, runs / 60),
      markInterruptAsFailure: false,
    });
    const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
    expect(result.failed ? `FC_SEED=${seed}, shrunk ${result.numShrinks} times: ${error}` : '').toBe('');
    // Nothing would be shown by policies that let nobody through, or by a run that was cut off.
    expect(seen.cases).toBeGreaterThanOrEqual(Math.min(runs, 10));
    expect(seen.allowed / seen.cells).toBeGreaterThan(0.05);
    expect(seen.allowed / seen.cells).toBeLessThan(0.9);
  },
);

test('a rule for one source port can be verified, though a task has that port only once', async () => {
  const only = (protocol: 'tcp' | 'udp', from: number): Rule => ({
    action: 'allow',
    protocol,
    from: { ports: [{ from, to: from }] },
    to: {},
  });
  const profile: Profile = {
    name: 'p0',
    tags: [],
    inbound: [only('tcp', 20_053), only('udp', 20_053)],
    outbound: [{ action: 'allow', from: {}, to: {} }],
  };
  const endpointsOf = tasks.map(({ name, address }) => ({ id: name, address, profiles: ['p0'] }));
  expect(await differences({ profiles: new Map([['p0', profile]]), endpoints: endpointsOf })).toEqual([]);
});

test('a kernel that does otherwise is found, and the case shrunk', { timeout: 60_000 }, async () => {
  /** Holds the rules of each list in reverse. */
  const reversed = (state: PolicyState): PolicyState => ({
    ...state,
    profiles: new Map([...state.profiles].map(([name, one]) => [name, { ...one, inbound: one.inbound.toReversed() }])),
  });
  const property = fc.asyncProperty(world, async (one) => {
    const state = stateOf(one);
    return (await differences(state, reversed(state))).length === 0;
  });
  const result = await fc.check(property, {
    seed: 3,
    numRuns: 30,
    interruptAfterTimeLimit: 6_000,
    markInterruptAsFailure: false,
  });
  expect(result.failed).toBe(true);
  expect(result.numShrinks).toBeGreaterThan(0);
});
