import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  endpointWrite,
  keys,
  parseEndpoint,
  parseKey,
  parseRules,
  profileWrites,
  ruleFromJson,
  ruleToJson,
  type WorkloadEndpoint,
} from '../../../modules/datastore/calico.ts';
import type { Rule } from '../../../modules/policy/model.ts';
import { rule, rules } from '../policy/arbitrary.ts';

describe('a rule', () => {
  test('comes back from the datastore as it went in', () => {
    fc.assert(
      fc.property(rule, (one) => {
        expect(ruleFromJson(JSON.parse(JSON.stringify(ruleToJson(one))) as ReturnType<typeof ruleToJson>)).toEqual(one);
      }),
    );
  });

  test("is written in Felix's words, ranges as N:M", () => {
    const one: Rule = {
      action: 'deny',
      protocol: 'tcp',
      from: { tag: 'web', cidr: '10.0.0.0/8', ports: [{ from: 1024, to: 65535 }] },
      to: {
        ports: [
          { from: 80, to: 80 },
          { from: 8000, to: 8010 },
        ],
      },
    };
    expect(ruleToJson(one)).toEqual({
      protocol: 'tcp',
      src_tag: 'web',
      src_net: '10.0.0.0/8',
      src_ports: ['1024:65535'],
      dst_ports: [80, '8000:8010'],
      action: 'deny',
    });
    expect(ruleToJson({ action: 'allow', protocol: 'icmp', icmp: { type: 0, code: 0 }, from: {}, to: {} })).toEqual({
      protocol: 'icmp',
      icmp_type: 0,
      icmp_code: 0,
      action: 'allow',
    });
  });

  test('without an action allows, as in Felix', () => {
    expect(ruleFromJson({ protocol: 'udp' })).toEqual({ action: 'allow', protocol: 'udp', from: {}, to: {} });
  });

  test('reads a single port written as text', () => {
    expect(ruleFromJson({ protocol: 'tcp', dst_ports: ['80', '90:91'] }).to.ports).toEqual([
      { from: 80, to: 80 },
      { from: 90, to: 91 },
    ]);
  });
});

test('a profile is two keys, which read back as its tags and its rules', () => {
  fc.assert(
    fc.property(rules, rules, (inbound, outbound) => {
      const [tags, own] = profileWrites({ name: 'web', tags: ['a', 'b'], inbound, outbound });
      expect(tags).toEqual({ key: '/calico/v1/policy/profile/web/tags', value: '["a","b"]' });
      expect(own!.key).toBe('/calico/v1/policy/profile/web/rules');
      expect(parseRules(own!.value)).toEqual({ inbound, outbound });
      expect(parseKey(tags!.key)).toEqual({ kind: 'tags', profile: 'web' });
      expect(parseKey(own!.key)).toEqual({ kind: 'rules', profile: 'web' });
    }),
  );
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
  expect(parseKey(key)).toEqual({ kind: 'endpoint', host: 'general-1' });
  expect(parseEndpoint(value)).toEqual({
    interface: 'cali0123456789a',
    mac: 'ee:ee:ee:ee:ee:ee',
    profiles: ['b', 'a'],
    addresses: ['10.65.0.64'],
  });
  expect(JSON.parse(value)).toMatchObject({ state: 'active', ipv4_nets: ['10.65.0.64/32'], ipv6_nets: [] });
});

test.each([
  '/calico/v1/Ready',
  '/calico/v1/config/InterfacePrefix',
  '/calico/v1/host/general-1/config/marker',
  '/calico/v1/host/general-1/bird_ip',
  '/calico/v1/policy/profile/web',
  '/calico/v1/policy/profile/web/labels',
  '/calico/v1/host/general-1/workload/cni/container',
])('%s is nothing that decides a packet', (key) => {
  expect(parseKey(key)).toEqual({ kind: 'other' });
});

test('addresses in keys have a dash where they would have a slash', () => {
  expect(keys.pool('10.65.0.0/16')).toBe('/calico/v1/ipam/v4/pool/10.65.0.0-16');
  expect(keys.affinity('h', '10.65.0.0/26')).toBe('/calico/ipam/v2/host/h/ipv4/block/10.65.0.0-26');
});
