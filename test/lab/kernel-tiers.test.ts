/**
 * The evaluator against the kernel, for the whole model: tiers, selectors, labels, negation, next-tier and its mark, log,
 * rules of the other IP version, any protocol, inactive endpoints, and hosts. Random states as in kernel.test.ts
 * (`FC_SEED`, `FC_RUNS`), and the cases of the reference by their numbers.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileState } from '../../modules/policy/evaluate.ts';
import type {
  Endpoint,
  HostAction,
  IpVersion,
  Peer,
  Policy,
  PolicyState,
  Profile,
  Rule,
  Tier,
  Traffic,
} from '../../modules/policy/model.ts';
import { ephemeral, trafficClasses } from '../../modules/policy/traffic.ts';
import { constructs, others, waysOf } from './constructs.ts';
import {
  everyPair,
  openKernel,
  packetFor,
  questions,
  shown,
  type Kernel,
  type Party,
  type Question,
} from './kernel.ts';
import { stateOf, world } from './worlds.ts';

const runs = Number(process.env['FC_RUNS'] ?? 60);
const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);

const tcp = (port = 9000): Traffic => ({
  protocol: 'tcp',
  name: `tcp ${port}`,
  port,
  ports: [{ from: port, to: port }],
  sourcePorts: ephemeral,
});
const udp: Traffic = { ...(tcp() as Extract<Traffic, { readonly port: number }>), protocol: 'udp', name: 'udp 9000' };
const echo: Traffic = { protocol: 'icmp', name: 'icmp', type: 8, code: 0 };

/** Of IPv6: what the rules of the random states tell apart by ports, but not everything of UDP. */
const traffic6: readonly Traffic[] = [tcp(2000), tcp(2001), tcp(9000), udp, echo];

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel({ six: true });
  return () => kernel.close();
});

/** Between tasks, from hosts to tasks, and from tasks to hosts. */
function pairs(): readonly (readonly [Party, Party])[] {
  const { tasks, hosts } = kernel;
  return [...everyPair(tasks, tasks), ...everyPair(hosts, tasks), ...everyPair(tasks, hosts)];
}

/** In how many cells each construct decided, and each way to decide was met. */
const decided = new Map<string, number>();
const seen = { cases: 0, cells: 0, allowed: 0 };

function count(state: PolicyState, asked: readonly Question[]): void {
  const without = [...others(state)];
  const add = (name: string): unknown => decided.set(name, (decided.get(name) ?? 0) + 1);
  for (const { from, to, traffic, decision, version = 4 } of asked) {
    waysOf(decision).forEach(add);
    add(`IPv${version}: ${decision.allow ? 'allow' : 'deny'}`);
    const packet = packetFor(traffic, version);
    for (const [name, { allows }] of without) if (allows(from.name, to.name, packet) !== decision.allow) add(name);
  }
  seen.cases += 1;
  seen.cells += asked.length;
  seen.allowed += asked.filter(({ decision }) => decision.allow).length;
}

/** The cells in which the kernel does otherwise than the evaluator says, in words. */
async function differences(state: PolicyState, six: boolean): Promise<string[]> {
  const traffic = trafficClasses(state.profiles.values(), { tiers: state.tiers ?? [] });
  await kernel.program(state);
  const evaluator = compileState(state);
  const asked = [...questions(evaluator, pairs(), traffic), ...(six ? questions(evaluator, pairs(), traffic6, 6) : [])];
  count(state, asked);
  return kernel.wrong(asked, [...traffic, ...traffic6]);
}

test(
  `the kernel does what the evaluator says of the whole model, in ${runs} random states (FC_SEED=${seed})`,
  { timeout: runs * 4_000 },
  async () => {
    const property = fc.asyncProperty(world, async (one) => {
      const state = stateOf(one, kernel);
      const wrong = await differences(state, one.six);
      if (wrong.length > 0)
        throw new Error(`${wrong.length} cells differ:\n${wrong.slice(0, 10).join('\n')}\n\n${shown(state)}`);
    });
    const result = await fc.check(property, {
      seed,
      numRuns: runs,
      endOnFailure: false,
      interruptAfterTimeLimit: 60_000 * Math.max(1, runs / 60),
      markInterruptAsFailure: false,
    });
    const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
    expect(result.failed ? `FC_SEED=${seed}, shrunk ${result.numShrinks} times: ${error}` : '').toBe('');
    expect(seen.cases).toBeGreaterThanOrEqual(Math.min(runs, 10));
    expect(seen.allowed / seen.cells).toBeGreaterThan(0.15);
    expect(seen.allowed / seen.cells).toBeLessThan(0.85);
    // Each has decided somewhere: without it the evaluator would have been wrong there, and so would a kernel.
    if (seen.cases < 50) return;
    const never = constructs.filter((name) => !decided.has(name));
    expect(never).toEqual([]);
  },
);

const anybody: Rule = { action: 'allow', from: {}, to: {} };
const nobody: Rule = { action: 'deny', from: {}, to: {} };
const pass: Rule = { action: 'next-tier', from: {}, to: {} };
const ping: Rule = { action: 'allow', protocol: 'icmp', icmp: { type: 8 }, from: {}, to: {} };

const profile = (name: string, inbound: readonly Rule[], outbound: readonly Rule[] = [anybody]): Profile => ({
  name,
  tags: [name],
  inbound,
  outbound,
});
const tier = (name: string, rules: Partial<Policy>, order?: number): Tier => ({
  name,
  ...(order === undefined ? {} : { order }),
  policies: [{ name: `p-${name}`, selector: 'all()', inbound: [anybody], outbound: [anybody], ...rules }],
});

/** All tasks with these profiles; some have more. */
function state(
  profiles: readonly Profile[],
  tiers: readonly Tier[] = [],
  more: Record<string, object> = {},
): PolicyState {
  const names = profiles.map(({ name }) => name);
  const endpoints = kernel.tasks.map(({ name, address, address6, node }): Endpoint => ({
    ...{ id: name, address, address6: address6!, host: node, profiles: names },
    ...more[name],
  }));
  const hosts = kernel.hosts.map(({ name, address, address6 }) => ({ name, addresses: [address, address6!] }));
  return { profiles: new Map(profiles.map((one) => [one.name, one])), tiers, endpoints, hosts };
}

type Said = readonly [from: string, to: string, traffic: Traffic, allow: boolean, version?: IpVersion];

/** The evaluator says so, and the kernel does so; both in all other cells of these classes agree too. */
async function check(one: PolicyState, ...said: readonly Said[]): Promise<void> {
  const evaluator = compileState(one);
  for (const [from, to, traffic, allow, version] of said) {
    const { name } = traffic;
    const verdict = evaluator.allows(from, to, packetFor(traffic, version));
    expect({ from, to, name, version, allow: verdict }).toEqual({ from, to, name, version, allow });
  }
  const traffic = [...new Map(said.map(([, , kind]) => [kind.name, kind])).values()];
  const versions = new Set(said.map(([, , , , version = 4]) => version));
  await kernel.program(one);
  const asked = [...versions].flatMap((version) => questions(evaluator, pairs(), traffic, version));
  expect(await kernel.wrong(asked, traffic)).toEqual([]);
}

// Two tasks of one host, and one of another.
const [here, beside, there] = ['a@general-1', 'b@general-1', 'a@general-2'] as const;

describe('the cases of the reference', () => {
  /** Passes UDP on, and then allows everything. */
  const leaky = profile('leaky', [{ ...pass, protocol: 'udp' }, anybody]);

  test('case 18: next-tier leaves the profile, and the next one is asked', async () => {
    const [a, b] = [profile('a', [pass, anybody]), profile('b', [anybody])];
    await check(state([a]), [here, beside, tcp(), false], [here, there, tcp(), false]);
    await check(state([a, b]), [here, beside, tcp(), true], [here, there, tcp(), true]);
  });

  test('case 19: after a next-tier in a tier, a next-tier rule ends the profile for every packet', async () => {
    await check(state([leaky]), [here, there, tcp(), true], [here, there, udp, false]);
    const tiered = state([leaky], [tier('t', { inbound: [pass] })]);
    await check(tiered, [here, there, tcp(), false], [here, beside, tcp(), false], [here, there, udp, false]);
  });

  test('case 20: on one host the mark of the source comes along', async () => {
    const marks = state([leaky], [tier('t', { selector: 'role == "source"', outbound: [pass] })], {
      [here]: { labels: { role: 'source' } },
    });
    await check(marks, [here, beside, tcp(), false], [here, there, tcp(), true], [beside, there, tcp(), true]);
  });

  test('case 21: a policy that selects an endpoint, and of which no rule matches, denies', async () => {
    const open = profile('a', [anybody]);
    await check(
      state([open], [tier('t', { inbound: [ping] })]),
      ...([
        [here, there, tcp(), false],
        [here, there, echo, true],
      ] as const),
    );
    await check(state([open], [tier('t', { selector: 'has(role)', inbound: [] })]), [here, there, tcp(), true]);
  });

  test('case 22: a policy that allows is not asked again by a profile', async () => {
    await check(state([profile('a', [nobody])], [tier('t', {})]), [here, there, tcp(), true]);
  });

  const from = (peer: Peer): Rule => ({ ...anybody, from: peer });

  test('case 24: whoever is not in a tag that nobody carries is everybody', async () => {
    const closed = state([profile('a', [from({ tag: 'nope' })])]);
    await check(closed, [here, there, tcp(), false]);
    await check(state([profile('a', [from({ not: { tag: 'nope' } })])]), [here, there, tcp(), true]);
  });

  test('case 25: type and code are negated as a pair', async () => {
    const not = (type: number, code: number): PolicyState =>
      state([profile('a', [{ ...anybody, protocol: 'icmp', not: { icmp: { type, code } } }])]);
    await check(not(8, 0), [here, there, echo, false]);
    await check(not(8, 1), [here, there, echo, true]);
    await check(not(3, 0), [here, there, echo, true]);
  });

  test('case 26: any of twenty ports, and none of twenty', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => 2000 + 7 * index);
    const ports = numbers.map((one) => ({ from: one, to: one }));
    const asked = (listed: boolean): readonly Said[] =>
      numbers.flatMap((port) => [
        [here, there, tcp(port), listed] as const,
        [here, there, tcp(port + 1), !listed] as const,
      ]);
    await check(state([profile('a', [{ ...anybody, protocol: 'tcp', to: { ports } }])]), ...asked(true));
    await check(state([profile('a', [{ ...anybody, protocol: 'tcp', to: { not: { ports } } }])]), ...asked(false));
  });
});

describe('the IP version', () => {
  test('a rule with a network or an ICMP type of the other version is not there', async () => {
    const net: Rule = { ...anybody, from: { cidr: '10.0.0.0/8' } };
    const only = (rule: Rule): PolicyState => state([profile('a', [rule])]);
    await check(only(net), [here, there, tcp(), true], [here, there, tcp(), false, 6]);
    await check(
      only({ ...anybody, from: { cidr: 'fd65::/16' } }),
      [here, there, tcp(), false],
      [here, there, tcp(), true, 6],
    );
    await check(only(ping), [here, there, echo, true], [here, there, echo, false, 6]);
    const ping6: Rule = { ...anybody, protocol: 'icmpv6', icmp: { type: 128 } };
    await check(only(ping6), [here, there, echo, false], [here, there, echo, true, 6]);
  });

  test('a rule may be for one of them only, and a tag and a selector are for both', async () => {
    const [four, six] = ([4, 6] as const).map((ipVersion): PolicyState =>
      state([profile('a', [{ ...anybody, ipVersion }])]),
    );
    await check(four!, [here, there, tcp(), true], [here, there, tcp(), false, 6]);
    await check(six!, [here, there, tcp(), false], [here, there, tcp(), true, 6]);
    const peers: Rule = { ...anybody, from: { tag: 'a', selector: 'role == "db"' } };
    const some = state([profile('a', [peers])], [], { [here]: { labels: { role: 'db' } } });
    await check(some, [here, there, tcp(), true, 6], [beside, there, tcp(), false, 6], [here, there, tcp(), true]);
  });
});

describe('hosts', () => {
  const [h1, h2, h3] = ['general-1', 'general-2', 'general-3'] as const;
  const [onDrop, onReturn, onAccept] = ['a@general-1', 'a@general-2', 'a@general-3'] as const;
  const actions: readonly HostAction[] = ['DROP', 'RETURN', 'ACCEPT'];
  /** One action on each host. */
  const world = (inbound: readonly Rule[], outbound: readonly Rule[]): PolicyState => {
    const one = state([profile('a', inbound, outbound)]);
    const hosts = (one.hosts ?? []).map((host, index) => ({ ...host, endpointToHost: actions[index]! }));
    return { ...one, hosts };
  };

  test('case 29: the own host reaches a task that denies all, and another host does not', async () => {
    await check(
      world([nobody], [nobody]),
      ...[h1, h2, h3].map((host) => [host, onDrop, tcp(), host === h1] as const),
      ...[h1, h2, h3].map((host) => [host, onAccept, echo, host === h3] as const),
    );
  });

  test('another host comes with its own address, which a rule may name', async () => {
    const { address } = kernel.hosts[1]!;
    const only: Rule = { ...anybody, from: { cidr: `${address}/32` } };
    await check(world([only], [anybody]), [h2, onDrop, tcp(), true], [h3, onDrop, tcp(), false]);
  });

  test('to its own host a task gets by its outbound rules, unless the action is DROP', async () => {
    const toTcp: Rule = { ...anybody, protocol: 'tcp' };
    await check(
      world([], [toTcp]),
      ...([
        [onDrop, h1, tcp(), false],
        [onReturn, h2, tcp(), true],
        [onAccept, h3, tcp(), true],
      ] as const),
      ...([
        [onReturn, h2, udp, false],
        [onAccept, h3, udp, false],
      ] as const),
    );
    // To another host the own one's action says nothing.
    await check(world([], [toTcp]), [onDrop, h2, tcp(), true], [onReturn, h1, udp, false]);
  });

  test("with RETURN the host's own rules come after the task's, and with ACCEPT they are not asked", async () => {
    await kernel.program(world([], [anybody]));
    const { stage } = kernel;
    const iptables = stage.tools.restore.replace('-restore', '');
    const rule = 'INPUT -i cali+ -p tcp --dport 9000 -j DROP';
    for (const host of [h2, h3]) await stage.sh(host, `${iptables} -A ${rule}`);
    try {
      const party = (name: string): Party => [...kernel.tasks, ...kernel.hosts].find((one) => one.name === name)!;
      const ask = (from: string, to: string, allow: boolean): Question => {
        const side = { allow, because: { kind: 'own address' } } as const;
        const decision = {
          allow,
          outbound: { direction: 'outbound', ...side },
          inbound: { direction: 'inbound', ...side },
        } as const;
        return { from: party(from), to: party(to), traffic: tcp(), decision };
      };
      expect(await kernel.wrong([ask(onReturn, h2, false), ask(onAccept, h3, true)], [tcp()])).toEqual([]);
    } finally {
      for (const host of [h2, h3]) await stage.sh(host, `${iptables} -D ${rule}`);
    }
  });
});
