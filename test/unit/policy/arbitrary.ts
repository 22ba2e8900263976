/** Random policy for the property tests: small worlds in which tags, CIDRs, ports and profiles meet often. */
import fc from 'fast-check';
import type { Endpoint, Packet, Peer, PolicyState, PortRange, Profile, Rule } from '../../../modules/policy/model.ts';

/** `ghost` is carried by nobody. */
export const tag = fc.constantFrom('a', 'b', 'c', 'ghost');
const address = fc
  .tuple(fc.constantFrom('10.0.0', '10.0.1', '10.200.0', '192.168.1', '200.9.9'), fc.integer({ min: 1, max: 6 }))
  .map(([net, host]) => `${net}.${host}`);
export const cidr = fc.constantFrom(
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/23',
  '10.0.1.0/24',
  '10.0.0.4/30',
  '10.0.0.5/32',
  '128.0.0.0/1',
  '192.168.1.3/32',
);
const port = fc.oneof(
  fc.constantFrom(0, 1, 53, 80, 81, 443, 9000, 9001, 32768, 60999, 65535),
  fc.integer({ min: 0, max: 65535 }),
);
export const range: fc.Arbitrary<PortRange> = fc.oneof(
  port.map((one) => ({ from: one, to: one })),
  fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
);
const ranges = fc.array(range, { minLength: 1, maxLength: 3 });

function peer(ported: boolean): fc.Arbitrary<Peer> {
  return fc.record({ tag, cidr, ...(ported ? { ports: ranges } : {}) }, { requiredKeys: [] });
}

const action = fc.constantFrom('allow', 'deny');
const icmp = fc.oneof(
  fc.record({ type: fc.constantFrom(0, 3, 8, 13) }),
  fc.record({ type: fc.constantFrom(0, 3, 8, 13), code: fc.constantFrom(0, 1, 4) }),
);

/** Every rule that the grammar can say. */
export const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ action, from: peer(false), to: peer(false) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      action,
      protocol: fc.constantFrom('tcp', 'udp'),
      from: peer(true),
      to: peer(true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { action, protocol: fc.constant('icmp'), icmp, from: peer(false), to: peer(false) },
      { requiredKeys: ['action', 'protocol', 'from', 'to'] },
    ),
  },
);

export const rules = fc.array(rule, { maxLength: 5 });

/** A rule that makes Felix throw the whole profile away. */
const broken: Rule = { action: 'allow', from: {}, to: { ports: [{ from: 80, to: 80 }] } };

const names = ['p0', 'p1', 'p2', 'p3'] as const;

function profile(name: string): fc.Arbitrary<Profile> {
  return fc
    .record({
      name: fc.constant(name),
      tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }),
      inbound: rules,
      outbound: rules,
      fault: fc.integer({ min: 0, max: 15 }),
    })
    .map(({ fault, ...rest }) => (fault === 0 ? { ...rest, inbound: [...rest.inbound, broken] } : rest));
}

/** Up to seven endpoints with up to three of four profiles, or with one that does not exist. */
export const state: fc.Arbitrary<PolicyState> = fc
  .tuple(
    fc.tuple(...names.map(profile)),
    fc.uniqueArray(address, { minLength: 1, maxLength: 7 }),
    fc.array(fc.uniqueArray(fc.constantFrom(...names, ...names, 'missing'), { maxLength: 3 }), {
      minLength: 7,
      maxLength: 7,
    }),
  )
  .map(([profiles, addresses, lists]) => ({
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: addresses.map((one, index): Endpoint => ({
      id: `task-${index}`,
      address: one,
      profiles: lists[index] ?? [],
    })),
  }));

export const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ protocol: fc.constantFrom('tcp', 'udp'), sourcePort: port, port }),
  fc.record({
    protocol: fc.constant('icmp'),
    type: fc.constantFrom(0, 3, 8, 13, 17),
    code: fc.constantFrom(0, 1, 4, 9),
  }),
);

/** A side of a flow: mostly an endpoint's address, sometimes an outsider's. */
export function side(world: PolicyState): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...world.endpoints.map((endpoint) => endpoint.address)) },
    { weight: 1, arbitrary: address },
  );
}

/** A world, and ten questions in it: making the world is the dear part. */
export const world = state.chain((one) =>
  fc.record({
    state: fc.constant(one),
    asks: fc.array(fc.record({ from: side(one), to: side(one), packet }), { minLength: 10, maxLength: 10 }),
  }),
);

/** The state with every profile changed, but not its name. */
export function mapProfiles(world: PolicyState, change: (profile: Profile) => Profile): PolicyState {
  return {
    ...world,
    profiles: new Map([...world.profiles].map(([name, one]) => [name, change(one)])),
  };
}
