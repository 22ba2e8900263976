/**
 * The listeners of all tasks, in one process: each TCP connection is told who answers, each UDP probe is answered with
 * its nonce and the same name, and nonces are remembered so that a packet that got in without an answer is seen.
 */
import { writeFileSync } from 'node:fs';
import { Stdio } from './lines.ts';
import * as sys from './syscall.ts';
import { answerPulses, openPulse } from './turn.ts';

/** One task's listeners. */
export interface Listen {
  readonly namespace: string;
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  /** Also on IPv6, which is otherwise off. */
  readonly six?: boolean;
}

export type ServeRequest =
  | { readonly id: number; readonly listen: readonly Listen[] }
  /** Ends the listeners of some namespaces. */
  | { readonly id: number; readonly end: readonly string[] }
  /** Asks for the nonces that arrived since the last time. */
  | { readonly id: number; readonly arrived: true };

interface Listener {
  readonly fd: number;
  readonly kind: 'tcp' | 'udp';
  readonly name: string;
  readonly identity: Buffer;
}

const stdio = new Stdio();
const epoll = new sys.Epoll();
const byFd = new Map<number, Listener>();
const known = new Set<string>();
let arrived: number[] = [];

const packet = Buffer.alloc(2048);
const peer = Buffer.alloc(28);
const answer = Buffer.alloc(512);

interface Service {
  readonly kind: 'tcp' | 'udp';
  readonly port: number;
  readonly version: sys.Version;
}

const nameOf = (namespace: string, { kind, port, version }: Service): string =>
  `${namespace} ${kind} ${port} IPv${version}`;

function open(namespace: string, service: Service): void {
  const { kind, port, version } = service;
  const key = nameOf(namespace, service);
  if (known.has(key)) return;
  sys.enter(namespace);
  const fd = sys.socket(version, kind === 'tcp' ? sys.SOCK_STREAM : sys.SOCK_DGRAM);
  sys.reuseAddress(fd);
  if (kind === 'udp') sys.bigReceiveBuffer(fd);
  const failed = sys.bind(fd, sys.address(sys.anyAddress(version), port));
  if (failed !== 0) throw new sys.SyscallError(`bind ${key}`, failed);
  if (kind === 'tcp') sys.listen(fd);
  byFd.set(fd, { fd, kind, name: key, identity: Buffer.from(`${namespace}\n`) });
  known.add(key);
  epoll.add(fd, sys.EPOLLIN);
}

/** Lets the namespace's probes use ICMP sockets, and keeps IPv6's own chatter off its interface where it is not asked for. */
function prepare(namespace: string, six: boolean): void {
  sys.enter(namespace);
  writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 0');
  if (six) return;
  try {
    writeFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', '1');
  } catch {
    // A kernel without IPv6 has no such file, and no such chatter.
  }
}

function ready({ fd, kind, identity }: Listener): void {
  if (kind === 'tcp') {
    for (let connection = sys.accept(fd); connection >= 0; connection = sys.accept(fd)) {
      sys.send(connection, identity);
      sys.close(connection);
    }
    return;
  }
  for (let length = sys.receiveFrom(fd, packet, peer); length > 0; length = sys.receiveFrom(fd, packet, peer)) {
    if (length < 8) continue;
    arrived.push(packet.readUInt32BE(4));
    packet.copy(answer, 0, 0, 8);
    identity.copy(answer, 8);
    sys.sendBack(fd, answer, 8 + identity.length, peer);
  }
}

function end(which: (listener: Listener) => boolean): void {
  for (const { fd, name } of [...byFd.values()].filter(which)) {
    sys.close(fd);
    byFd.delete(fd);
    known.delete(name);
  }
}

function handle(request: ServeRequest): unknown {
  if ('listen' in request) {
    for (const { namespace, tcp, udp, six = false } of request.listen) {
      prepare(namespace, six);
      const versions: readonly sys.Version[] = six ? [4, 6] : [4];
      const services = versions.flatMap((version) => [
        ...tcp.map((port): Service => ({ kind: 'tcp', port, version })),
        ...udp.map((port): Service => ({ kind: 'udp', port, version })),
      ]);
      // A port that an earlier policy needed would not be the closed one that a control takes it for.
      const wanted = new Set(services.map((service) => nameOf(namespace, service)));
      end(({ name }) => name.startsWith(`${namespace} `) && !wanted.has(name));
      for (const service of services) open(namespace, service);
    }
    return true;
  }
  if ('end' in request) {
    end(({ name }) => request.end.includes(name.split(' ')[0]!));
    for (const namespace of request.end) sys.forget(namespace);
    return true;
  }
  const answer = arrived;
  arrived = [];
  return answer;
}

function answerRequests(): void {
  const requests = stdio.read() as ServeRequest[] | undefined;
  // The lab has gone, or let go of this process.
  if (!requests) process.exit(0);
  for (const request of requests) {
    try {
      stdio.write({ id: request.id, result: handle(request) });
    } catch (error) {
      stdio.write({ id: request.id, error: String(error) });
    }
  }
}

const pulse = openPulse();
epoll.add(0, sys.EPOLLIN);
epoll.add(pulse, sys.EPOLLIN);
/** One wait; says whether somebody asked for a pulse. */
function turn(timeoutMs: number): boolean {
  let asked = false;
  epoll.wait(timeoutMs, (fd) => {
    const listener = byFd.get(fd);
    if (listener) ready(listener);
    else if (fd === 0) answerRequests();
    else if (fd === pulse) asked = true;
  });
  return asked;
}

for (;;) {
  if (!turn(-1)) continue;
  // Last, after everybody who was there before the question.
  for (let left = byFd.size; left > 0; left -= sys.mostEvents) turn(0);
  answerPulses(pulse);
}
