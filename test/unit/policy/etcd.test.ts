import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEtcd, toEtcd } from '../../../modules/policy/etcd.ts';
import { felix } from '../../../modules/policy/felix.ts';
import type { Peer, PolicyState } from '../../../modules/policy/model.ts';
import { profileFault } from '../../../modules/policy/valid.ts';
import { Refusal } from '../../../modules/problem/problem.ts';
import { wholeState } from './arbitrary.ts';

const python = felix('1.4.0')!;
const go = felix('2.6.8')!;
const profile = '/calico/v1/policy/profile/web';
const tier = '/calico/v1/policy/tier/t';
const endpoint = '/calico/v1/host/h1/workload/libnetwork/w/endpoint/e1';
const good = {
  state: 'active',
  name: 'cali0123456789a',
  mac: 'ee:ee:ee:ee:ee:ee',
  profile_ids: ['web'],
  ipv4_nets: ['192.168.0.1/32'],
  ipv6_nets: ['fd80::1/128'],
  labels: { role: 'db' },
};
const open = { inbound_rules: [{}], outbound_rules: [{ action: 'allow' }] };

test('what libcalico writes is read', () => {
  const { state, faults } = readEtcd(
    {
      [`${profile}/tags`]: ['web', 'all'],
      [`${profile}/rules`]: {
        inbound_rules: [
          { protocol: 'tcp', src_tag: 'web', dst_ports: [80, '8000:8080'], action: 'allow' },
          { '!src_net': 'fd80::/16', '!protocol': '47', ip_version: 6, action: 'deny', log_prefix: 'x', src_tag: null },
        ],
        outbound_rules: [{ protocol: 'icmp', icmp_type: 8, icmp_code: 0, dst_selector: 'has(role)' }],
      },
      [`${profile}/labels`]: { stage: 'live' },
      [`${tier}/metadata`]: { order: 50 },
      [`${tier}/policy/p`]: { selector: 'role == "db"', order: 'default', ...open },
      [endpoint]: good,
      '/calico/v1/host/h1/bird_ip': '10.0.0.1',
      '/calico/v1/host/h1/config/DefaultEndpointToHostAction': 'RETURN',
      '/calico/v1/host/h2/bird_ip': '10.0.0.2',
      '/calico/v1/ipam/v4/pool/192.168.0.0-16': { cidr: '192.168.0.0/16', ipip: 'tunl0', masquerade: true },
      '/calico/v1/Ready': true,
    },
    python,
  );
  expect(faults).toEqual([]);
  expect(state).toEqual({
    profiles: new Map([
      [
        'web',
        {
          name: 'web',
          tags: ['web', 'all'],
          labels: { stage: 'live' },
          inbound: [
            {
              action: 'allow',
              protocol: 'tcp',
              from: { tag: 'web' },
              to: {
                ports: [
                  { from: 80, to: 80 },
                  { from: 8000, to: 8080 },
                ],
              },
            },
            { action: 'deny', ipVersion: 6, from: { not: { cidr: 'fd80::/16' } }, to: {}, not: { protocol: 47 } },
          ],
          outbound: [
            { action: 'allow', protocol: 'icmp', icmp: { type: 8, code: 0 }, from: {}, to: { selector: 'has(role)' } },
          ],
        },
      ],
    ]),
    tiers: [
      {
        name: 't',
        order: 50,
        policies: [
          {
            name: 'p',
            selector: 'role == "db"',
            inbound: [{ action: 'allow', from: {}, to: {} }],
            outbound: [{ action: 'allow', from: {}, to: {} }],
          },
        ],
      },
    ],
    endpoints: [
      {
        id: 'e1',
        address: '192.168.0.1',
        address6: 'fd80::1',
        profiles: ['web'],
        labels: { role: 'db' },
        host: 'h1',
      },
    ],
    hosts: [
      { name: 'h1', addresses: ['10.0.0.1'], endpointToHost: 'RETURN' },
      // Felix' own default, where nobody wrote another.
      { name: 'h2', addresses: ['10.0.0.2'], endpointToHost: 'DROP' },
    ],
    pools: [{ cidr: '192.168.0.0/16', masquerade: true }],
  });
});

describe('what is invalid is missing, and named', () => {
  const key = `${profile}/rules`;

  test.each([
    ['no object', [], 'it is no object'],
    ['no list', { ...open, inbound_rules: {} }, 'inbound_rules is no list'],
    ['a missing list', { inbound_rules: [] }, 'outbound_rules is missing'],
    ['a rule that is none', { ...open, inbound_rules: ['allow'] }, 'inbound rule 1: it is no object'],
    ['an unknown key', { ...open, inbound_rules: [{ src: 'a' }] }, 'inbound rule 1: the key "src" is unknown'],
    [
      'an unknown action',
      { ...open, outbound_rules: [{}, { action: 'drop' }] },
      'outbound rule 2: there is no action "drop"',
    ],
    [
      'a log prefix that is no text',
      { ...open, inbound_rules: [{ log_prefix: 5 }] },
      'inbound rule 1: log_prefix is 5, which is no text',
    ],
    ['IP version 5', { ...open, inbound_rules: [{ ip_version: 5 }] }, 'inbound rule 1: there is no IP version 5'],
    [
      'protocol dccp',
      { ...open, inbound_rules: [{ protocol: 'dccp' }] },
      'inbound rule 1: there is no protocol "dccp"',
    ],
    [
      'a code without a type',
      { ...open, inbound_rules: [{ '!icmp_code': 1 }] },
      'inbound rule 1: an ICMP code needs a type',
    ],
    [
      'a tag that is no text',
      { ...open, inbound_rules: [{ src_tag: 1 }] },
      'inbound rule 1: src_tag is 1, which is no text',
    ],
    ['ports that are no list', { ...open, inbound_rules: [{ dst_ports: 80 }] }, 'inbound rule 1: dst_ports is no list'],
    [
      'a bad network',
      { ...open, inbound_rules: [{ src_net: '10.0.0.0/40' }] },
      'inbound rule 1 (allow from cidr 10.0.0.0/40): "10.0.0.0/40" is no IPv4 network',
    ],
  ])('rules: %s', (_, rules, reason) => {
    const { state, faults } = readEtcd({ [`${profile}/tags`]: ['web'], [key]: rules }, python);
    expect(faults).toEqual([{ key, effect: 'missing', reason }]);
    const web = state.profiles.get('web')!;
    expect([web.tags, profileFault(web)]).toEqual([['web'], reason]);
  });

  test('a profile with tags only has no rules', () => {
    const { state, faults } = readEtcd({ [`${profile}/tags`]: ['web'] }, python);
    expect([profileFault(state.profiles.get('web')!), faults]).toEqual(['it has no rules in etcd', []]);
  });

  test.each([
    ['no name', { name: undefined }, 'missing is no name of an interface'],
    ['a bad state', { state: 'up' }, 'the state is "up", not active or inactive'],
    ['a bad profile', { profile_ids: ['a/b'] }, '"a/b" cannot be a profile'],
    ['a bad address', { ipv4_nets: ['192.168.0/24/1'] }, '"192.168.0/24/1" is no network'],
    ['labels that are no texts', { labels: { role: 1 } }, 'the label "role" is 1, which is no text'],
  ])('endpoints: %s', (_, change, reason) => {
    const { state, faults } = readEtcd({ [endpoint]: { ...good, ...change } }, python);
    expect([state.endpoints, faults]).toEqual([[], [{ key: endpoint, effect: 'missing', reason }]]);
  });

  test.each([
    ['no selector', { ...open }, 'a policy needs a selector'],
    [
      'a bad selector',
      { ...open, selector: 'role' },
      '"role" is no selector: The end stands where "==", "!=", "in" or "not in" is due, after the label "role".',
    ],
    ['a bad order', { ...open, selector: '', order: 'first' }, 'the order is "first", not a number or "default"'],
    ['bad rules', { selector: '', inbound_rules: [], outbound_rules: 1 }, 'outbound_rules is no list'],
  ])('policies: %s', (_, policy, reason) => {
    const { state, faults } = readEtcd({ [`${tier}/policy/p`]: policy }, python);
    expect(state.tiers).toEqual([{ name: 't', policies: [] }]);
    expect(faults).toEqual([{ key: `${tier}/policy/p`, effect: 'missing', reason }]);
  });

  test('tags, labels, orders, actions, addresses and pools', () => {
    const bad = {
      [`${profile}/tags`]: 'web',
      [`${profile}/labels`]: { 'a b': 'x' },
      [`${profile}/rules`]: open,
      [`${tier}/metadata`]: 'default',
      '/calico/v1/host/h1/config/DefaultEndpointToHostAction': 'REJECT',
      '/calico/v1/host/h1/bird_ip': 'h1.example',
      '/calico/v1/ipam/v4/pool/x': { cidr: 'x' },
    };
    const { state, faults } = readEtcd(bad, python);
    expect(faults.map((fault) => fault.key).sort()).toEqual(
      Object.keys(bad)
        .filter((one) => !one.endsWith('rules'))
        .sort(),
    );
    expect(state.profiles.get('web')).toMatchObject({ tags: [], inbound: [{ action: 'allow' }] });
    expect(state.hosts).toEqual([{ name: 'h1', addresses: [], endpointToHost: 'DROP' }]);
  });
});

describe('what Go’s Felix reads otherwise', () => {
  test('unknown keys and empty texts are not seen', () => {
    const { state, faults } = readEtcd(
      { [`${profile}/rules`]: { inbound_rules: [{ src: 'a', src_tag: '', src_selector: '' }] } },
      go,
    );
    expect(state.profiles.get('web')).toMatchObject({ inbound: [{ action: 'allow', from: {}, to: {} }], outbound: [] });
    expect(faults).toEqual([
      { key: `${profile}/rules`, effect: 'ignored', reason: 'inbound rule 1: the key "src" is unknown, and not seen' },
    ]);
  });

  test('an endpoint without a state is inactive, a policy without a selector is for all', () => {
    const stateless = { ...good, state: undefined };
    const read = readEtcd({ [endpoint]: stateless, [`${tier}/policy/p`]: open }, go);
    expect([read.state.endpoints[0]?.state, read.state.tiers?.[0]?.policies[0]?.selector]).toEqual(['inactive', '']);
    expect(readEtcd({ [endpoint]: stateless }, python).state.endpoints).toEqual([]);
  });
});

test('lists of networks become a rule for each, and for each IP version', () => {
  const rule = { src_nets: ['10.0.0.0/8', 'fd00::/8'], '!src_nets': ['10.1.0.0/16', '10.2.0.0/16', 'fd00:1::/32'] };
  const { state } = readEtcd(
    { [`${profile}/rules`]: { inbound_rules: [rule], outbound_rules: [{ '!dst_nets': ['10.0.0.0/8'] }] } },
    go,
  );
  const [name] = state.profiles.keys();
  const { inbound, outbound } = state.profiles.get(name!)!;
  const holds = (address: string) => inbound.some(({ from }) => inside(from, address));
  const inside = ({ cidr, not }: Peer, address: string): boolean => {
    const list = (net: string) => {
      const block = new BlockList();
      block.addSubnet(net.split('/')[0]!, Number(net.split('/')[1]), net.includes(':') ? 'ipv6' : 'ipv4');
      return block.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    };
    return (cidr === undefined || list(cidr)) && (not?.cidr === undefined || !list(not.cidr));
  };
  expect(['10.0.0.1', '10.1.0.1', '10.2.9.9', '10.3.0.1', '11.0.0.1', 'fd00::1', 'fd00:1::1'].map(holds)).toEqual([
    ...[true, false, false, true, false, true, false],
  ]);
  expect(outbound).toEqual([{ action: 'allow', from: {}, to: { not: { cidr: '10.0.0.0/8' } } }]);
});

describe('what Go’s Felix reads and the state does not have is told', () => {
  const effects = (objects: Record<string, unknown>, felixOfIt = go) =>
    readEtcd(objects, felixOfIt).faults.map(({ effect, reason }) => `${effect}: ${reason}`);

  test.each(['untracked', 'pre_dnat', 'apply_on_forward'])('"%s" of a policy', (field) => {
    expect(effects({ [`${tier}/policy/p`]: { ...open, selector: '', [field]: ['ingress'] } })).toEqual([
      `not shown: "${field}" is of later versions of Felix, and not read`,
    ]);
  });

  test('a list of networks in a rule', () => {
    const rules = { ...open, inbound_rules: [{ src_nets: ['10.0.0.0/8'] }] };
    expect(effects({ [`${profile}/rules`]: rules })).toEqual([]);
    expect(effects({ [`${profile}/rules`]: rules }, felix('2.1.1'))).toEqual([
      'ignored: inbound rule 1: the key "src_nets" is unknown, and not seen',
    ]);
    expect(effects({ [`${profile}/rules`]: rules }, python)).toEqual([
      'missing: inbound rule 1: the key "src_nets" is unknown',
    ]);
  });

  test('an endpoint of a host', () => {
    const of = { '/calico/v1/host/h1/endpoint/eth0': { name: 'eth0', profile_ids: ['web'] } };
    expect(effects(of)).toEqual([expect.stringMatching(/^not shown: it is an endpoint of the host itself/)]);
    // Older ones do not read it either.
    expect(effects(of, felix('1.4.0b2'))).toEqual([]);
  });
});

test('no order is "default" for Python’s Felix, and null for Go’s', () => {
  const read = (order: unknown, version = go) =>
    readEtcd({ [`${tier}/policy/p`]: { ...open, selector: '', order } }, version).faults.map(({ reason }) => reason);
  expect([read('default'), read(null)]).toEqual([['the order is "default", not a number'], []]);
  expect([read('default', python), read(null, python)]).toEqual([[], ['the order is null, not a number or "default"']]);
});

describe('what the state cannot say is told', () => {
  test('several addresses, and none of IPv4', () => {
    const many = readEtcd({ [endpoint]: { ...good, ipv4_nets: ['192.168.0.1/32', '192.168.0.2/32'] } });
    expect([many.state.endpoints[0]?.address, many.faults.map(({ effect }) => effect)]).toEqual([
      '192.168.0.1',
      ['not shown'],
    ]);
    const six = readEtcd({ [endpoint]: { ...good, ipv4_nets: [] } });
    expect([six.state.endpoints, six.faults.map(({ effect }) => effect)]).toEqual([[], ['not shown']]);
  });

  test('two endpoints of one id have names of their own; an old profile_id counts', () => {
    const other = '/calico/v1/host/h2/workload/libnetwork/w/endpoint/e1';
    const old = { ...good, profile_ids: undefined };
    const { endpoints } = readEtcd({ [endpoint]: good, [other]: { ...old, profile_id: 'web' } }).state;
    expect(endpoints.map(({ id, profiles }) => [id, profiles])).toEqual([
      ['h1/libnetwork/w/e1', ['web']],
      ['h2/libnetwork/w/e1', ['web']],
    ]);
  });

  test('an endpoint without a host has no place in etcd', () => {
    const state = { profiles: new Map(), endpoints: [{ id: 'a', address: '10.0.0.1', profiles: [] }] };
    expect(() => toEtcd(state)).toThrow(Refusal);
    expect(() => toEtcd({ ...state, endpoints: [{ ...state.endpoints[0]!, id: 'a/b', host: 'h' }] })).toThrow(Refusal);
  });
});

/** Every endpoint has a host, and every host says its action and has one address: what etcd always says. */
function explicit(state: PolicyState): PolicyState {
  const hosts = (state.hosts ?? []).map(({ name, addresses, endpointToHost = 'RETURN' as const }) => ({
    name,
    addresses: addresses.slice(0, 1),
    endpointToHost,
  }));
  const { tiers = [] } = state;
  return {
    profiles: state.profiles,
    endpoints: state.endpoints.map((one) => ({ ...one, host: one.host ?? 'h1' })),
    ...(tiers.length === 0 ? {} : { tiers }),
    hosts,
  };
}

test.each(['plain', '1.4.4', '2.6.8'])(
  'what is written reads back the same, unless Felix %s would not take it',
  (version) => {
    const reader = felix(version)!;
    fc.assert(
      fc.property(wholeState, (random) => {
        const state = explicit(random);
        const { state: back, faults } = readEtcd(toEtcd(state), reader);
        expect([...back.profiles.keys()]).toEqual([...state.profiles.keys()]);
        for (const [name, one] of state.profiles) {
          const { fault, ...read } = back.profiles.get(name)!;
          expect(fault).toBe(profileFault(one, reader));
          expect(read).toEqual(fault === undefined ? one : { ...one, inbound: [], outbound: [] });
        }
        const lost = new Set(faults.map(({ key }) => key));
        const kept = state.tiers?.map((one) => ({
          ...one,
          policies: one.policies
            .filter(({ name }) => !lost.has(`/calico/v1/policy/tier/${one.name}/policy/${name}`))
            .map(({ directions, ...policy }) => ({
              ...policy,
              ...(directions && reader.knows.directions ? { directions } : {}),
            })),
        }));
        expect({ ...back, profiles: undefined }).toEqual({
          ...state,
          profiles: undefined,
          ...(kept && { tiers: kept }),
        });
      }),
      { numRuns: 200 },
    );
  },
);

test('any JSON is read without a crash', () => {
  const keys = fc.constantFrom(
    ...[`${profile}/rules`, `${profile}/tags`, `${profile}/labels`, `${tier}/metadata`, `${tier}/policy/p`, endpoint],
    ...[
      '/calico/v1/host/h1/bird_ip',
      '/calico/v1/host/h1/config/DefaultEndpointToHostAction',
      '/calico/v1/ipam/v4/pool/x',
    ],
  );
  const rule = fc.dictionary(
    fc.constantFrom(
      'action',
      'protocol',
      '!protocol',
      'src_ports',
      'icmp_type',
      '!icmp_code',
      'dst_net',
      'src_selector',
      'x',
    ),
    fc.oneof(fc.jsonValue(), fc.constantFrom('allow', 'tcp', 'all()', 8, '10.0.0.0/8')),
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record({ inbound_rules: fc.array(rule), outbound_rules: fc.array(rule), selector: fc.constant('all()') }),
  );
  fc.assert(
    fc.property(fc.dictionary(keys, value), fc.constantFrom(python, go), (objects, version) => {
      const { state } = readEtcd(objects, version);
      for (const one of state.profiles.values()) profileFault(one, version);
    }),
    { numRuns: 500 },
  );
});
