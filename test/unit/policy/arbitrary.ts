/**
 * Random policy for the property tests. Small worlds in which tags, CIDRs, ports and profiles meet often: most questions
 * are decided by a rule, and no way a decision can come about is rare (world.test.ts counts them).
 */
import fc from 'fast-check';
import type { Felix } from '../../../modules/policy/felix.ts';
import type {
  AnyPacket,
  Endpoint,
  Host,
  Packet,
  Peer,
  PeerMatch,
  Policy,
  PolicyState,
  PortRange,
  Profile,
  Rule,
  RuleProtocol,
  Tier,
} from '../../../modules/policy/model.ts';

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

/*
 * The whole model: tiers, selectors, labels, negation, IPv6, every protocol, hosts. Small enough that all of it meets.
 */
const label = fc.constantFrom('role', 'stage', 'team/x');
const value = fc.constantFrom('db', 'web', 'live');
const comparison = fc.oneof(
  fc.tuple(label, fc.constantFrom('==', '!='), value).map(([key, sign, text]) => `${key} ${sign} "${text}"`),
  fc
    .tuple(label, fc.constantFrom('in', 'not in'), fc.array(value, { minLength: 1, maxLength: 2 }))
    .map(([key, sign, texts]) => `${key} ${sign} {${texts.map((text) => `"${text}"`).join(', ')}}`),
  label.map((key) => `has(${key})`),
  fc.constant('all()'),
);
/** Texts of Calico's grammar, with brackets where they matter and where they do not. */
export const selector: fc.Arbitrary<string> = fc.letrec<{ one: string; any: string }>((tie) => ({
  one: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    tie('any').map((text) => `(${text})`),
    tie('one').map((text) => `!${text}`),
  ),
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('one'),
    fc.tuple(tie('one'), fc.constantFrom(' && ', ' || '), tie('any')).map((parts) => parts.join('')),
  ),
})).any;

const labelled = fc.dictionary(label, value, { maxKeys: 2 });
const address6 = fc.constantFrom('fd00::1', 'fd00::2', 'fd00:0:0:1::1', 'fd00:0:0:1::2', '2001:db8::9');
const anyCidr = fc.oneof(
  { weight: 3, arbitrary: cidr },
  { weight: 2, arbitrary: fc.constantFrom('::/0', 'fd00::/63', 'fd00::/64', 'fd00:0:0:1::/64', 'fd00::2/128') },
);

function wholeMatch(ported: boolean): fc.Arbitrary<PeerMatch> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: fc.record({ tag }) },
    { weight: 2, arbitrary: fc.record({ selector }) },
    { weight: 2, arbitrary: fc.record({ cidr: anyCidr }) },
    { weight: 1, arbitrary: fc.record({ tag, selector, cidr: anyCidr }, { requiredKeys: [] }) },
    ...(ported ? [{ weight: 4, arbitrary: fc.record({ ports }) }] : []),
  );
}

function wholePeer(ported: boolean): fc.Arbitrary<Peer> {
  return fc.oneof(
    { weight: 5, arbitrary: wholeMatch(ported) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(wholeMatch(ported), wholeMatch(ported))
        .map(([own, not]) => (Object.keys(not).length === 0 ? own : { ...own, not })),
    },
  );
}

const anyProtocol = fc.constantFrom<RuleProtocol>('tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'udplite', 6, 1, 47);
const anyIcmp = fc.record(
  { type: fc.constantFrom(0, 3, 8, 8, 128), code: fc.constantFrom(0, 1) },
  { requiredKeys: ['type'] },
);
const ruleActions = fc.constantFrom('allow', 'allow', 'allow', 'deny', 'deny', 'next-tier', 'log');
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

/** Without the keys that are undefined. */
function present<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, one]) => one !== undefined)) as never;
}

/** Every kind of rule that the model can say, now and then one that some Felix does not take. */
export const wholeRule: fc.Arbitrary<Rule> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 5, arbitrary: fc.constantFrom<RuleProtocol>('tcp', 'udp') },
    { weight: 3, arbitrary: anyProtocol },
  )
  .chain((protocol) => {
    const ported = protocol === 'tcp' || protocol === 'udp' || protocol === 6;
    const hasIcmp = protocol === 'icmp' || protocol === 'icmpv6' || protocol === 1;
    return fc
      .record({
        action: ruleActions,
        ipVersion: sometimes(fc.constantFrom<4 | 6>(4, 6)),
        protocol: fc.constant(protocol),
        icmp: hasIcmp ? sometimes(anyIcmp, 3) : fc.constant(undefined),
        from: wholePeer(ported),
        to: wholePeer(ported),
        not: hasIcmp
          ? sometimes(fc.record({ icmp: anyIcmp }))
          : sometimes(anyProtocol.map((one) => ({ protocol: one }))),
        stray: fc.integer({ min: 0, max: 59 }),
      })
      .map(({ stray, ...rest }): Rule => {
        const rule = present(rest) as Rule;
        // What only some versions take: ports of sctp, ICMP type 255, an ICMP type for nothing, port 0, no ports.
        if (stray === 7) return { ...rule, protocol: 'sctp', to: { ports: [{ from: 80, to: 80 }] } };
        if (stray === 8) return { ...rule, protocol: 'icmp', icmp: { type: 255 }, from: {}, to: {} };
        if (stray === 9) return { ...rule, icmp: { type: 8 } };
        if (stray === 10) return { ...rule, to: { ports: [{ from: 0, to: 80 }] } };
        if (stray === 11) return { ...rule, from: { ports: [] } };
        return rule;
      });
  });

const wholeRules = fc.array(wholeRule, { maxLength: 4, size: 'max' });
const everything: Rule = { action: 'allow', from: {}, to: {} };
/** Half of the time everything may leave: two random sides hardly ever agree. */
const leaving = fc.oneof(fc.constant([everything]), wholeRules);
/** What a policy does not decide is dropped, so most decide everything, or pass it on. */
const policyRules = fc
  .tuple(wholeRules, fc.constantFrom([], [everything], [{ ...everything, action: 'next-tier' as const }]))
  .map(([some, last]): readonly Rule[] => [...some, ...last]);
const order = sometimes(fc.constantFrom(1, 2, 10), 8);
const policies = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }).chain((policyNames) =>
  fc.tuple(
    ...policyNames.map((name) =>
      fc
        .record({
          name: fc.constant(name),
          order,
          selector,
          directions: sometimes(fc.constantFrom<NonNullable<Policy['directions']>>(['inbound'], ['outbound']), 4),
          inbound: policyRules,
          outbound: policyRules,
        })
        .map((policy) => present(policy) as Policy),
    ),
  ),
);
const tiers: fc.Arbitrary<readonly Tier[]> = fc
  .subarray(['t1', 't2'])
  .chain((tierNames) =>
    fc.tuple(
      ...tierNames.map((name) =>
        fc.record({ name: fc.constant(name), order, policies }).map((tier) => present(tier) as Tier),
      ),
    ),
  );

export const hosts: readonly Host[] = [
  { name: 'h1', addresses: ['10.1.0.1', 'fd01::1'] },
  { name: 'h2', addresses: ['10.1.0.2', 'fd01::2'], endpointToHost: 'DROP' },
  { name: 'h3', addresses: ['10.1.0.3'], endpointToHost: 'ACCEPT' },
];

export const wholeState: fc.Arbitrary<PolicyState> = fc
  .record({
    profiles: fc.tuple(
      ...names.map((name) =>
        fc
          .record({
            name: fc.constant(name),
            tags: fc.subarray(['a', 'b', 'c'], { maxLength: 2 }),
            labels: sometimes(labelled, 4),
            inbound: wholeRules,
            outbound: leaving,
          })
          .map((one) => present(one) as Profile),
      ),
    ),
    tiers,
    addresses: fc.uniqueArray(address, { minLength: 5, maxLength: 5 }),
    addresses6: fc.uniqueArray(address6, { minLength: 5, maxLength: 5 }),
    rest: fc.array(
      fc.record({
        profiles: carried,
        labels: sometimes(labelled, 4),
        host: sometimes(fc.constantFrom('h1', 'h1', 'h2', 'h3'), 16),
        state: fc.oneof(
          { weight: 19, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: fc.constant('inactive' as const) },
        ),
      }),
      { minLength: 5, maxLength: 5 },
    ),
  })
  .map(({ profiles, addresses, addresses6, rest, tiers: some }) => ({
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: rest.map((one, index): Endpoint => ({
      id: `task-${index}`,
      address: addresses[index]!,
      ...(index === 4 ? {} : { address6: addresses6[index]! }),
      ...(present(one) as Pick<Endpoint, 'profiles'>),
    })),
    tiers: some,
    hosts,
  }));

interface WholeAsk {
  readonly from: string;
  readonly to: string;
  readonly packet: AnyPacket;
}

function wholeAsk({ endpoints }: PolicyState): fc.Arbitrary<WholeAsk> {
  const packetOf = (six: boolean): fc.Arbitrary<AnyPacket> =>
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ protocol: fc.constantFrom('tcp', 'udp'), sourcePort: port, port }) },
      { weight: 1, arbitrary: fc.record({ protocol: fc.constantFrom('sctp', 'udplite'), sourcePort: port, port }) },
      {
        weight: 2,
        arbitrary: fc.record({
          protocol: six ? fc.constant('icmpv6' as const) : fc.constant('icmp' as const),
          type: fc.constantFrom(0, 3, 8, 8, 128, 135),
          code: fc.constantFrom(0, 1),
        }),
      },
      { weight: 1, arbitrary: fc.record({ protocol: fc.constantFrom(47, 50) }) },
    );
  const sided = (six: boolean) => {
    const own = endpoints.flatMap((one) => (six ? (one.address6 ?? []) : one.address));
    const others = hosts.flatMap(({ addresses }) => addresses.filter((text) => text.includes(':') === six));
    const side = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...own) },
      { weight: 1, arbitrary: fc.constantFrom(...others) },
      { weight: 1, arbitrary: six ? address6 : address },
    );
    return fc.record({ from: side, to: side, packet: packetOf(six) });
  };
  return fc.oneof({ weight: 2, arbitrary: sided(false) }, { weight: 1, arbitrary: sided(true) });
}

/** A whole state, and twelve questions in it. */
export const wholeWorld = wholeState.chain((one) =>
  fc.record({
    state: fc.constant(one),
    asks: fc.noBias(fc.array(wholeAsk(one), { minLength: 12, maxLength: 12 })),
  }),
);

/** The state without what this Felix has never heard of, except in `p3`: else an old one would find every profile invalid. */
export function knownTo({ knows }: Felix, state: PolicyState): PolicyState {
  const match = ({ selector, ...rest }: PeerMatch): PeerMatch =>
    selector === undefined || !knows.tiers ? rest : { ...rest, selector };
  const peer = ({ not, ...rest }: Peer): Peer => ({
    ...match(rest),
    ...(not === undefined || !knows.negation ? {} : { not: match(not) }),
  });
  const rule = ({ not, ...rest }: Rule): Rule => ({
    ...rest,
    action:
      (rest.action === 'log' && !knows.log) || (rest.action === 'next-tier' && !knows.tiers) ? 'deny' : rest.action,
    from: peer(rest.from),
    to: peer(rest.to),
    ...(not === undefined || !knows.negation ? {} : { not }),
  });
  const both = <T extends Pick<Profile, 'inbound' | 'outbound'>>(one: T): T => ({
    ...one,
    inbound: one.inbound.map(rule),
    outbound: one.outbound.map(rule),
  });
  return {
    ...mapProfiles(state, (one) => (one.name === 'p3' ? one : both(one))),
    tiers: (state.tiers ?? []).map((tier) => ({ ...tier, policies: tier.policies.map(both) })),
  };
}
