/**
 * The evaluator against the kernel: random policy is put into one lab, and every cell of every class of traffic must do
 * what the evaluator says. `FC_SEED` repeats a run, `FC_RUNS` makes it longer.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { compileState } from '../../modules/policy/evaluate.ts';
import type { Peer, PolicyState, PortRange, Profile, Rule } from '../../modules/policy/model.ts';
import { trafficClasses } from '../../modules/policy/traffic.ts';
import { everyPair, openKernel, questions, shown, type Kernel } from './kernel.ts';

const runs = Number(process.env['FC_RUNS'] ?? 60);
const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel();
  return () => kernel.close();
});

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
    endpoints: kernel.tasks.map(({ name, address }, index) => ({ id: name, address, profiles: own[index]! })),
  };
}

const seen = { cells: 0, allowed: 0, cases: 0 };

/** The cells in which the kernel does otherwise than the evaluator says, in words. */
async function differences(state: PolicyState, inKernel = state): Promise<string[]> {
  const traffic = trafficClasses(state.profiles.values());
  await kernel.program(inKernel);
  const asked = questions(compileState(state), everyPair(kernel.tasks, kernel.tasks), traffic);
  seen.cases += 1;
  seen.cells += asked.length;
  seen.allowed += asked.filter(({ decision }) => decision.allow).length;
  return kernel.wrong(asked, traffic);
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
  const endpointsOf = kernel.tasks.map(({ name, address }) => ({ id: name, address, profiles: ['p0'] }));
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
