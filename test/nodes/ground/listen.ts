/** A listening socket in another network namespace: a socket stays where it was made, though its process goes on. */
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { address, bind, listen, reuseAddress, SOCK_STREAM, socket } from '../../../modules/lab/syscall.ts';

const libc = koffi.load('libc.so.6');
const setns = libc.func('int setns(int fd, int type)');
const CLONE_NEWNET = 0x40000000;

/** The file descriptor of a TCP socket that listens at `ip` in the network namespace that a file names. */
export function listenIn(namespace: string, ip: string, port: number): number {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const there = openSync(namespace, 'r');
  try {
    if (setns(there, CLONE_NEWNET) !== 0) throw new Error(`no way into the network ${namespace}`);
    const fd = socket(4, SOCK_STREAM);
    reuseAddress(fd);
    const failed = bind(fd, address(ip, port));
    if (failed !== 0) throw new Error(`${ip}:${port} cannot be listened at: errno ${failed}`);
    listen(fd);
    return fd;
  } finally {
    // Nothing of this happens while another part of the program runs.
    setns(home, CLONE_NEWNET);
    closeSync(home);
    closeSync(there);
  }
}
