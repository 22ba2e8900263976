/**
 * The tricky cases of Calico v1 profiles under the numbers of the project's specification, as far as they concern IPv4
 * and no single version of Felix: 1 to 4, 10 to 17, 23, 26, 29, 31 to 33, 37. The others need tiers, selectors,
 * negation, IPv6, a kernel, or the mind of one Felix or calicoctl version.
 */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../modules/policy/compile.ts';
import { describe as say } from '../../../modules/policy/describe.ts';
import { evaluate } from '../../../modules/policy/evaluate.ts';
import type { Packet, PolicyState, Profile, Rule } from '../../../modules/policy/model.ts';
import { endpointProfiles, hostProfile, networkProfile } from '../../../modules/policy/network.ts';
import { parseRule } from '../../../modules/policy/rule.ts';
import { channels } from '../../../modules/release/channels.ts';

const web: Packet = { protocol: 'tcp', sourcePort: 40000, port: 80 };
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
