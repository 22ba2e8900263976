import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Traffic } from '../../../modules/policy/model.ts';
import { cellsOf, closedPort, controls, probeOf, services } from '../../../modules/verify/plan.ts';
import type { LaunchedTask } from '../../../modules/verify/target.ts';

const port = (protocol: 'tcp' | 'udp', number: number): Traffic => ({
  protocol,
  name: `${protocol} ${number}`,
  port: number,
  ports: [{ from: number, to: number }],
  sourcePorts: { from: 32768, to: 60999 },
});
const icmp = (type: number): Traffic => ({ protocol: 'icmp', name: `icmp ${type}`, type, code: 0 });
const launched = (name: string, node: string): LaunchedTask => ({
  name: `${name}@${node}`,
  node,
  network: name,
  profiles: [],
  address: '10.0.0.1',
});

test('every ordered pair of different tasks is asked once in every class that can be probed', () => {
  const traffic = [port('tcp', 80), port('tcp', 0), port('udp', 53), icmp(8), icmp(3)];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), (count) => {
      const cells = cellsOf(count, traffic);
      const keys = new Set(cells.map(({ from, to, traffic: kind }) => `${from} ${to} ${kind}`));
      expect(keys.size).toBe(cells.length);
      // Port 0 cannot be bound, and of ICMP only the echo request can be sent.
      expect(cells.length).toBe(count * Math.max(0, count - 1) * 3);
      expect(cells.every(({ from, to, traffic: kind }) => from !== to && [0, 2, 3].includes(kind))).toBe(true);
    }),
  );
});

test('the closed port is none of the open ones, and needs no privileges', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 1990, max: 2020 }));
  fc.assert(
    fc.property(ports, ports, (tcp, udp) => {
      const closed = closedPort({ tcp, udp });
      expect(tcp).not.toContain(closed);
      expect(closed).toBeGreaterThanOrEqual(1024);
    }),
  );
});

test('there is a listener for every class, and one of each protocol in any case', () => {
  expect(services([port('tcp', 80), port('tcp', 81), port('udp', 53), icmp(8)])).toEqual({ tcp: [80, 81], udp: [53] });
  expect(services([icmp(8)])).toEqual({ tcp: [9000], udp: [9000] });
});

const nodes = ['n1', 'n2', 'n3'];
const tasks = nodes.flatMap((node) => [launched('a', node), launched('b', node)]);
const guards = nodes.flatMap((node) => [launched('guard', node), launched('guard-2', node)]);
const open = { tcp: [80, 81], udp: [53] };
const plan = controls(tasks, guards, open);

test('every task, control tasks too, is asked by its own host on all that is probed, and on a closed port', () => {
  for (const { name, node } of [...tasks, ...guards]) {
    const own = plan.filter(({ to, kind }) => to === name && kind !== 'path');
    expect(own.every(({ from, probe }) => from === node && probe.from === node)).toBe(true);
    expect(own.map(({ kind, traffic, expected }) => `${kind} ${traffic} ${expected}`).sort()).toEqual([
      'closed-port tcp 1999 refused',
      'listener icmp open',
      'listener tcp 80 open',
      'listener tcp 81 open',
      'listener udp 53 open',
    ]);
  }
});

test('every ordered pair of hosts, and every host with itself, has a path control of all that is probed', () => {
  for (const from of nodes) {
    for (const to of nodes) {
      const own = plan.filter(
        (one) => one.kind === 'path' && one.from === `guard@${from}` && one.to.endsWith(`@${to}`),
      );
      expect(own.map(({ traffic }) => traffic).sort()).toEqual(['icmp', 'tcp 80', 'tcp 81', 'udp 53']);
      expect(own.every((one) => one.from !== one.to)).toBe(true);
    }
  }
});

test('a probe takes the source ports of its class, and ICMP has no port', () => {
  const rare: Traffic = { ...port('tcp', 80), protocol: 'tcp', sourcePorts: { from: 1024, to: 2000 } } as Traffic;
  expect(probeOf('a@n1', tasks[2]!, rare, true)).toMatchObject({ port: 80, sourcePorts: { from: 1024, to: 2000 } });
  expect(probeOf('a@n1', tasks[2]!, icmp(8), false)).toMatchObject({ protocol: 'icmp', port: 0, likely: false });
});
