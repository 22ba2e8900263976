import { describe, expect, test } from 'vitest';
import {
  endpointWrite,
  isEndpointKey,
  keys,
  parseValue,
  profileWrites,
  readEndpoint,
  type WorkloadEndpoint,
} from '../../../modules/datastore/calico.ts';
import type { Rule } from '../../../modules/policy/model.ts';

/** What one rule becomes under the key of its profile. */
function written(rule: Rule): unknown {
  const [, rules] = profileWrites({ name: 'web', tags: [], inbound: [rule], outbound: [] });
  return (JSON.parse(rules!.value) as { readonly inbound_rules: readonly unknown[] }).inbound_rules[0];
}

describe('a profile', () => {
  test('is a key for its tags and one for its rules, and one more for labels', () => {
    const profile = { name: 'web', tags: ['a', 'b'], inbound: [], outbound: [] };
    expect(profileWrites(profile)).toEqual([
      { key: '/calico/v1/policy/profile/web/tags', value: '["a","b"]' },
      { key: '/calico/v1/policy/profile/web/rules', value: '{"inbound_rules":[],"outbound_rules":[]}' },
    ]);
    expect(profileWrites({ ...profile, labels: { role: 'web' } })).toContainEqual({
      key: '/calico/v1/policy/profile/web/labels',
      value: '{"role":"web"}',
    });
  });

  test("has rules in Felix's words, ranges as N:M, and what is negated with a !", () => {
    expect(
      written({
        action: 'deny',
        protocol: 'tcp',
        from: { tag: 'web', cidr: '10.0.0.0/8', ports: [{ from: 1024, to: 65535 }] },
        to: {
          ports: [
            { from: 80, to: 80 },
            { from: 8000, to: 8010 },
          ],
          not: { selector: 'has(x)' },
        },
      }),
    ).toEqual({
      protocol: 'tcp',
      src_tag: 'web',
      src_net: '10.0.0.0/8',
      src_ports: ['1024:65535'],
      dst_ports: [80, '8000:8010'],
      '!dst_selector': 'has(x)',
      action: 'deny',
    });
    expect(written({ action: 'allow', protocol: 'icmp', icmp: { type: 0, code: 0 }, from: {}, to: {} })).toEqual({
      protocol: 'icmp',
      icmp_type: 0,
      icmp_code: 0,
      action: 'allow',
    });
  });
});

test('a value is JSON, or else the text that it is', () => {
  expect(parseValue('["a"]')).toEqual(['a']);
  expect(parseValue('RETURN')).toBe('RETURN');
  expect(parseValue('10.64.0.1')).toBe('10.64.0.1');
});

test('an endpoint reads back with its interface, address and profiles in their order', () => {
  const endpoint: WorkloadEndpoint = {
    host: 'general-1',
    orchestrator: 'cni',
    workload: 'container',
    id: 'endpoint',
    interface: 'cali0123456789a',
    mac: 'ee:ee:ee:ee:ee:ee',
    profiles: ['b', 'a'],
    address: '10.65.0.64',
  };
  const { key, value } = endpointWrite(endpoint);
  expect(key).toBe('/calico/v1/host/general-1/workload/cni/container/endpoint/endpoint');
  expect(isEndpointKey(key)).toBe(true);
  expect(readEndpoint(key, JSON.parse(value))).toEqual({
    id: key,
    host: 'general-1',
    interface: 'cali0123456789a',
    mac: 'ee:ee:ee:ee:ee:ee',
    profiles: ['b', 'a'],
    address: '10.65.0.64',
  });
  expect(JSON.parse(value)).toMatchObject({ state: 'active', ipv4_nets: ['10.65.0.64/32'], ipv6_nets: [] });
});

test.each([null, 'cali', {}, { state: 'active', name: 'cali1', profile_ids: [], ipv4_nets: ['10.0.0/32'] }])(
  'an endpoint that cannot be read (%j) is missing',
  (value) => {
    expect(readEndpoint('/calico/v1/host/h/workload/cni/w/endpoint/e', value)).toBeUndefined();
  },
);

test.each([
  '/calico/v1/Ready',
  '/calico/v1/config/InterfacePrefix',
  '/calico/v1/host/general-1/config/marker',
  '/calico/v1/host/general-1/bird_ip',
  '/calico/v1/policy/profile/web',
  '/calico/v1/policy/profile/web/labels',
  '/calico/v1/host/general-1/workload/cni/container',
])('%s is no endpoint', (key) => {
  expect(isEndpointKey(key)).toBe(false);
});

test('addresses in keys have a dash where they would have a slash', () => {
  expect(keys.pool('10.65.0.0/16')).toBe('/calico/v1/ipam/v4/pool/10.65.0.0-16');
  expect(keys.affinity('h', '10.65.0.0/26')).toBe('/calico/ipam/v2/host/h/ipv4/block/10.65.0.0-26');
});
