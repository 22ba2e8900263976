/**
 * The prober of the lab: one process that sends every probe from a socket inside its source's namespace.
 *
 * A fresh source port for each probe; the answer must carry the target's identity; time that the machine did not give to
 * this process, or to that of the listeners, does not count against a probe.
 */
import { randomInt } from 'node:crypto';
import type { Verdict } from '../verify/report.ts';
import { Stdio } from './lines.ts';
import { echo, echoReply, filled, question } from './packets.ts';
import * as sys from './syscall.ts';
import { Turn } from './turn.ts';

export interface LabProbe {
  /** The source's namespace. */
  readonly from: string;
  /** The target's namespace, which is the name that it answers with. */
  readonly to: string;
  /** IPv4 or IPv6; `icmp` is that of its version. */
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port: number;
  readonly sourcePorts: readonly [number, number];
  /** Only for pacing: how many answers to expect at once. Never for the verdict. */
  readonly likely: boolean;
  /** Bytes of the whole IPv4 packet of UDP or ICMP, which is then not to be fragmented. */
  readonly size?: number;
}

export type ProbeRequest =
  | ProbeOrder
  /** Lets go of namespaces that end. */
  | { readonly id: number; readonly forget: readonly string[] };

interface ProbeOrder {
  readonly id: number;
  readonly probes: readonly LabProbe[];
  /** Carried by the first probe, counted up by the others. */
  readonly nonce: number;
  readonly timeoutMs: number;
  /** How long the listeners are waited for in all, should they not get to run. */
  readonly turnMs: number;
  /** Probes without an answer yet, all together. */
  readonly inFlight: number;
}

/** Verdict, milliseconds to it, milliseconds from the request to the probe's start, and what else there is to say. */
export type ProbeResult = readonly [verdict: Verdict, ms: number, startMs: number, note?: string];

/** Probes that expect an answer are paced: too many at once overflow queues, and a lost answer looks like a denial. */
const likelyInFlight = 192;
/** A wait that took so much longer than asked for was the machine's doing. */
const graceMs = 15;

interface Flight {
  readonly index: number;
  readonly probe: LabProbe;
  readonly fd: number;
  readonly started: number;
  readonly deadline: number;
  connectedMs: number | undefined;
  done: boolean;
}

const stdio = new Stdio();
// Before any namespace is entered.
const turn = new Turn();
const input = Buffer.alloc(2048);
const lastPort = new Map<string, number>();

/** Ports go round per namespace and range, from a random start: none is used twice within a range's length. */
function nextPort(namespace: string, [low, high]: readonly [number, number]): number {
  const key = `${namespace} ${low} ${high}`;
  const last = lastPort.get(key) ?? randomInt(low, high + 1);
  const next = last >= high ? low : last + 1;
  lastPort.set(key, next);
  return next;
}

const verdictOf = (errno: number): Verdict => {
  switch (errno) {
    case sys.errno.ECONNREFUSED:
      return 'refused';
    case sys.errno.EHOSTUNREACH:
    case sys.errno.ENETUNREACH:
    case sys.errno.EACCES:
    case sys.errno.EPERM:
    case sys.errno.EMSGSIZE:
      return 'rejected';
    default:
      return 'broken';
  }
};

function open(probe: LabProbe): number {
  sys.enter(probe.from);
  const version = sys.versionOf(probe.address);
  if (probe.protocol === 'icmp') {
    const fd = sys.socket(version, sys.SOCK_DGRAM, version === 4 ? sys.IPPROTO_ICMP : sys.IPPROTO_ICMPV6);
    sys.reportErrors(fd, version);
    const [id, last] = probe.sourcePorts;
    // The identifier of an echo is to a flow what its source port is; asked for one, it is the same flow again.
    if (id === last) {
      const failed = sys.bind(fd, sys.address(sys.anyAddress(version), id));
      if (failed !== 0) throw new sys.SyscallError('bind', failed);
    }
    return fd;
  }
  const fd = sys.socket(version, probe.protocol === 'tcp' ? sys.SOCK_STREAM : sys.SOCK_DGRAM);
  if (probe.protocol === 'tcp') sys.abortOnClose(fd);
  else sys.reportErrors(fd, version);
  const [low, high] = probe.sourcePorts;
  for (let tries = 1; ; tries++) {
    const failed = sys.bind(fd, sys.address(sys.anyAddress(version), nextPort(probe.from, probe.sourcePorts)));
    if (failed === 0) return fd;
    if (failed !== sys.errno.EADDRINUSE || tries > Math.min(200, high - low)) {
      sys.close(fd);
      throw new sys.SyscallError('bind', failed);
    }
  }
}

function run({ id, probes, nonce, timeoutMs, turnMs, inFlight: limit }: ProbeOrder): void {
  const epoll = new sys.Epoll();
  epoll.add(turn.fd, sys.EPOLLIN);
  const results: ProbeResult[] = [];
  const flights = new Map<number, Flight>();
  const order: Flight[] = [];
  let oldest = 0;
  let next = 0;
  let airborne = 0;
  let likely = 0;
  /** Probes that found no source port free, and how many had finished when that was last tried. */
  const portless: number[] = [];
  let finished = 0;
  let tried = 0;
  const begin = performance.now();
  // A clock that stands still while this process does not run: deadlines are on it.
  let clock = 0;
  let last = begin;
  const tick = (asked: number): void => {
    const now = performance.now();
    clock += Math.min(now - last, asked + graceMs);
    last = now;
  };

  const finish = (flight: Flight, verdict: Verdict, note?: string): void => {
    flight.done = true;
    flights.delete(flight.fd);
    sys.close(flight.fd);
    airborne--;
    finished++;
    if (flight.probe.likely) likely--;
    const ms = flight.connectedMs ?? performance.now() - flight.started;
    const start = round(flight.started - begin);
    results[flight.index] = note === undefined ? [verdict, round(ms), start] : [verdict, round(ms), start, note];
  };

  const launch = (index: number): void => {
    const probe = probes[index]!;
    const started = performance.now();
    let fd: number;
    try {
      fd = open(probe);
    } catch (error) {
      // A rule may ask for one source port: then the probes from it go one after the other.
      if (error instanceof sys.SyscallError && error.errno === sys.errno.EADDRINUSE && airborne > 0) {
        portless.push(index);
        return;
      }
      const note = error instanceof Error ? error.message : String(error);
      results[index] = ['broken', 0, round(started - begin), `could not be sent: ${note}`];
      return;
    }
    const flight: Flight = {
      index,
      probe,
      fd,
      started,
      deadline: clock + timeoutMs,
      connectedMs: undefined,
      done: false,
    };
    flights.set(fd, flight);
    order.push(flight);
    airborne++;
    if (probe.likely) likely++;
    const failed = sys.connect(fd, sys.address(probe.address, probe.port));
    if (failed !== 0 && failed !== sys.errno.EINPROGRESS) return finish(flight, verdictOf(failed));
    if (probe.protocol !== 'tcp') {
      const small =
        probe.protocol === 'udp' ? question(nonce + index) : echo(nonce + index, sys.versionOf(probe.address));
      if (probe.size !== undefined) sys.dontFragment(fd);
      const refused = sys.send(fd, probe.size === undefined ? small : filled(small, probe));
      if (refused !== 0) return finish(flight, verdictOf(refused));
    }
    epoll.add(fd, probe.protocol === 'tcp' ? sys.EPOLLOUT : sys.EPOLLIN);
  };

  const ready = (fd: number, events: number): void => {
    if (fd === turn.fd) return turn.hear();
    const flight = flights.get(fd);
    if (!flight) return;
    const { probe } = flight;
    if (probe.protocol === 'tcp' && flight.connectedMs === undefined) {
      const failed = sys.socketError(fd);
      if (failed !== 0)
        return finish(flight, verdictOf(failed), verdictOf(failed) === 'broken' ? `errno ${failed}` : undefined);
      if ((events & sys.EPOLLOUT) === 0) return;
      flight.connectedMs = performance.now() - flight.started;
      epoll.change(fd, sys.EPOLLIN);
      return;
    }
    const length = sys.receive(fd, input);
    if (length === -sys.errno.EAGAIN) return;
    if (length < 0) {
      const verdict = verdictOf(-length);
      return finish(flight, verdict, verdict === 'broken' ? `errno ${-length}` : undefined);
    }
    const answer = input.subarray(0, length);
    if (probe.protocol === 'icmp') {
      if (
        answer[0] === echoReply[sys.versionOf(probe.address)] &&
        length >= 16 &&
        answer.readUInt32BE(12) === nonce + flight.index
      )
        finish(flight, 'open');
      return;
    }
    if (probe.protocol === 'udp' && (length < 8 || answer.readUInt32BE(4) !== nonce + flight.index)) return;
    const who = answer.toString('utf8', probe.protocol === 'udp' ? 8 : 0).trim();
    if (who === probe.to) finish(flight, 'open');
    else finish(flight, 'broken', who === '' ? 'the connection ended without a name' : `${who} answered`);
  };

  let patience = turnMs;
  const giveUp = (due: number, heard: boolean): void => {
    for (let flight = order[oldest]; flight && (flight.done || flight.deadline <= due); flight = order[++oldest]) {
      if (flight.done) continue;
      const kernels = flight.probe.protocol === 'icmp' || (flight.probe.protocol === 'tcp' && !flight.connectedMs);
      if (!heard && !kernels) finish(flight, 'broken', 'the listeners did not get to run');
      else if (flight.connectedMs === undefined) finish(flight, 'dropped');
      else finish(flight, 'broken', 'connected, but nobody answered');
    }
  };
  /** What is overdue is given up once the listeners have had their turn since, or do not get one. */
  const judge = (): void => {
    const due = turn.take();
    if (due !== undefined) {
      // An answer that waits is never missed.
      epoll.wait(0, ready);
      giveUp(due, true);
    }
    const waited = turn.waited(clock);
    if (waited === undefined || waited < patience) return;
    patience = 0;
    turn.forget();
    giveUp(clock, false);
  };

  while (next < probes.length || portless.length > 0 || airborne > 0) {
    let launched = 0;
    if (finished > tried || airborne === 0) for (const index of portless.splice(0)) launch(index);
    tried = finished;
    while (next < probes.length && launched < 32 && airborne < limit) {
      if (probes[next]!.likely && likely >= likelyInFlight) break;
      launch(next++);
      launched++;
    }
    while (order[oldest]?.done === true) oldest++;
    const head = order[oldest];
    if (head && head.deadline <= clock) turn.ask(clock);
    const asked = launched > 0 || !head ? 0 : Math.max(1, Math.min(20, Math.ceil(head.deadline - clock)));
    epoll.wait(asked, ready);
    tick(asked);
    judge();
  }
  turn.forget();
  epoll.close();
  stdio.write({ id, result: results });
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

for (let requests = stdio.read(); requests; requests = stdio.read()) {
  for (const request of requests as ProbeRequest[]) {
    try {
      if ('probes' in request) run(request);
      else {
        for (const namespace of request.forget) sys.forget(namespace);
        stdio.write({ id: request.id, result: true });
      }
    } catch (error) {
      stdio.write({ id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}
