/**
 * A room for nodes: mount, network and process namespaces of its own, so that nothing of this machine is touched. When
 * the process that opened it ends, however it does, everything in it ends.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { shell, type ChildProcess } from '../../../modules/shell/shell.ts';

export interface Room {
  readonly name: string;
  /** Its first process, as this machine counts. */
  readonly pid: number;
  /** A folder of the room's own, and the same folder as processes outside of the room reach it. */
  readonly folder: { readonly inside: string; readonly outside: string };
  /** Its network namespace, and that of a node, as a file that processes outside of the room can open. */
  network(node?: string): string;
  /** The command that runs another in the room: in all its namespaces, or only in its network. */
  inside(command: readonly string[], where?: 'room' | 'network'): string[];
  /** Ends all that is in it; done when nothing is left. */
  close(): Promise<void>;
}

/** The cgroup folders of rooms begin with it. */
export const prefix = 'mesos-calico-nodes';

const startLimitMs = 20_000;
const endLimitMs = 20_000;

let rooms = 0;

/** Opens a room whose own address on the bridge is `address`, with a cgroup for each of `nodes`. */
export async function openRoom(address: string, nodes: readonly string[]): Promise<Room> {
  const name = `${prefix}-${process.pid}-${++rooms}`;
  const child = shell.start(roomCommand(name, address, nodes), {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C on the terminal is for the tests; the room ends when they let go of it.
    detached: true,
  });
  await ready(child);
  return roomAt(name, childrenOf(child.pid!)[0]!, () => end(child, name));
}

/** The process that holds a room open until its standard input ends. */
export const roomCommand = (name: string, address: string, nodes: readonly string[]): string[] => [
  ...['unshare', '--mount', '--net', '--pid', '--fork', '--mount-proc', '--kill-child'],
  ...['sh', join(import.meta.dirname, 'room.sh'), name, address, ...nodes],
];

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

/** A room by its first process. */
export function roomAt(name: string, pid: number, close: () => Promise<void>): Room {
  const inside = '/run/room';
  return {
    name,
    pid,
    folder: { inside, outside: `/proc/${pid}/root${inside}` },
    network: (node) => (node === undefined ? `/proc/${pid}/ns/net` : `/proc/${pid}/root/run/netns/${node}`),
    inside: (command, where = 'room') => [
      'nsenter',
      `--target=${pid}`,
      ...(where === 'room' ? ['--mount', '--pid'] : []),
      '--net',
      ...command,
    ],
    close,
  };
}

function ready(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => said.push(line));
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      child.stdin!.end();
      fail(new Error(`the room is not ready: ${said.join('\n')}`));
    }, startLimitMs);
    createInterface({ input: child.stdout! }).on('line', () => {
      clearTimeout(timer);
      done();
    });
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`the room ended with ${code ?? 'a signal'}: ${said.join('\n')}`)));
  });
}

async function end(child: ChildProcess, name: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((done) => child.once('exit', done));
    child.stdin!.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
    await ended;
    clearTimeout(timer);
  }
  sweep((folder) => folder === name);
}

/** Hierarchies of cgroups: those of v1, or the only one of v2. */
export function hierarchies(root = '/sys/fs/cgroup'): string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return existsSync(root) ? foldersIn(root) : [];
}

/** Cgroup folders of rooms, by name. */
export const cgroups = (): string[] => [
  ...new Set(
    hierarchies()
      .flatMap(foldersIn)
      .map((folder) => folder.split('/').at(-1)!)
      .filter((name) => name.startsWith(`${prefix}-`)),
  ),
];

/** Removes the cgroups of rooms whose processes are gone: all that a room can leave, if it was killed itself. */
export function sweep(which: (name: string) => boolean = orphaned): void {
  for (const name of cgroups().filter(which)) for (const hierarchy of hierarchies()) remove(join(hierarchy, name));
}

const orphaned = (name: string): boolean => !existsSync(`/proc/${name.slice(prefix.length + 1).split('-')[0]!}`);

function remove(folder: string): void {
  if (!existsSync(folder)) return;
  for (const inner of foldersIn(folder)) remove(inner);
  try {
    rmdirSync(folder);
  } catch {
    // Somebody is in it, so it is not ours to remove.
  }
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}
