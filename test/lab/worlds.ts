/**
 * Random states of the whole policy model for the lab's nine tasks: tiers, selectors, labels, negation, next-tier, log,
 * rules for the other IP version, any protocol, inactive endpoints, hosts. Small enough that all of it meets.
 */
import fc from 'fast-check';
import type {
  HostAction,
  IcmpMatch,
  IpVersion,
  Labels,
  Peer,
  PeerMatch,
  Policy,
  PolicyState,
  PortRange,
  Profile,
  Rule,
  RuleProtocol,
  Tier,
} from '../../modules/policy/model.ts';
import { selector } from '../unit/policy/arbitrary.ts';
import type { Kernel } from './kernel.ts';

const cidr = fc.constantFrom(
  ...['0.0.0.0/0', '10.64.0.0/24', '10.65.0.0/16', '10.65.0.64/26', '10.65.0.128/25', '10.65.0.64/32'],
  ...['10.65.0.129/32', '10.65.0.193/32', '172.16.0.0/12'],
  ...['::/0', 'fd64::/64', 'fd65::/63', 'fd65:0:0:2::/64', 'fd65:0:0:1::2/128'],
);
const tag = fc.constantFrom('red', 'green', 'blue', 'nobody');
/** Few: every bound of a range is a class of traffic more, and each class is asked of every pair. */
const port = fc.constantFrom(2000, 2001, 9000);
const range = fc.tuple(port, port).map(([a, b]): PortRange => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const targetPorts = fc.array(range, { minLength: 1, maxLength: 2 });
/** Wide: the prober takes a fresh source port each time, so that no conntrack entry answers for an earlier policy. */
const sourcePorts = fc.constantFrom<PortRange[]>([{ from: 1024, to: 32767 }], [{ from: 32768, to: 65535 }]);

const labels: fc.Arbitrary<Labels> = fc.dictionary(
  fc.constantFrom('role', 'stage', 'team/x'),
  fc.constantFrom('db', 'web', 'live'),
  { maxKeys: 2 },
);

const sometimes = <T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 10, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

/** Without the keys that are undefined. */
function present<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, one]) => one !== undefined)) as never;
}

function match(ports: fc.Arbitrary<PortRange[]> | undefined): fc.Arbitrary<PeerMatch> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.record({ tag }) },
    { weight: 3, arbitrary: fc.record({ selector }) },
    { weight: 2, arbitrary: fc.record({ cidr }) },
    { weight: 1, arbitrary: fc.record({ tag, selector, cidr }, { requiredKeys: [] }) },
    ...(ports === undefined ? [] : [{ weight: 2, arbitrary: fc.record({ ports }) }]),
  );
}

function peer(ports?: fc.Arbitrary<PortRange[]>): fc.Arbitrary<Peer> {
  return fc
    .record({ own: sometimes(match(ports), 8), not: sometimes(match(ports), 4) })
    .map(({ own = {}, not }) => (not === undefined || Object.keys(not).length === 0 ? own : { ...own, not }));
}

const icmpOf = (echo: number): fc.Arbitrary<IcmpMatch> =>
  fc.record({ type: fc.constantFrom(3, echo, echo), code: fc.constantFrom(0, 1) }, { requiredKeys: ['type'] });
/** 47 and sctp are of nobody here. */
const protocol = fc.constantFrom<RuleProtocol>('tcp', 'udp', 'icmp', 6, 17, 1, 47, 'sctp', 'icmpv6');
const action = fc.constantFrom<Rule['action']>(
  'allow',
  'allow',
  'allow',
  'deny',
  'deny',
  'next-tier',
  'next-tier',
  'log',
  'log',
);

const rule: fc.Arbitrary<Rule> = fc
  .oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 5, arbitrary: protocol })
  .chain((named) => {
    const ported = named === 'tcp' || named === 'udp' || named === 6 || named === 17;
    const icmp = named === 'icmp' || named === 1 ? icmpOf(8) : named === 'icmpv6' ? icmpOf(128) : undefined;
    return fc
      .record({
        action,
        ipVersion: sometimes(fc.constantFrom<IpVersion>(4, 6), 2),
        protocol: fc.constant(named),
        icmp: icmp === undefined ? fc.constant(undefined) : sometimes(icmp, 10),
        from: peer(ported ? sourcePorts : undefined),
        to: peer(ported ? targetPorts : undefined),
        not:
          icmp === undefined
            ? sometimes(
                protocol.map((one) => ({ protocol: one })),
                6,
              )
            : sometimes(fc.record({ icmp }), 8),
      })
      .map((one) => present(one) as Rule);
  });

const all = (one: Rule['action']): Rule => ({ action: one, from: {}, to: {} });
const few = fc.array(rule, { maxLength: 3, size: 'max' });
/** What nobody has decided is let through, passed on or left alone: else two sides and two tiers hardly ever agree. */
const rules = (last: readonly Rule['action'][]): fc.Arbitrary<readonly Rule[]> =>
  fc.tuple(few, fc.constantFrom(undefined, ...last)).map(([some, end]) => [...some, ...(end ? [all(end)] : [])]);

/** Policy `b` and tier `t1` come first now and then, and not by their names. */
const order = fc.constantFrom(undefined, 3, 2, 1);

const policy = (name: string): fc.Arbitrary<Policy> =>
  fc
    .record({
      name: fc.constant(name),
      order,
      selector: fc.oneof({ weight: 3, arbitrary: selector }, { weight: 1, arbitrary: fc.constant('all()') }),
      directions: fc.constantFrom<Policy['directions']>(undefined, undefined, undefined, ['inbound'], ['outbound']),
      inbound: rules(['next-tier', 'next-tier', 'allow']),
      outbound: rules(['next-tier', 'next-tier', 'next-tier', 'allow']),
    })
    .map((one) => present(one) as Policy);

const tier = (name: string): fc.Arbitrary<Tier> =>
  fc
    .record({
      name: fc.constant(name),
      order,
      policies: fc.tuple(policy('a'), policy('b')),
      count: fc.constantFrom(0, 1, 2, 2, 2),
    })
    .map(({ policies, count, ...one }) => present({ ...one, policies: policies.slice(0, count) }) as Tier);

const names = ['p0', 'p1', 'p2'] as const;
const profile = (name: string): fc.Arbitrary<Profile> =>
  fc
    .record({
      name: fc.constant(name),
      tags: fc.uniqueArray(fc.constantFrom('red', 'green', 'blue'), { maxLength: 2 }),
      labels: sometimes(labels, 10),
      inbound: rules(['allow']),
      outbound: rules(['allow', 'allow', 'allow']),
    })
    .map((one) => present(one) as Profile);

const own = fc.record({
  profiles: fc.oneof(
    { weight: 19, arbitrary: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...names, 'missing'), { maxLength: 2 }) },
  ),
  labels: sometimes(labels, 10),
  state: sometimes(fc.constant('inactive' as const), 1),
});

export const world = fc.record({
  profiles: fc.tuple(...names.map(profile)),
  tiers: fc.tuple(tier('t0'), tier('t1')),
  own: fc.array(own, { minLength: 9, maxLength: 9 }),
  /** Every third is asked in IPv6 as well. */
  six: fc.constantFrom(false, false, true),
  actions: fc.array(fc.constantFrom<HostAction>('DROP', 'RETURN', 'ACCEPT'), { minLength: 3, maxLength: 3 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

export function stateOf(one: World, { tasks, hosts }: Pick<Kernel, 'tasks' | 'hosts'>): PolicyState {
  return {
    profiles: new Map(one.profiles.map((each) => [each.name, each])),
    tiers: one.tiers,
    endpoints: tasks.map(({ name, address, address6, node }, index) => ({
      id: name,
      address,
      ...(address6 === undefined ? {} : { address6 }),
      host: node,
      ...present(one.own[index]!),
    })),
    hosts: hosts.map(({ name, address, address6 }, index) => ({
      name,
      addresses: address6 === undefined ? [address] : [address, address6],
      endpointToHost: one.actions[index]!,
    })),
  };
}
