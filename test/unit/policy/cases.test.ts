/**
 * The 41 tricky cases of Calico v1 policy, by number. Not here:
 * - 27, live flows outlive a change of rules: test/lab/live.test.ts, with flows of the kernel.
 * - 35, `rule add --at=0` and past the end: calicoctl.test.ts, of a model of calicoctl.
 * - 38 to 41, NetworkPolicy and the annotation: perform.test.ts, from text to verdict.
 */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../modules/policy/compile.ts';
import { describe as say } from '../../../modules/policy/describe.ts';
import { ruleCautions } from '../../../modules/policy/caution.ts';
import { readEtcd } from '../../../modules/policy/etcd.ts';
import { evaluate } from '../../../modules/policy/evaluate.ts';
import { felix, felixVersions, plainFelix, without, type Quirk } from '../../../modules/policy/felix.ts';
import type { AnyPacket, Direction, Packet, PolicyState, Profile, Rule, Tier } from '../../../modules/policy/model.ts';
import { orderKept } from '../../../modules/policy/met.ts';
import { endpointProfiles, hostProfile, networkProfile } from '../../../modules/policy/network.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { channels } from '../../../modules/release/channels.ts';

const web: Packet = { protocol: 'tcp', sourcePort: 40000, port: 80 };
const ping: Packet = { protocol: 'icmp', type: 8, code: 0 };
const anybody: Rule = { action: 'allow', from: {}, to: {} };
const nobody: Rule = { action: 'deny', from: {}, to: {} };
const outsider = '203.0.113.9';

function rule(text: string): Rule {
  const parsed = parseRule(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
  return parsed.value;
}

function profile(name: string, inbound: readonly (Rule | string)[], tags: readonly string[] = [name]): Profile {
  return {
    name,
    tags,
    inbound: inbound.map((one) => (typeof one === 'string' ? rule(one) : one)),
    outbound: [anybody],
  };
}

/** One endpoint, 10.0.0.1, with these profiles in this order. */
function task(profiles: readonly Profile[], carried = profiles.map(({ name }) => name)): PolicyState {
  return {
    profiles: new Map(profiles.map((one) => [one.name, one])),
    endpoints: [{ id: 'task', address: '10.0.0.1', profiles: carried }],
  };
}

function into(state: PolicyState, packet: Packet = web, from = outsider) {
  return evaluate(state, from, 'task', packet);
}

describe('which profiles an endpoint has', () => {
  test('case 1: no profile denies both ways', () => {
    const state = task([]);
    expect(into(state)).toMatchObject({ allow: false, inbound: { because: { kind: 'no profile' } } });
    expect(evaluate(state, 'task', outsider, web)).toMatchObject({
      allow: false,
      outbound: { because: { kind: 'no profile' } },
      inbound: { allow: true, because: { kind: 'not an endpoint' } },
    });
  });

  test('case 1: an empty list of inbound rules denies', () => {
    expect(into(task([profile('a', [])]))).toMatchObject({
      allow: false,
      inbound: { because: { kind: 'no rule matched', profiles: ['a'] } },
    });
  });

  test('case 2: a rule that asks nothing takes everything', () => {
    const state = task([profile('a', [anybody])]);
    for (const packet of [web, { protocol: 'udp', sourcePort: 0, port: 0 }, { protocol: 'icmp', type: 8, code: 0 }]) {
      expect(into(state, packet as Packet).allow).toBe(true);
    }
  });

  test('case 3: the first profile that matches decides', () => {
    const deny = profile('deny', [nobody]);
    const allow = profile('allow', [anybody]);
    expect(into(task([deny, allow]))).toMatchObject({
      allow: false,
      inbound: { because: { kind: 'rule', profile: 'deny', position: 1 } },
    });
    expect(into(task([allow, deny])).allow).toBe(true);
  });

  test('case 4: a missing profile drops what reaches it', () => {
    const b = profile('b', ['allow tcp to ports 80']);
    const missing = { kind: 'missing profile', profile: 'gone' };
    expect(into(task([b], ['gone', 'b']))).toMatchObject({ allow: false, inbound: { because: missing } });
    expect(into(task([b], ['b', 'gone']))).toMatchObject({
      allow: true,
      inbound: { because: { kind: 'rule', profile: 'b', position: 1 } },
    });
    expect(into(task([b], ['b', 'gone']), { ...web, port: 81 })).toMatchObject({
      allow: false,
      inbound: { because: missing },
    });
  });
});

describe('what Felix does not accept', () => {
  const cut = (inbound: Rule) => into(task([{ ...profile('a', [anybody]), inbound: [anybody, inbound] }]));
  const missing = { allow: false, inbound: { because: { kind: 'missing profile', profile: 'a' } } };

  test('cases 10 and 15: an ICMP type that is none makes the profile invalid', () => {
    expect(cut({ action: 'allow', protocol: 'icmp', icmp: { type: 255 }, from: {}, to: {} })).toMatchObject(missing);
    expect(cut({ action: 'allow', protocol: 'icmp', icmp: { type: NaN }, from: {}, to: {} })).toMatchObject(missing);
    expect(cut({ action: 'allow', protocol: 'tcp', icmp: { type: 8 }, from: {}, to: {} })).toMatchObject(missing);
  });

  test('case 12: a range of one port is that port', () => {
    expect(rule('allow tcp to ports 80:80')).toEqual(rule('allow tcp to ports 80'));
    expect(into(task([profile('a', ['allow tcp to ports 80:80'])])).allow).toBe(true);
  });

  test('case 13: port 0 is a port', () => {
    const state = task([profile('a', ['allow tcp to ports 0'])]);
    expect(into(state, { ...web, port: 0 }).allow).toBe(true);
    expect(into(state).allow).toBe(false);
  });

  test('case 14: ports without a protocol cut the endpoint off, in both directions', () => {
    const bad: Rule = { action: 'allow', from: {}, to: { ports: [{ from: 80, to: 80 }] } };
    expect(cut(bad)).toMatchObject(missing);
    const state = task([{ ...profile('a', [anybody]), inbound: [bad] }]);
    expect(evaluate(state, 'task', outsider, web)).toMatchObject({
      allow: false,
      outbound: { because: { kind: 'missing profile' } },
    });
  });

  test('case 14: an empty list of ports is every port', () => {
    const state = task([profile('a', [{ action: 'allow', protocol: 'tcp', from: { ports: [] }, to: { ports: [] } }])]);
    expect(into(state).allow).toBe(true);
    expect(into(state, { protocol: 'udp', sourcePort: 1, port: 1 }).allow).toBe(false);
  });

  test('case 17: an empty list of outbound rules lets nothing out', () => {
    const state = task([{ ...profile('a', [anybody]), outbound: [] }]);
    expect(evaluate(state, 'task', outsider, web)).toMatchObject({ allow: false, outbound: { allow: false } });
    expect(into(state).allow).toBe(true);
  });

  test('an invalid profile still lends its tags, which are another key of the datastore', () => {
    const bad = { ...profile('bad', []), inbound: [{ ...anybody, to: { ports: [{ from: 1, to: 2 }] } }] };
    const state: PolicyState = {
      profiles: new Map([bad, profile('a', ['allow from tag bad'])].map((one) => [one.name, one])),
      endpoints: [
        { id: 'task', address: '10.0.0.1', profiles: ['a'] },
        { id: 'peer', address: '10.0.0.2', profiles: ['bad'] },
      ],
    };
    expect(evaluate(state, 'peer', 'task', web)).toMatchObject({ allow: false, inbound: { allow: true } });
  });
});

describe('what a rule asks', () => {
  test('case 23: tag and CIDR in one rule must both hold', () => {
    const t = profile('t', []);
    const state: PolicyState = {
      profiles: new Map([t, profile('a', ['allow from tag t cidr 10.0.0.0/24'])].map((one) => [one.name, one])),
      endpoints: [
        { id: 'task', address: '10.0.0.1', profiles: ['a'] },
        { id: 'both', address: '10.0.0.2', profiles: ['t'] },
        { id: 'tag', address: '10.0.1.2', profiles: ['t'] },
        { id: 'cidr', address: '10.0.0.3', profiles: ['a'] },
      ],
    };
    const inbound = (from: string) => evaluate(state, from, 'task', web).inbound.allow;
    expect([inbound('both'), inbound('tag'), inbound('cidr'), inbound('10.0.0.99')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('case 24, without the negation: a tag that nobody carries holds for nobody', () => {
    expect(into(task([profile('a', ['allow from tag nope'])])).allow).toBe(false);
    expect(into(task([profile('a', ['deny from tag nope', anybody])])).allow).toBe(true);
  });

  test('case 26: any of twenty ports', () => {
    const ports = Array.from({ length: 20 }, (_, index) => 1000 + 7 * index);
    const state = task([profile('a', [`allow tcp to ports ${ports.join()}`])]);
    for (let port = 990; port < 1140; port++) {
      expect(into(state, { ...web, port }).allow, `port ${port}`).toBe(ports.includes(port));
    }
  });

  test('an address is in its tag whatever else its profiles say', () => {
    const state = task([profile('a', ['allow from tag a'])]);
    const two = {
      ...state,
      endpoints: [...state.endpoints, { id: 'b', address: '10.0.0.2', profiles: ['gone', 'a'] }],
    };
    // The missing profile closes the peer's own chains, but not its membership.
    expect(evaluate(two, 'b', 'task', web)).toMatchObject({
      allow: false,
      outbound: { because: { kind: 'missing profile' } },
      inbound: { allow: true },
    });
  });

  test('a task always reaches its own address', () => {
    const state = task([profile('a', [nobody])]);
    expect(evaluate(state, 'task', '10.0.0.1', web)).toMatchObject({
      allow: true,
      inbound: { because: { kind: 'own address' } },
    });
  });
});

describe('hosts and net-groups of the classic channel', () => {
  const channel = channels.classic;
  const h1 = { name: 'h1', address: '10.1.0.1' };
  const h2 = { name: 'h2', address: '10.1.0.2' };
  const group = (name: string) => ({ name, containerizer: 'mesos' }) as const;
  const world = (tasks: readonly { id: string; groups: readonly string[]; on: typeof h1 }[]): PolicyState => ({
    profiles: new Map(
      [...['A', 'B'].map((name) => networkProfile(group(name), channel)), hostProfile(h1), hostProfile(h2)].map(
        (one) => [one.name, one],
      ),
    ),
    endpoints: tasks.map(({ id, groups, on }, index) => ({
      id,
      address: `192.168.0.${index + 1}`,
      profiles: endpointProfiles({ networks: groups.map(group), host: on }, channel),
    })),
  });

  test('case 29: another host does not reach a task that denies all', () => {
    expect(into(task([profile('a', [nobody])]), web, h2.address).allow).toBe(false);
  });

  test('case 31: two groups on one task meet a peer of one of them, both ways', () => {
    const state = world([
      { id: 'both', groups: ['A', 'B'], on: h1 },
      { id: 'peer', groups: ['B'], on: h2 },
      { id: 'other', groups: ['A'], on: h2 },
    ]);
    const allow = (from: string, to: string) => evaluate(state, from, to, web).allow;
    expect([allow('both', 'peer'), allow('peer', 'both')]).toEqual([true, true]);
    expect([allow('other', 'both'), allow('other', 'peer'), allow('peer', 'other')]).toEqual([true, false, false]);
  });

  test('case 32: a task in a group is closed to another host, and open to its own by default_<host>', () => {
    const state = world([{ id: 'task', groups: ['A'], on: h1 }]);
    expect(evaluate(state, h2.address, 'task', web).allow).toBe(false);
    const own = evaluate(state, h1.address, 'task', web);
    expect(say(own)).toBe('allowed by default_h1 inbound rule 1 (allow from cidr 10.1.0.1/32)');
  });

  test('case 33: a host that moves is no longer admitted, for profiles are never renewed', () => {
    const state = world([{ id: 'task', groups: ['A'], on: h1 }]);
    expect(evaluate(state, '10.1.0.77', 'task', web).allow).toBe(false);
    // And an executor that has default_h1 only does not reach its agent.
    const executor = (address: string): PolicyState => ({
      ...world([]),
      endpoints: [{ id: 'task', address: '192.168.0.1', profiles: ['default_h1'], host: 'h1' }],
      hosts: [{ name: 'h1', addresses: [address] }],
    });
    const agent = (address: string) => evaluate(executor(address), 'task', 'h1', { ...web, port: 5051 }).allow;
    expect([agent(h1.address), agent('10.1.0.77')]).toEqual([true, false]);
  });

  test('case 37: a network called like another’s profile is not guessed at', () => {
    const result = compile({
      channel,
      networks: [group('web'), { name: 'ng_web', containerizer: 'docker' }],
      documents: [{ file: 'f', title: '', profiles: { ng_web: { inbound: [] } }, expect: [] }],
      endpoints: [],
    });
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(['ambiguous-name']);
  });
});

const python = '1.4.0';
const go = '2.6.8';
const toTcp: Rule = { action: 'allow', protocol: 'tcp', from: {}, to: {} };
const toPing: Rule = { action: 'allow', protocol: 'icmp', icmp: { type: 8 }, from: {}, to: {} };
const pass: Rule = { action: 'next-tier', from: {}, to: {} };

function felixOf(version: string) {
  const found = felix(version);
  if (found === undefined) throw new Error(`there is no Felix ${version}`);
  return found;
}

/** Whether an IPv6 packet gets in, by version of Felix. */
function into6(inbound: readonly Rule[], version: string, packet: AnyPacket = web) {
  const state = task([profile('a', inbound)]);
  const [one] = state.endpoints;
  const both = { ...state, endpoints: [{ ...one!, address6: 'fd00::1' }] };
  return evaluate(both, '2001:db8::9', 'task', packet, felixOf(version)).allow;
}

/** Whether an IPv4 packet gets in. */
function into4(inbound: readonly Rule[], version: string, packet: AnyPacket = web) {
  return evaluate(task([profile('a', inbound)]), outsider, 'task', packet, felixOf(version)).allow;
}

/** The rules of profile `a`, as JSON in etcd, on one endpoint. */
function inEtcd(rules: unknown, version: string) {
  return readEtcd(
    {
      '/calico/v1/policy/profile/a/tags': ['a'],
      '/calico/v1/policy/profile/a/rules': rules,
      '/calico/v1/host/h1/workload/mesos/w/endpoint/task': {
        state: 'active',
        name: 'cali1',
        profile_ids: ['a'],
        ipv4_nets: ['10.0.0.1/32'],
      },
    },
    felixOf(version),
  );
}

/** Whether TCP 80 comes in, and whether it gets out, with these rules in etcd. */
function through(rules: unknown, version: string) {
  const { state } = inEtcd(rules, version);
  const one = felixOf(version);
  return [evaluate(state, outsider, 'task', web, one).allow, evaluate(state, 'task', outsider, web, one).allow];
}

const open = { inbound_rules: [{}], outbound_rules: [{}] };
const withPorts = (ports: unknown, protocol: unknown = 'tcp') => ({
  ...open,
  inbound_rules: [{ protocol, dst_ports: ports }],
});

describe('IPv6, and rules for IPv4 that stand beside it', () => {
  const cidr = '10.9.0.0/16';

  test('case 5: an IPv4 CIDR vanishes in Python’s IPv6 chain, and lets everything in', () => {
    const rules: Rule[] = [{ action: 'allow', from: { cidr }, to: {} }];
    expect([into6(rules, python), into6(rules, go), into6(rules, 'plain')]).toEqual([true, false, false]);
  });

  test('case 6: so does a deny, and shuts everything out', () => {
    const rules: Rule[] = [{ action: 'deny', from: { cidr }, to: {} }, anybody];
    expect([into6(rules, python), into6(rules, go), into6(rules, 'plain')]).toEqual([false, true, true]);
  });

  test('case 7: and so does a negated one', () => {
    const rules: Rule[] = [{ action: 'allow', from: { not: { cidr: '10.0.0.0/8' } }, to: {} }];
    expect([into6(rules, python), into6(rules, go), into6(rules, 'plain')]).toEqual([true, false, false]);
  });

  test('case 8: an ICMP type becomes a drop of everything in Python’s IPv6 chain', () => {
    expect([into6([toPing, toTcp], python), into6([toTcp, toPing], python)]).toEqual([false, true]);
    expect([into6([toPing, toTcp], go), into6([toPing, toTcp], 'plain')]).toEqual([true, true]);
    expect([into4([toPing, toTcp], python), into4([toPing, toTcp], python, ping)]).toEqual([true, true]);
  });

  test('case 9: ICMP without a type does not', () => {
    const rules: Rule[] = [{ action: 'allow', protocol: 'icmp', from: {}, to: {} }, toTcp];
    for (const version of [python, go, 'plain']) expect(into6(rules, version), version).toBe(true);
  });

  test('the decision names the quirk, and without it comes out the other way', () => {
    const state = task([profile('a', [toPing, toTcp])]);
    const six = { ...state, endpoints: [{ ...state.endpoints[0]!, address6: 'fd00::1' }] };
    const one = felixOf(python);
    const { inbound } = evaluate(six, '2001:db8::9', 'task', web, one);
    expect(inbound.because).toMatchObject({ kind: 'rule', position: 1, quirk: 'icmp-type-drops-ipv6' });
    const cured = without(without(one, 'icmp-type-drops-ipv6'), 'stray-icmp-type-vanishes');
    expect(evaluate(six, '2001:db8::9', 'task', web, cured).allow).toBe(true);
  });
});

describe('what one Felix takes and another does not', () => {
  test('case 10: ICMP type 255 becomes a drop in Python’s Felix, and cuts the profile off in Go’s', () => {
    const rules: Rule[] = [{ ...toPing, icmp: { type: 255 } }, anybody];
    expect([into4(rules, python), into4(rules, go)]).toEqual([false, false]);
    const state = task([profile('a', rules)]);
    const out = (version: string) => evaluate(state, 'task', outsider, web, felixOf(version)).allow;
    expect([out(python), out(go)]).toEqual([true, false]);
    expect([into4([anybody, rules[0]!], python), into4([anybody, rules[0]!], go)]).toEqual([true, false]);
  });

  test.each(['sctp', 6, '6', 'udplite'])(
    'case 11: ports of protocol %j become a drop in Python’s Felix',
    (protocol) => {
      const rules = { ...open, inbound_rules: [{ protocol, dst_ports: [99] }, {}] };
      expect(through(rules, python)).toEqual([false, true]);
      const last = { ...open, inbound_rules: [{}, { protocol, dst_ports: [99] }] };
      expect(through(last, python)).toEqual([true, true]);
      // Go's Felix knows 6 as tcp, and throws the profile away for the others.
      const tcp = protocol === 6 || protocol === '6';
      expect(through(last, go)).toEqual([tcp, tcp]);
    },
  );

  test('case 12: "80:80" cuts the whole profile off in Python’s Felix, and is port 80 in Go’s', () => {
    expect([through(withPorts(['80:80']), python), through(withPorts(['80:80']), go)]).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(inEtcd(withPorts(['80:80']), python).faults).toEqual([
      {
        key: '/calico/v1/policy/profile/a/rules',
        effect: 'missing',
        reason: 'inbound rule 1: "80:80" in dst_ports is no port and no range of ports',
      },
    ]);
    expect(inEtcd(withPorts(['80:80']), go).faults).toEqual([]);
  });

  test('case 13: port 0 is a port in Python’s Felix, and cuts the profile off in Go’s', () => {
    expect([through(withPorts([0, 80]), python), through(withPorts([0, 80]), go)]).toEqual([
      [true, true],
      [false, false],
    ]);
  });

  test('case 14: ports without a protocol are invalid; no ports, and null, are every port', () => {
    expect(through(withPorts([80], null), python)).toEqual([false, false]);
    // Without a protocol Python's Felix minds even an empty list.
    expect([through(withPorts([], null), python), through(withPorts([], null), go)]).toEqual([
      [false, false],
      [true, true],
    ]);
    expect([through(withPorts([]), python), through(withPorts(null), python)]).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  test('case 15: an ICMP type written as text cuts the profile off, both ways', () => {
    const rules = { ...open, inbound_rules: [{}, { protocol: 'icmp', icmp_type: '8' }] };
    for (const version of felixVersions) expect(through(rules, version), version).toEqual([false, false]);
  });

  test('case 16: an unknown key cuts the profile off, and so does a feature that came later', () => {
    const after = (rule: object) => ({ ...open, inbound_rules: [{}, rule] });
    for (const version of felixVersions.filter((one) => one.startsWith('1.'))) {
      expect(through(after({ source_tag: 'a' }), version), version).toEqual([false, false]);
    }
    const [old, tiers, negation] = ['1.3.0', '1.4.0b1', '1.4.0b2'];
    const negated = after({ '!src_tag': 'a' });
    const selected = after({ src_selector: 'all()' });
    expect([through(negated, old), through(negated, tiers), through(negated, negation)]).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect([through(selected, old), through(selected, tiers)]).toEqual([
      [false, false],
      [true, true],
    ]);
    // Go's JSON reader does not see the key: the rule matches without it, and the reader says so.
    const { faults } = inEtcd(after({ source_tag: 'a' }), go);
    expect(faults.map(({ effect }) => effect)).toEqual(['ignored']);
  });

  test('case 17: outbound_rules may be missing from 1.4.2 on, and then lets nothing out', () => {
    const inboundOnly = { inbound_rules: [{}] };
    expect(through(inboundOnly, '1.3.0')).toEqual([false, false]);
    expect(through(inboundOnly, '1.4.0')).toEqual([false, false]);
    expect(through(inboundOnly, '1.4.2')).toEqual([true, false]);
    expect(through(inboundOnly, go)).toEqual([true, false]);
  });

  test('case 18: next-tier leaves the profile, where it is known at all', () => {
    const a = profile('a', [pass, anybody]);
    const b = profile('b', [anybody]);
    const allowed = (version: string, ...profiles: Profile[]) =>
      evaluate(task(profiles), outsider, 'task', web, felixOf(version)).inbound;
    expect(allowed('1.3.0', a, b).because).toEqual({ kind: 'missing profile', profile: 'a' });
    expect(allowed(python, a).because).toEqual({ kind: 'no rule matched', profiles: ['a'] });
    expect(allowed(python, a, b)).toMatchObject({ allow: true, because: { profile: 'b' } });
  });
});

describe('tiers', () => {
  const tier = (name: string, rules: Partial<Record<Direction, readonly Rule[]>>, selector = 'all()'): Tier => ({
    name,
    policies: [{ name: `p-${name}`, selector, inbound: [anybody], outbound: [anybody], ...rules }],
  });
  /** Passes UDP on, and then allows everything. */
  const leaky = profile('leaky', [{ action: 'next-tier', protocol: 'udp', from: {}, to: {} }, anybody]);

  test('the mark is forgotten where a tier begins: what one tier has passed on, the next one has to decide', () => {
    const two = [tier('t1', { inbound: [pass] }), tier('t2', { inbound: [toPing] })];
    const state = { ...task([profile('a', [anybody])]), tiers: two };
    expect(into(state).inbound.because).toEqual({ kind: 'no policy passed', tier: 't2', policies: ['p-t2'] });
    expect(into(state, ping).allow).toBe(true);
  });

  test('case 19: after a next-tier in a tier, a next-tier rule ends the profile for every packet', () => {
    const state = task([leaky]);
    const tiered = { ...state, tiers: [tier('t', { inbound: [pass] })] };
    expect(into(tiered)).toMatchObject({ allow: false, inbound: { because: { kind: 'no rule matched' } } });
    expect(into(state).allow).toBe(true);
    for (const version of [python, '2.1.1']) {
      expect(evaluate(tiered, outsider, 'task', web, felixOf(version)).allow, version).toBe(false);
    }
    expect(evaluate(tiered, outsider, 'task', web, without(plainFelix, 'next-tier-mark-leaks')).allow).toBe(true);
  });

  test('case 20: on one host the mark of the source comes along', () => {
    const source = profile('source', []);
    const state = (host: string): PolicyState => ({
      profiles: new Map([leaky, source].map((one) => [one.name, one])),
      endpoints: [
        { id: 'source', address: '10.0.0.2', profiles: ['source'], host: 'h1', labels: { role: 'source' } },
        { id: 'task', address: '10.0.0.1', profiles: ['leaky'], host },
      ],
      tiers: [tier('t', { outbound: [pass] }, 'role == "source"')],
    });
    const ask = (host: string) => evaluate(state(host), 'source', 'task', web);
    expect(ask('h1')).toMatchObject({ allow: false, outbound: { allow: true }, inbound: { allow: false } });
    expect(ask('h2').allow).toBe(true);
    const cured = without(plainFelix, 'next-tier-mark-leaks');
    expect(evaluate(state('h1'), 'source', 'task', web, cured).allow).toBe(true);
  });

  test('case 21: a policy that selects an endpoint, and of which no rule matches, denies', () => {
    const state = { ...task([profile('a', [anybody])]), tiers: [tier('t', { inbound: [toPing] })] };
    expect(into(state).inbound.because).toEqual({ kind: 'no policy passed', tier: 't', policies: ['p-t'] });
    expect(into(state, ping).allow).toBe(true);
    // A tier that does not select it is not there.
    expect(into({ ...state, tiers: [tier('t', { inbound: [] }, 'has(role)')] }).allow).toBe(true);
  });

  test('case 22: a policy that allows is not asked again by a profile', () => {
    const state = { ...task([profile('a', [nobody])]), tiers: [tier('t', {})] };
    expect(into(state)).toMatchObject({
      allow: true,
      inbound: { because: { kind: 'policy rule', tier: 't', policy: 'p-t', position: 1 } },
    });
    expect(say(into(state))).toBe('allowed by the policy p-t of t inbound rule 1 (allow)');
  });

  test('tiers and policies go by order, then by name, and without an order come last', () => {
    const deny = { ...tier('b', { inbound: [nobody] }), order: 2 };
    const first = (...tiers: Tier[]) => into({ ...task([profile('a', [anybody])]), tiers }).inbound.because;
    expect(first(deny, { ...tier('c', {}), order: 1 })).toMatchObject({ tier: 'c' });
    expect(first(deny, { ...tier('a', {}), order: 2 })).toMatchObject({ tier: 'a' });
    expect(first(deny, tier('a', {}))).toMatchObject({ tier: 'b' });
  });
});

describe('negation', () => {
  const not = (match: NonNullable<Rule['from']['not']>): Rule => ({ ...anybody, from: { not: match } });

  test('case 24: whoever is not in a tag that nobody carries is everybody', () => {
    expect(into(task([profile('a', [not({ tag: 'nope' })])])).allow).toBe(true);
  });

  test('case 25: type and code are negated as a pair', () => {
    const rule: Rule = { action: 'allow', protocol: 'icmp', from: {}, to: {}, not: { icmp: { type: 8, code: 0 } } };
    const state = task([profile('a', [rule])]);
    expect(into(state, { ...ping, code: 1 }).allow).toBe(true);
    expect(into(state, ping).allow).toBe(false);
  });

  test('case 26: none of twenty negated ports', () => {
    const numbers = Array.from({ length: 20 }, (_, index) => 1000 + 7 * index);
    const ports = numbers.map((one) => ({ from: one, to: one }));
    const state = task([profile('a', [{ ...toTcp, to: { not: { ports } } }])]);
    for (let port = 990; port < 1140; port++) {
      expect(into(state, { ...web, port }).allow, `port ${port}`).toBe(!numbers.includes(port));
    }
  });

  test('a negated selector also holds for outsiders', () => {
    const state = task([profile('a', [not({ selector: 'all()' })])]);
    const peer = { id: 'peer', address: '10.0.0.2', profiles: ['a'] };
    const two = { ...state, endpoints: [...state.endpoints, peer] };
    expect([into(two).inbound.allow, into(two, web, 'peer').inbound.allow]).toEqual([true, false]);
  });
});

describe('hosts and their own tasks', () => {
  const closed: Profile = { ...profile('a', [nobody]), outbound: [nobody] };
  const world = (endpointToHost?: 'DROP' | 'RETURN' | 'ACCEPT', outbound: readonly Rule[] = [nobody]): PolicyState => ({
    profiles: new Map([['a', { ...closed, outbound }]]),
    endpoints: [{ id: 'task', address: '10.0.0.1', address6: 'fd00::1', profiles: ['a'], host: 'h1' }],
    hosts: [
      { name: 'h1', addresses: ['10.1.0.1', 'fd01::1'], ...(endpointToHost === undefined ? {} : { endpointToHost }) },
      { name: 'h2', addresses: ['10.1.0.2'] },
    ],
  });
  const dns: Packet = { protocol: 'udp', sourcePort: 40000, port: 53 };

  test('case 29: the own host reaches a task that denies all, another host does not', () => {
    expect(evaluate(world(), 'h1', 'task', web)).toMatchObject({
      allow: true,
      inbound: { because: { kind: 'own host' } },
    });
    expect(evaluate(world(), 'h2', 'task', web).allow).toBe(false);
  });

  test('case 30: Python’s Felix lets DNS to the own host through whatever the rules and the action say', () => {
    for (const action of ['DROP', 'RETURN', 'ACCEPT'] as const) {
      const ask = (version: string) => evaluate(world(action), 'task', 'h1', dns, felixOf(version)).allow;
      expect([ask(python), ask(go)], action).toEqual([true, false]);
    }
    expect(evaluate(world(), 'task', 'h2', dns, felixOf(python)).allow).toBe(false);
    // So it does with DHCP, of each IP version on its own ports.
    const dhcp = (to: string, sourcePort: number, port: number) =>
      evaluate(world('DROP'), 'task', to, { protocol: 'udp', sourcePort, port }, felixOf(python)).allow;
    expect([dhcp('10.1.0.1', 68, 67), dhcp('10.1.0.1', 546, 547), dhcp('10.1.0.1', 67, 67)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([dhcp('fd01::1', 546, 547), dhcp('fd01::1', 68, 67)]).toEqual([true, false]);
  });

  test('to its own host a task gets by its outbound rules, unless the action is DROP', () => {
    const ask = (action: 'DROP' | 'RETURN' | 'ACCEPT' | undefined, outbound: readonly Rule[]) =>
      evaluate(world(action, outbound), 'task', '10.1.0.1', web).allow;
    expect([
      ask(undefined, [anybody]),
      ask('RETURN', [anybody]),
      ask('ACCEPT', [anybody]),
      ask('DROP', [anybody]),
    ]).toEqual([true, true, true, false]);
    expect([ask(undefined, []), ask('ACCEPT', [nobody])]).toEqual([false, false]);
  });

  test('the neighbours of IPv6 are found in any case', () => {
    const ask = (type: number) =>
      evaluate(world('DROP'), 'task', 'fd01::1', { protocol: 'icmpv6', type, code: 0 }).allow;
    expect([ask(135), ask(128)]).toEqual([true, false]);
  });

  test('case 32: a task in a net-group is reached by its own host, which nobody polices, and by no other', () => {
    const { a, h1, h2 } = {
      a: networkProfile({ name: 'A', containerizer: 'mesos' }, channels.classic),
      h1: 'h1',
      h2: 'h2',
    };
    const state: PolicyState = { ...world(), profiles: new Map([['a', { ...a, name: 'a' }]]) };
    expect([evaluate(state, h1, 'task', web).allow, evaluate(state, h2, 'task', web).allow]).toEqual([true, false]);
  });
});

describe('what a version of the software does beside the rules', () => {
  const having = (quirk: Quirk) => felixVersions.filter((version) => felixOf(version).quirks.has(quirk));

  test('case 28: up to 1.4.0b2 replies die on a host whose FORWARD policy is DROP', () => {
    expect(having('established-returns')).toEqual(['1.3.0', '1.4.0b1', '1.4.0b2']);
    const state = (forward: 'ACCEPT' | 'DROP'): PolicyState => ({
      profiles: new Map([['a', profile('a', [anybody])]]),
      endpoints: [
        { id: 'source', address: '10.0.0.1', profiles: ['a'], host: 'h1' },
        { id: 'target', address: '10.0.0.2', profiles: ['a'], host: 'h2' },
        { id: 'fine', address: '10.0.0.3', profiles: ['a'], host: 'h1' },
      ],
      hosts: [
        { name: 'h1', addresses: ['10.1.0.1'] },
        { name: 'h2', addresses: ['10.1.0.2'], forward },
      ],
    });
    const dies = (forward: 'ACCEPT' | 'DROP', version: string, [from, to]: readonly [string, string]) => {
      const { allow, repliesDie = false } = evaluate(state(forward), from, to, web, felixOf(version));
      expect(allow).toBe(true);
      return repliesDie;
    };
    for (const pair of [
      ['source', 'target'],
      ['target', 'source'],
      [outsider, 'target'],
      ['target', 'h1'],
    ] as const) {
      expect(dies('DROP', '1.4.0b2', pair), pair.join()).toBe(true);
      expect([dies('DROP', '1.4.0', pair), dies('ACCEPT', '1.4.0b2', pair)], pair.join()).toEqual([false, false]);
    }
    // Nothing between a host and its own tasks is forwarded.
    for (const pair of [
      ['source', 'fine'],
      ['h2', 'target'],
      ['target', 'h2'],
    ] as const) {
      expect(dies('DROP', '1.4.0b2', pair), pair.join()).toBe(false);
    }
    expect(say(evaluate(state('DROP'), 'source', 'target', web, felixOf('1.4.0b2')))).toBe(
      'allowed by a inbound rule 1 (allow); but replies die in the FORWARD chain of a host',
    );
  });

  test('case 34: Python’s Felix does not notice that only the order of profiles changed', () => {
    expect(having('profile-order-kept')).toEqual(felixVersions.filter((version) => version.startsWith('1.')));
    // And the order does decide.
    const [deny, allow] = [profile('deny', [nobody]), profile('allow', [anybody])];
    const [before, after] = [task([deny, allow]), task([deny, allow], ['allow', 'deny'])];
    expect(into(before).allow).not.toBe(into(after).allow);
    const codes = (version: string) => orderKept(before, after, felixOf(version)).map(({ code }) => code);
    expect([codes(python), codes(go)]).toEqual([['profile-order-kept'], []]);
  });

  test('case 36: calicoctl of the classic channel cannot write a range of ports', () => {
    const range = rule('allow tcp to ports 80:90');
    const codes = (channel: 'classic' | 'current') => ruleCautions(range, channels[channel]).map(({ code }) => code);
    expect([codes('classic'), codes('current')]).toEqual([['port-range-crashes-calicoctl'], []]);
  });

  test('case 41: the annotation’s "allow icmp type 8" is case 15', () => {
    const written = { ...open, inbound_rules: [{ action: 'allow', protocol: 'icmp', icmp_type: '8' }] };
    expect(inEtcd(written, python).faults[0]?.reason).toBe('inbound rule 1: the ICMP type "8" is no number');
  });
});
