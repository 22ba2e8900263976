/**
 * Mutants of the policy: what etcd has differs from what was declared, and the agents do right what etcd says. The
 * verifier holds packets against the declared policy, which `bench.ts` has, so each of these must come out.
 */
import { keys } from '../../modules/datastore/calico.ts';
import type { Direction } from '../../modules/policy/model.ts';
import type { Bench } from './bench.ts';
import type { Fault } from './faults.ts';
/** A rule as etcd has it. */
export type RuleJson = Readonly<Record<string, unknown>> & { readonly action: string };
type Rules = readonly RuleJson[];
type Work = (rules: Rules, bench: Bench) => Rules;

/** Changes the rules of a network's profile in etcd. */
export const inRules =
  (network: string, direction: Direction, work: Work): Fault['breakIt'] =>
  (bench) =>
    bench.amend(`${keys.profile(bench.profile(network))}/rules`, (value) => {
      const all = value as Readonly<Record<string, Rules>>;
      const key = `${direction}_rules`;
      return { ...all, [key]: work(all[key] ?? [], bench) };
    });

const inTags =
  (network: string, work: (tags: readonly string[], bench: Bench) => readonly string[]): Fault['breakIt'] =>
  (bench) =>
    bench.amend(`${keys.profile(bench.profile(network))}/tags`, (value) => work(value as readonly string[], bench));

/** Changes the one rule at an index, with some of its keys taken out and others put in. */
const at =
  (index: number, less: readonly string[], more: Readonly<Record<string, unknown>> = {}): Work =>
  (rules) => {
    if (rules[index] === undefined) throw new Error(`there is no rule ${index + 1}`);
    return rules.map((rule, here) =>
      here === index
        ? ({ ...Object.fromEntries(Object.entries(rule).filter(([key]) => !less.includes(key))), ...more } as RuleJson)
        : rule,
    );
  };

const without =
  (index: number): Work =>
  (rules) =>
    rules.filter((_, here) => here !== index);

const opened = (where: string): RegExp => new RegExp(`expected deny, observed open.*${where}`);
const closed = (where: string): RegExp => new RegExp(`expected allow, observed dropped.*${where}`);

const mutant = (name: string, names: RegExp, breakIt: Fault['breakIt']): Fault => ({
  name: `policy: ${name}`,
  outcome: 'policy-wrong',
  names,
  breakIt,
});

// The rules of `today` by index. frontend: 0 deny tcp 9001 of client, 1 allow tcp, 2 udp 9000, 3 icmp of client, 4 own.
// backend: 0 allow tcp 9000, 1 udp 9000, 2 icmp of frontend, 3 own. client: 0 allow tcp 9000 of client.
const ofRules: readonly Fault[] = [
  mutant(
    'an allow rule is gone',
    closed('all from frontend, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', without(0)),
  ),
  mutant(
    'a deny rule is gone',
    opened('all from client, all to frontend, all on tcp 9001'),
    inRules('frontend', 'inbound', without(0)),
  ),
  mutant(
    'the rule for the own network is gone',
    closed('all from backend, all to backend'),
    inRules('backend', 'inbound', without(3)),
  ),
  mutant(
    'all inbound rules are gone',
    closed('all to client'),
    inRules('client', 'inbound', () => []),
  ),
  mutant(
    'there is one allow rule more',
    opened('all to backend'),
    inRules('backend', 'inbound', (all) => [...all, { action: 'allow' }]),
  ),
  mutant(
    'there is one deny rule more, before the others',
    closed('all to frontend, all on icmp'),
    inRules('frontend', 'inbound', (all) => [{ action: 'deny', protocol: 'icmp' }, ...all]),
  ),
  mutant(
    'an allow became a deny',
    closed('all from frontend, all to backend, all on icmp'),
    inRules('backend', 'inbound', at(2, [], { action: 'deny' })),
  ),
  mutant(
    'a deny became an allow',
    opened('all from client, all to frontend, all on tcp 9001'),
    inRules('frontend', 'inbound', at(0, [], { action: 'allow' })),
  ),
  mutant(
    'a deny only logs',
    opened('all from client, all to frontend, all on tcp 9001'),
    inRules('frontend', 'inbound', at(0, [], { action: 'log' })),
  ),
  mutant(
    'an allow leaves it to the next tier',
    closed('all from frontend, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', at(0, [], { action: 'next-tier' })),
  ),
  mutant(
    'two rules are swapped where order matters',
    opened('all from client, all to frontend, all on tcp 9001'),
    inRules('frontend', 'inbound', ([one, two, ...rest]) => [two!, one!, ...rest]),
  ),
  mutant(
    'the first rule came last',
    opened('all from client, all to frontend, all on tcp 9001'),
    inRules('frontend', 'inbound', ([one, ...rest]) => [...rest, one!]),
  ),
  mutant(
    'a rule is for IPv6 only',
    closed('all from frontend, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', at(0, [], { ip_version: 6 })),
  ),
];

const ofPeers: readonly Fault[] = [
  mutant(
    'a rule has the tag of another network',
    opened('all from client, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', (all, bench) => at(0, [], { src_tag: bench.profile('client') })(all, bench)),
  ),
  mutant(
    'a rule has a tag of nobody',
    closed('all from frontend, all to backend, all on udp'),
    inRules('backend', 'inbound', at(1, [], { src_tag: 'nobody' })),
  ),
  mutant(
    'a rule lost its tag',
    opened('all from client, all to backend, all on udp'),
    inRules('backend', 'inbound', at(1, ['src_tag'])),
  ),
  mutant(
    'a tag is asked of the destination, not of the source',
    closed('all from frontend, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', (all, bench) =>
      at(0, ['src_tag'], { dst_tag: bench.profile('frontend') })(all, bench),
    ),
  ),
  mutant(
    'a tag is negated',
    opened('all from client, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', (all, bench) =>
      at(0, ['src_tag'], { '!src_tag': bench.profile('frontend') })(all, bench),
    ),
  ),
  mutant(
    'a rule holds for the addresses of one host only',
    closed('all from frontend@general-2 or frontend@general-3, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', (all, bench) => at(0, [], { src_net: bench.block('general-1') })(all, bench)),
  ),
  mutant(
    'a tag became the address of one of its tasks',
    closed('all from frontend'),
    inRules('backend', 'inbound', (all, bench) =>
      at(0, ['src_tag'], { src_net: `${bench.task('frontend@general-2').address}/32` })(all, bench),
    ),
  ),
  mutant(
    'a tag became a network, and that is too wide: a block of addresses',
    opened('all from client@general-2'),
    inRules('backend', 'inbound', (all, bench) => [
      ...all,
      { action: 'allow', protocol: 'icmp', src_net: bench.block('general-2') },
    ]),
  ),
  mutant(
    'a tag became every address',
    opened('all from client, all to backend, all on icmp'),
    inRules('backend', 'inbound', at(2, ['src_tag'], { src_net: '0.0.0.0/0' })),
  ),
];

const ofTraffic: readonly Fault[] = [
  mutant(
    'a port is one too high',
    opened('all from frontend, all to backend, all on tcp'),
    inRules('backend', 'inbound', at(0, [], { dst_ports: [9001] })),
  ),
  mutant(
    'a port is one too low',
    closed('all from client, all to frontend, all on udp 9000'),
    inRules('frontend', 'inbound', at(2, [], { dst_ports: [8999] })),
  ),
  mutant(
    'a range of ports ends one too late',
    opened('all from client, all to client, all on tcp 9001'),
    inRules('client', 'inbound', at(0, [], { dst_ports: ['9000:9001'] })),
  ),
  mutant(
    'a denied range begins one too early',
    closed('all from client, all to frontend, all on tcp 9000'),
    inRules('frontend', 'inbound', at(0, [], { dst_ports: ['9000:9001'] })),
  ),
  mutant(
    'a rule lost its ports',
    opened('all from frontend, all to backend, all on udp'),
    inRules('backend', 'inbound', at(1, ['dst_ports'])),
  ),
  mutant(
    'ports are asked of the source',
    closed('all from frontend, all to backend, all on tcp 9000'),
    inRules('backend', 'inbound', at(0, ['dst_ports'], { src_ports: [9000] })),
  ),
  mutant(
    'a rule is of another protocol',
    closed('all from client, all to client, all on tcp 9000'),
    inRules('client', 'inbound', at(0, [], { protocol: 'udp' })),
  ),
  mutant(
    'a rule lost its protocol',
    opened('all from client, all to frontend, all on udp'),
    inRules('frontend', 'inbound', at(3, ['protocol'])),
  ),
  mutant(
    'a rule admits another type of ICMP',
    closed('all from frontend, all to backend, all on icmp'),
    inRules('backend', 'inbound', at(2, [], { icmp_type: 3 })),
  ),
];

const ofProfiles: readonly Fault[] = [
  mutant(
    'the outbound rules are gone',
    closed('all from client'),
    inRules('client', 'outbound', () => []),
  ),
  mutant(
    'there is an outbound deny rule',
    closed('all from frontend, all on udp'),
    inRules('frontend', 'outbound', (all) => [{ action: 'deny', protocol: 'udp' }, ...all]),
  ),
  mutant(
    'outbound goes to the own network only',
    closed('all from client, all to frontend'),
    inRules('client', 'outbound', (all, bench) => at(0, [], { dst_tag: bench.profile('client') })(all, bench)),
  ),
  mutant('inbound and outbound rules are swapped', opened('all to client'), (bench) =>
    bench.amend(`${keys.profile(bench.profile('client'))}/rules`, (value) => {
      const { inbound_rules, outbound_rules } = value as Readonly<Record<string, Rules>>;
      return { inbound_rules: outbound_rules, outbound_rules: inbound_rules };
    }),
  ),
  mutant('a profile has no rules in etcd', closed('all (from or )?to backend|all from backend'), (bench) =>
    bench.amend(`${keys.profile(bench.profile('backend'))}/rules`, () => undefined),
  ),
  mutant(
    'a profile has the rules of yesterday',
    closed('all from client'),
    inRules('frontend', 'inbound', (_, bench) => [{ action: 'allow', src_tag: bench.profile('frontend') }]),
  ),
  mutant(
    'a profile has the tag of another one too',
    opened('all from client'),
    inTags('client', (tags, bench) => [...tags, bench.profile('frontend')]),
  ),
  mutant(
    'a tag is misspelled',
    closed('all from frontend'),
    inTags('frontend', (tags) => tags.map((tag) => `${tag}s`)),
  ),
  mutant("two profiles have each other's tags", opened('all from (client|frontend|backend)'), async (bench) => {
    const heals = [
      await inTags('client', () => [bench.profile('backend')])(bench),
      await inTags('backend', () => [bench.profile('client')])(bench),
    ];
    return async () => {
      for (const heal of heals) await heal?.();
    };
  }),
];

const ofEndpoints: readonly Fault[] = [
  mutant('a task has a profile that does not exist', closed('client@general-3'), (bench) =>
    bench.rewrite('client@general-3', (value) => ({ ...value, profile_ids: ['nobody'] })),
  ),
  mutant('a task has a wider profile before its own', opened('client@general-2'), (bench) =>
    bench.rewrite('client@general-2', (value) => ({
      ...value,
      profile_ids: [bench.profile('frontend'), bench.profile('client')],
    })),
  ),
  mutant('a task may only use a MAC that it has not', closed('all from backend@general-1'), (bench) =>
    bench.rewrite('backend@general-1', (value) => ({ ...value, mac: '02:00:00:00:00:01' })),
  ),
  mutant('an endpoint has an address more, that of another task', opened('all from client@general-1'), (bench) =>
    bench.ghost('general-2', bench.profile('frontend'), bench.task('client@general-1').address),
  ),
];

export const mutants: readonly Fault[] = [...ofRules, ...ofPeers, ...ofTraffic, ...ofProfiles, ...ofEndpoints];
