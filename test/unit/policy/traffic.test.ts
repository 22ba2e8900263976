import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileState } from '../../../modules/policy/evaluate.ts';
import type { Packet, Profile, Traffic } from '../../../modules/policy/model.ts';
import { defaultProfile } from '../../../modules/policy/network.ts';
import { inPorts } from '../../../modules/policy/syntax/ports.ts';
import { parseRule } from '../../../modules/policy/syntax/rule.ts';
import { packetOf, probeable, trafficClasses } from '../../../modules/policy/traffic.ts';
import { world } from './arbitrary.ts';

function classes(...texts: readonly string[]): readonly Traffic[] {
  const inbound = texts.map((text) => {
    const parsed = parseRule(text);
    if (!parsed.ok) throw new Error(parsed.problems[0]?.what);
    return parsed.value;
  });
  return trafficClasses([{ ...defaultProfile('p'), inbound }]);
}

const names = (...texts: readonly string[]) => classes(...texts).map(({ name }) => name);

describe('which classes there are', () => {
  test.each([
    ['without ports one of each', [], ['tcp', 'udp', 'icmp']],
    ['protocols alone cut nothing', ['allow tcp', 'deny udp', 'allow icmp'], ['tcp', 'udp', 'icmp']],
    [
      'the five of Stars',
      ['allow tcp to ports 9001', 'allow tcp from tag a to ports 9000'],
      ['tcp 9000', 'tcp 9001', 'tcp other', 'udp', 'icmp'],
    ],
    [
      'ports that always stand together are one class',
      ['allow tcp to ports 443,80', 'deny tcp to ports 80,443'],
      ['tcp 80,443', 'tcp other', 'udp', 'icmp'],
    ],
    [
      'overlapping ranges are cut at each bound',
      ['allow udp to ports 10:20', 'deny udp to ports 15:30'],
      ['tcp', 'udp 10:14', 'udp 15:20', 'udp 21:30', 'udp other', 'icmp'],
    ],
    ['touching ranges of one rule are one', ['allow tcp to ports 1:5,6:9'], ['tcp 1:9', 'tcp other', 'udp', 'icmp']],
    ['a range over all ports cuts nothing', ['allow tcp to ports 0:65535'], ['tcp', 'udp', 'icmp']],
    [
      'ranges that are all of it leave no other',
      ['allow tcp to ports 0:99', 'deny tcp to ports 100:65535'],
      ['tcp 0:99', 'tcp 100:65535', 'udp', 'icmp'],
    ],
    ['long lists have short names', ['allow tcp to ports 1,3,5,7,9'], ['tcp 1,3,5+2', 'tcp other', 'udp', 'icmp']],
    ['source ports', ['allow udp from ports 53'], ['tcp', 'udp', 'udp from 53', 'icmp']],
    [
      'source and destination ports',
      ['allow tcp from ports 20 to ports 9000', 'deny tcp to ports 22'],
      ['tcp 22', 'tcp other', 'tcp 22 from 20', 'tcp 9000 from 20', 'tcp other from 20', 'udp', 'icmp'],
    ],
    ['an ICMP type', ['allow icmp type 8'], ['tcp', 'udp', 'icmp 8', 'icmp other']],
    [
      'ICMP types and codes',
      ['allow icmp type 3 code 4', 'deny icmp type 3', 'allow icmp type 13 code 0'],
      ['tcp', 'udp', 'icmp 3', 'icmp 3/4', 'icmp 13/0', 'icmp other'],
    ],
  ])('%s', (_, texts, expected) => {
    expect(names(...texts)).toEqual(expected);
  });

  test('rules of an invalid profile cut nothing: it drops everything alike', () => {
    const bad: Profile = {
      ...defaultProfile('p'),
      inbound: [
        { action: 'allow', from: {}, to: { ports: [{ from: 1, to: 1 }] } },
        { action: 'allow', protocol: 'tcp', from: {}, to: { ports: [{ from: 80, to: 80 }] } },
      ],
    };
    expect(trafficClasses([bad]).map(({ name }) => name)).toEqual(['tcp', 'udp', 'icmp']);
  });
});

describe('the packet that stands for a class', () => {
  const port = (name: string, ...texts: readonly string[]) => {
    const found = classes(...texts).find((one) => one.name === name);
    return found === undefined || found.protocol === 'icmp' ? undefined : found.port;
  };
  const sources = (name: string, ...texts: readonly string[]) => {
    const found = classes(...texts).find((one) => one.name === name);
    return found === undefined || found.protocol === 'icmp' ? undefined : found.sourcePorts;
  };

  test('"other" is just beside what is named', () => {
    expect(port('tcp other', 'allow tcp to ports 9000')).toBe(9001);
    expect(port('tcp other', 'allow tcp to ports 9000,9001')).toBe(9002);
    expect(port('tcp other', 'allow tcp to ports 1024:65535')).toBe(1);
    // Clients' own ports are no place to listen on.
    expect(port('tcp other', 'allow tcp to ports 40000')).toBe(9000);
  });

  test('it needs no privileges, where there is such a port', () => {
    expect(port('tcp other', 'allow tcp to ports 80')).toBe(9000);
    expect(port('tcp 80:9999', 'allow tcp to ports 80:9999')).toBe(1024);
    expect(port('tcp 80', 'allow tcp to ports 80')).toBe(80);
    expect(port('tcp 0:1', 'allow tcp to ports 0:1')).toBe(1);
  });

  test('the client’s port is one that clients use', () => {
    expect(sources('udp', 'allow udp to ports 53')).toBeUndefined();
    expect(sources('udp 53', 'allow udp to ports 53')).toEqual({ from: 32768, to: 60999 });
    expect(sources('udp', 'allow udp from ports 40000')).toEqual({ from: 40001, to: 60999 });
    expect(sources('udp from 40000', 'allow udp from ports 40000')).toEqual({ from: 40000, to: 40000 });
    expect(sources('udp from 500:2000', 'allow udp from ports 500:2000')).toEqual({ from: 1024, to: 2000 });
    expect(sources('udp from 53', 'allow udp from ports 53')).toEqual({ from: 53, to: 53 });
  });

  test('a prober can send echo requests, and no other ICMP', () => {
    const list = classes('allow icmp type 3', 'allow icmp type 8');
    expect(list.filter(probeable).map(({ name }) => name)).toEqual(['tcp', 'udp', 'icmp 8']);
    expect(
      classes('allow icmp type 13')
        .filter(probeable)
        .map(({ name }) => name),
    ).toEqual(['tcp', 'udp', 'icmp other']);
  });

  test('port 0 can be computed, not probed', () => {
    const zero = classes('allow tcp to ports 0').find(({ name }) => name === 'tcp 0');
    expect(zero && probeable(zero)).toBe(false);
  });
});

test('in every policy: names are unique, ports belong to one class, and its packet speaks for all of the class', () => {
  const classOf = (traffic: readonly Traffic[], packet: Packet, like: (one: Traffic) => boolean) =>
    traffic.filter((one) => {
      if (one.protocol !== packet.protocol || !like(one)) return false;
      if (one.protocol === 'icmp')
        return packet.protocol === 'icmp' && packet.type === one.type && packet.code === one.code;
      return (
        packet.protocol !== 'icmp' && inPorts(one.ports, packet.port) && inPorts([one.sourcePorts], packet.sourcePort)
      );
    });
  fc.assert(
    fc.property(world, ({ state, asks }) => {
      const traffic = trafficClasses(state.profiles.values());
      expect(new Set(traffic.map(({ name }) => name)).size).toBe(traffic.length);
      expect(traffic.some((one) => one.protocol === 'icmp' && one.type === 8 && one.code === 0)).toBe(true);
      const { allows } = compileState(state);
      for (const { from, to, packet } of asks) {
        const found = classOf(traffic, packet, () => true);
        expect(found.length).toBeLessThanOrEqual(1);
        for (const one of found) expect(allows(from, to, packet)).toBe(allows(from, to, packetOf(one)));
      }
      for (const one of traffic) {
        if (one.protocol === 'icmp') continue;
        expect(inPorts(one.ports, one.port)).toBe(true);
        for (const port of one.ports.flatMap(({ from, to }) => [from, to])) {
          const packet = { protocol: one.protocol, port, sourcePort: one.sourcePorts.to };
          const { from, to } = asks[0]!;
          expect(allows(from, to, packet)).toBe(allows(from, to, packetOf(one)));
        }
      }
    }),
    { numRuns: 150 },
  );
});
