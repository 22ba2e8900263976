/** What a verification launches and asks, worked out before a packet is sent. Pure. */
import { ephemeral, probeable } from '../policy/traffic.ts';
import type { Traffic } from '../policy/model.ts';
import type { Control, Verdict } from './report.ts';
import type { LaunchedTask, Probe, Services } from './target.ts';

/** The network of the control tasks: it admits all of itself, whatever the policy under test says. */
export const controlNetwork = 'verify-control';
/** Before all others: what a policy for everybody says is not for those who tell a closed way from a broken one. */
export const controlTier = `${controlNetwork}-tier`;

/** A control's question. */
export interface ControlPlan extends Omit<Control, 'observed' | 'ms' | 'when' | 'note'> {
  readonly probe: Probe;
}

/** What a probe sends, as controls name it. */
export const trafficOf = (protocol: Probe['protocol'], port: number): string =>
  protocol === 'icmp' ? 'icmp' : `${protocol} ${port}`;

/** Ports to listen on: one for each class of traffic, so that every class has somebody to answer. */
export function services(traffic: readonly Traffic[]): Services {
  const ports = (protocol: 'tcp' | 'udp'): number[] => [
    ...new Set(traffic.flatMap((one) => (one.protocol === protocol && probeable(one) ? [one.port] : []))),
  ];
  // The controls need a listener of each kind even where policy has no class of it.
  return { tcp: orElse(ports('tcp'), 9000), udp: orElse(ports('udp'), 9000) };
}

const orElse = (ports: readonly number[], port: number): readonly number[] => (ports.length > 0 ? ports : [port]);

/** An unprivileged port on which nobody listens. */
export function closedPort({ tcp }: Services): number {
  for (let port = 1999; ; port++) if (!tcp.includes(port)) return port;
}

/** Every ordered pair of different tasks in every class of traffic that can be probed. */
export function cellsOf(tasks: number, traffic: readonly Traffic[]): { from: number; to: number; traffic: number }[] {
  const cells = [];
  for (let from = 0; from < tasks; from++) {
    for (let to = 0; to < tasks; to++) {
      if (from === to) continue;
      for (const [index, one] of traffic.entries()) if (probeable(one)) cells.push({ from, to, traffic: index });
    }
  }
  return cells;
}

export function probeOf(from: string, to: LaunchedTask, traffic: Traffic, likely: boolean): Probe {
  const icmp = traffic.protocol === 'icmp';
  return {
    from,
    to: to.name,
    address: to.address,
    protocol: traffic.protocol,
    port: icmp ? 0 : traffic.port,
    sourcePorts: icmp ? ephemeral : traffic.sourcePorts,
    likely,
  };
}

/**
 * The questions whose answer policy has no say in.
 * - From its own host, which is never policed, each task must answer on every port that is probed, and refuse another:
 *   the task lives, its interface works both ways, its listeners listen, and `open` is not what everything says.
 * - Between the control tasks of every two hosts, and the two of each host, everything that is probed must pass: hosts
 *   forward, routes, BGP and the fabric work, and nothing on the way eats just one port.
 */
export function controls(
  tasks: readonly LaunchedTask[],
  guards: readonly LaunchedTask[],
  open: Services,
): ControlPlan[] {
  const plan: ControlPlan[] = [];
  const add = (
    kind: Control['kind'],
    from: string,
    to: LaunchedTask,
    protocol: Probe['protocol'],
    port: number,
  ): void => {
    const expected: Verdict = kind === 'closed-port' ? 'refused' : 'open';
    const traffic = trafficOf(protocol, port);
    const probe = { from, to: to.name, address: to.address, protocol, port, sourcePorts: ephemeral, likely: true };
    plan.push({ kind, from, to: to.name, traffic, expected, probe });
  };
  const closed = closedPort(open);
  for (const task of [...tasks, ...guards]) {
    for (const port of open.tcp) add('listener', task.node, task, 'tcp', port);
    for (const port of open.udp) add('listener', task.node, task, 'udp', port);
    add('listener', task.node, task, 'icmp', 0);
    add('closed-port', task.node, task, 'tcp', closed);
  }
  // One control task of each host speaks for it; the other is its partner at home.
  const speakers = guards.filter(({ node }, index) => guards.findIndex((one) => one.node === node) === index);
  for (const from of speakers) {
    for (const to of guards) {
      if (from === to || !(from.node === to.node || speakers.includes(to))) continue;
      for (const port of open.tcp) add('path', from.name, to, 'tcp', port);
      for (const port of open.udp) add('path', from.name, to, 'udp', port);
      add('path', from.name, to, 'icmp', 0);
    }
  }
  return plan;
}
