/**
 * The system calls that Node has no name for. `setns` changes the calling thread only, and a socket stays in the
 * namespace that it was made in: so one process holds sockets in hundreds of namespaces. Linux, x64 and arm64.
 */
import { openSync } from 'node:fs';
import koffi from 'koffi';
import { addressNumber6 } from '../policy/address6.ts';

const libc = koffi.load('libc.so.6');
const errnoOf = (): number => koffi.errno();

const c = {
  setns: libc.func('int setns(int fd, int type)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)'),
  bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
  connect: libc.func('int connect(int fd, const uint8_t *address, uint32_t length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept4: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
  send: libc.func('intptr_t send(int fd, const uint8_t *data, size_t length, int flags)'),
  sendto: libc.func(
    'intptr_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
  ),
  recv: libc.func('intptr_t recv(int fd, _Out_ uint8_t *data, size_t length, int flags)'),
  recvfrom: libc.func(
    'intptr_t recvfrom(int fd, _Out_ uint8_t *data, size_t length, int flags, _Out_ uint8_t *address, _Inout_ uint32_t *addressLength)',
  ),
  close: libc.func('int close(int fd)'),
  epoll_create1: libc.func('int epoll_create1(int flags)'),
  epoll_ctl: libc.func('int epoll_ctl(int epfd, int op, int fd, const uint8_t *event)'),
  epoll_wait: libc.func('int epoll_wait(int epfd, _Out_ uint8_t *events, int max, int timeout)'),
};

const AF_INET = 2;
const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_ICMP = 1;
export const IPPROTO_ICMPV6 = 58;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_LINGER = 13;
const SO_RCVBUFFORCE = 33;
const SOL_IPV6 = 41;
const IPV6_V6ONLY = 26;

export const errno = {
  EAGAIN: 11,
  EPERM: 1,
  EACCES: 13,
  EMFILE: 24,
  EMSGSIZE: 90,
  EADDRINUSE: 98,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EINPROGRESS: 115,
} as const;

/** A system call that failed where it should not. */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  readonly errno: number;
  constructor(call: string, number: number) {
    super(`${call} failed with errno ${number}`);
    this.errno = number;
  }
}

function check(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, errnoOf());
  return result;
}

const namespaces = new Map<string, number>();
const home = openSync('/proc/self/ns/net', 'r');
let current = '';

/** Moves this thread into a named network namespace; free when it is there already. */
export function enter(namespace: string): void {
  if (namespace === current) return;
  let fd = namespaces.get(namespace);
  if (fd === undefined) namespaces.set(namespace, (fd = openSync(`/run/netns/${namespace}`, 'r')));
  check('setns', c.setns(fd, 0x40000000) as number);
  current = namespace;
}

/**
 * Lets go of a namespace that ends: as long as a file or a thread holds it, its interfaces stay, and a new one of the
 * same name would be taken for it.
 */
export function forget(namespace: string): void {
  const fd = namespaces.get(namespace);
  if (fd === undefined) return;
  if (current === namespace) {
    check('setns', c.setns(home, 0x40000000) as number);
    current = '';
  }
  close(fd);
  namespaces.delete(namespace);
}

/** Of addresses and sockets. */
export type Version = 4 | 6;

/** A non-blocking socket in the namespace that the thread is in. One for IPv6 is for nothing else. */
export function socket(version: Version, type: number, protocol = 0): number {
  const family = version === 4 ? AF_INET : AF_INET6;
  const fd = check('socket', c.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol) as number);
  if (version === 6) c.setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, one, 4);
  return fd;
}

/** Sends whole or not at all, whatever is known of the way. Source: ip(7), IP_PMTUDISC_PROBE. */
export function dontFragment(fd: number): void {
  const probe = Buffer.alloc(4);
  probe.writeInt32LE(3);
  check('setsockopt', c.setsockopt(fd, 0, 10, probe, 4) as number);
}

export const close = (fd: number): void => void c.close(fd);

export const versionOf = (ip: string): Version => (ip.includes(':') ? 6 : 4);

/** Every address of the machine. */
export const anyAddress = (version: Version): string => (version === 4 ? '0.0.0.0' : '::');

/** `struct sockaddr_in`, or `sockaddr_in6`. */
export function address(ip: string, port: number): Buffer {
  const six = versionOf(ip) === 6;
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  if (six) bytes.write(addressNumber6(ip)!.toString(16).padStart(32, '0'), 8, 'hex');
  else for (const [index, part] of ip.split('.').entries()) bytes[4 + index] = Number(part);
  return bytes;
}

/** 0, or the errno. */
export const bind = (fd: number, at: Buffer): number => ((c.bind(fd, at, at.length) as number) < 0 ? errnoOf() : 0);
export const connect = (fd: number, to: Buffer): number =>
  (c.connect(fd, to, to.length) as number) < 0 ? errnoOf() : 0;
export const listen = (fd: number): number => check('listen', c.listen(fd, 4096) as number);

/** A connection, or -1 when none waits. */
export const accept = (fd: number): number => c.accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC) as number;

/** 0, or the errno. */
export const send = (fd: number, data: Buffer): number =>
  Number(c.send(fd, data, data.length, 0x4000)) < 0 ? errnoOf() : 0;
/** To whom the last packet came from. */
export const sendBack = (fd: number, data: Buffer, length: number, to: Buffer): void =>
  void c.sendto(fd, data, length, 0x4000, to, addressLength[0]!);

/** Bytes read, or minus the errno. */
export function receive(fd: number, into: Buffer): number {
  const length = Number(c.recv(fd, into, into.length, 0));
  return length < 0 ? -errnoOf() : length;
}
const addressLength = [0];
export function receiveFrom(fd: number, into: Buffer, from: Buffer): number {
  addressLength[0] = from.length;
  const length = Number(c.recvfrom(fd, into, into.length, 0, from, addressLength));
  return length < 0 ? -errnoOf() : length;
}

const one = int(1);
const big = int(8 << 20);
const abort = Buffer.concat([int(1), int(0)]);

export const reuseAddress = (fd: number): void => void c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
/** Closing sends a reset: no state lingers, and the port is free again. */
export const abortOnClose = (fd: number): void => void c.setsockopt(fd, SOL_SOCKET, SO_LINGER, abort, 8);
/** The default of 212 kB overflows at a few hundred answers, and a lost answer looks like a denial. */
export const bigReceiveBuffer = (fd: number): void => void c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, big, 4);

/** Hands ICMP errors to the socket at once (IP_RECVERR, IPV6_RECVERR), not only the fatal ones. */
export function reportErrors(fd: number, version: Version): void {
  const [level, name] = version === 4 ? [0, 11] : [SOL_IPV6, 25];
  c.setsockopt(fd, level, name, one, 4);
}

const pending = Buffer.alloc(4);
const pendingLength = [4];
/** The error that waits on a socket, 0 for none; reading clears it. */
export function socketError(fd: number): number {
  pendingLength[0] = 4;
  c.getsockopt(fd, SOL_SOCKET, SO_ERROR, pending, pendingLength);
  return pending.readInt32LE(0);
}

/** `struct epoll_event` is packed on x64 and padded elsewhere. */
const eventSize = process.arch === 'x64' ? 12 : 16;
const eventData = process.arch === 'x64' ? 4 : 8;

/** That one wait tells at most. */
export const mostEvents = 512;

export class Epoll {
  readonly #fd = check('epoll_create1', c.epoll_create1(SOCK_CLOEXEC) as number);
  readonly #events = Buffer.alloc(eventSize * mostEvents);
  readonly #event = Buffer.alloc(eventSize);

  add(fd: number, events: number): void {
    check('epoll_ctl', this.#control(1, fd, events));
  }
  change(fd: number, events: number): void {
    check('epoll_ctl', this.#control(3, fd, events));
  }

  /** Calls `ready` for each file that is; waits at most `timeoutMs`, for ever if -1. */
  wait(timeoutMs: number, ready: (fd: number, events: number) => void): void {
    const count = c.epoll_wait(this.#fd, this.#events, mostEvents, timeoutMs) as number;
    for (let index = 0; index < count; index++) {
      const at = index * eventSize;
      ready(this.#events.readInt32LE(at + eventData), this.#events.readUInt32LE(at));
    }
  }

  close(): void {
    close(this.#fd);
  }

  #control(operation: number, fd: number, events: number): number {
    this.#event.writeUInt32LE(events, 0);
    this.#event.writeInt32LE(fd, eventData);
    return c.epoll_ctl(this.#fd, operation, fd, this.#event) as number;
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
