/**
 * Random policy for the property tests. Small worlds in which tags, CIDRs, ports and profiles meet often: most questions
 * are decided by a rule, and no way a decision can come about is rare (world.test.ts counts them).
 */
import fc from 'fast-check';
import type { Endpoint, Packet, Peer, PolicyState, PortRange, Profile, Rule } from '../../../modules/policy/model.ts';

/** `ghost` is carried by nobody. */
const tag = fc.constantFrom('a', 'a', 'b', 'b', 'c', 'c', 'ghost');
const address = fc
  .tuple(fc.constantFrom('10.0.0', '10.0.1', '10.200.0', '192.168.1', '200.9.9'), fc.integer({ min: 1, max: 6 }))
  .map(([net, host]) => `${net}.${host}`);
const cidr = fc.constantFrom(
  ...['0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/23', '10.0.1.0/24', '10.0.0.4/30', '10.0.0.5/32', '128.0.0.0/1'],
  ...['192.168.1.3/32', '192.168.0.0/16', '8.0.0.0/5'],
);
/** The bounds of ranges and the ports of packets come from the same few, so that they touch. */
const port = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, 1, 53, 80, 81, 443, 9000, 9001, 32768, 60999, 65535) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 65535 }) },
);
const range: fc.Arbitrary<PortRange> = fc.oneof(
  port.map((one) => ({ from: one, to: one })),
  fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
);
const ports = fc.array(range, { minLength: 1, maxLength: 3 });

function peer(ported: boolean): fc.Arbitrary<Peer> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: fc.record({ tag }) },
    { weight: 3, arbitrary: fc.record({ cidr }) },
    { weight: 2, arbitrary: fc.record({ tag, cidr }) },
    ...(ported
      ? [
          { weight: 5, arbitrary: fc.record({ ports }) },
          { weight: 2, arbitrary: fc.record({ tag, cidr, ports }, { requiredKeys: ['ports'] }) },
        ]
      : []),
  );
}

const action = fc.constantFrom('allow', 'allow', 'deny');
const type = fc.constantFrom(0, 3, 8, 8, 13);
const icmp = fc.record({ type, code: fc.constantFrom(0, 0, 1, 4) }, { requiredKeys: ['type'] });

/** Every kind of rule that the grammar can say. */
export const rule: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ action, from: peer(false), to: peer(false) }) },
  {
    weight: 4,
    arbitrary: fc.record({ action, protocol: fc.constantFrom('tcp', 'udp'), from: peer(true), to: peer(true) }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { action, protocol: fc.constant('icmp'), icmp, from: peer(false), to: peer(false) },
      { requiredKeys: ['action', 'protocol', 'from', 'to'] },
    ),
  },
);

export const rules = fc.array(rule, { maxLength: 6, size: 'max' });

/** A rule that makes Felix throw the whole profile away. */
const broken: Rule = { action: 'allow', from: {}, to: { ports: [{ from: 80, to: 80 }] } };

const names = ['p0', 'p1', 'p2', 'p3'] as const;

function profile(name: string): fc.Arbitrary<Profile> {
  return fc
    .record({
      name: fc.constant(name),
      tags: fc.subarray(['a', 'b', 'c'], { maxLength: 2 }),
      inbound: rules,
      outbound: rules,
      // One number of many, so that shrinking keeps profiles whole.
      fault: fc.integer({ min: 0, max: 19 }),
    })
    .map(({ fault, ...rest }) => (fault === 13 ? { ...rest, inbound: [...rest.inbound, broken] } : rest));
}

/** One to three profiles in any order, one time in ten with a profile that does not exist, or with none. */
const carried = fc.oneof(
  { weight: 18, arbitrary: fc.shuffledSubarray([...names], { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.shuffledSubarray([...names, 'missing'], { minLength: 2, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant([]) },
);

/** Two to seven endpoints. */
export const state: fc.Arbitrary<PolicyState> = fc
  .tuple(
    fc.tuple(...names.map(profile)),
    fc.uniqueArray(address, { minLength: 2, maxLength: 7, size: 'max' }),
    fc.array(carried, { minLength: 7, maxLength: 7 }),
  )
  .map(([profiles, addresses, lists]) => ({
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: addresses.map((one, index): Endpoint => ({
      id: `task-${index}`,
      address: one,
      profiles: lists[index] ?? [],
    })),
  }));

const packet: fc.Arbitrary<Packet> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ protocol: fc.constantFrom('tcp', 'udp'), sourcePort: port, port }) },
  { weight: 1, arbitrary: fc.record({ protocol: fc.constant('icmp'), type, code: fc.constantFrom(0, 0, 1, 4, 9) }) },
);

interface Ask {
  /** Addresses. */
  readonly from: string;
  readonly to: string;
  readonly packet: Packet;
}

/** Between two endpoints as a rule, sometimes from or to an outsider, now and then to the own address. */
function ask({ endpoints }: PolicyState): fc.Arbitrary<Ask> {
  const addresses = endpoints.map((endpoint) => endpoint.address);
  const pair = fc.shuffledSubarray(addresses, { minLength: 2, maxLength: 2 }).map((two) => [two[0]!, two[1]!] as const);
  const one = fc.constantFrom(...addresses);
  const sides = fc.oneof(
    { weight: 20, arbitrary: pair },
    { weight: 2, arbitrary: fc.tuple(one, address) },
    { weight: 2, arbitrary: fc.tuple(address, one) },
    { weight: 1, arbitrary: one.map((same) => [same, same] as const) },
  );
  return fc.tuple(sides, packet).map(([[from, to], sent]) => ({ from, to, packet: sent }));
}

/** A world, and ten questions in it: making the world is the dear part. */
export const world = state.chain((one) =>
  fc.record({
    state: fc.constant(one),
    asks: fc.noBias(fc.array(ask(one), { minLength: 10, maxLength: 10 })),
  }),
);

/** The state with every profile changed, but not its name. */
export function mapProfiles(one: PolicyState, change: (profile: Profile) => Profile): PolicyState {
  return { ...one, profiles: new Map([...one.profiles].map(([name, old]) => [name, change(old)])) };
}
